package chaos

import (
	"context"
	"net"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// fullUpstream is an address that takes no connection and refuses none, as that
// of a stopped process whose backlog is full.
func fullUpstream(t *testing.T) string {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := unix.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	name, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(name.(*unix.SockaddrInet4).Port))
	for range 10 {
		c, err := net.DialTimeout("tcp", addr, 200*time.Millisecond)
		if err != nil {
			return addr
		}
		t.Cleanup(func() { c.Close() })
	}
	t.Skip("the backlog does not fill up")
	return ""
}

// With Toxiproxy's own accept loop one such caller keeps all others waiting,
// and the proxy cannot be stopped.
func TestUpstreamThatHangsHoldsUpNobody(t *testing.T) {
	l, _ := openTestLink(t, fullUpstream(t), serve(t, echo))
	for range 3 {
		connect(t, l.Addrs()[0])
	}
	eventually(t, "every caller is taken", func() bool { return l.Stats().Connections == 3 })
	if _, err := exchange(connect(t, l.Addrs()[1]), 10, 10*time.Second); err != nil {
		t.Errorf("the other replica: %v", err)
	}
	start := time.Now()
	heal(t, inject(t, l, Spec{Refuse: &Refuse{}}))
	l.shut()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := l.wait(ctx); err != nil || time.Since(start) > dialTime/2 {
		t.Errorf("closing took %s, %v", time.Since(start), err)
	}
}

// A reader that is slow by itself is not cut by the heal of a fault that has
// nothing to do with its direction.
func TestHealSparesReadersThatTheFaultDidNotTouch(t *testing.T) {
	l, sink := openTestLink(t, serve(t, func(c net.Conn) {
		for {
			if _, err := c.Write(make([]byte, 32<<10)); err != nil {
				return
			}
		}
	}))
	l.giveUpAfter = 200 * time.Millisecond
	connect(t, l.Addrs()[0])
	var before int64 = -1
	eventually(t, "the stream stands still", func() bool {
		time.Sleep(50 * time.Millisecond)
		now := l.Stats().BytesDown
		defer func() { before = now }()
		return now > 0 && now == before
	})
	heal(t, inject(t, l, Spec{Latency: &Latency{Delay: time.Second, Direction: up}}))
	if l.Stats().Active != 1 || sink.count("link-gave-up") != 0 {
		t.Error("it is cut")
	}
}

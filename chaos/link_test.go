package chaos

import (
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestLinkCarriesBothWays(t *testing.T) {
	l, _ := openTestLink(t, serve(t, echo))
	c := connect(t, l.Addrs()[0])
	for _, n := range []int{1, 1000, 1 << 20} {
		if _, err := exchange(c, n, 10*time.Second); err != nil {
			t.Fatalf("%d bytes: %v", n, err)
		}
	}
	want := int64(1 + 1000 + 1<<20)
	eventually(t, "the bytes are counted", func() bool {
		s := l.Stats()
		return s.BytesUp == want && s.BytesDown == want && s.Connections == 1 && s.Active == 1 && s.Calls == 0
	})
	c.Close()
	eventually(t, "the connection is off the books", func() bool { return l.Stats().Active == 0 })
}

func TestHalfCloseIsPassedOn(t *testing.T) {
	// The upstream answers only once it has seen the end of the request.
	l, _ := openTestLink(t, serve(t, func(c net.Conn) {
		b, _ := io.ReadAll(c)
		io.WriteString(c, strings.Repeat(string(b), 100000))
	}))
	c := connect(t, l.Addrs()[0])
	io.WriteString(c, "ab")
	c.CloseWrite()
	c.SetReadDeadline(time.Now().Add(10 * time.Second))
	b, err := io.ReadAll(c)
	if err != nil || len(b) != 200000 {
		t.Fatalf("got %d bytes and %v, want all 200000", len(b), err)
	}
}

func TestResetIsPassedOn(t *testing.T) {
	l, _ := openTestLink(t, serve(t, func(c net.Conn) {
		c.Read(make([]byte, 1))
		c.(*net.TCPConn).SetLinger(0)
	}))
	c := connect(t, l.Addrs()[0])
	io.WriteString(c, "x")
	c.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Fatalf("got %v, want a reset", err)
	}
}

func TestUpstreamThatIsDownShowsAsReset(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
	l, _ := openTestLink(t, ln.Addr().String())
	if err := firstError(l.Addrs()[0]); !errors.Is(err, syscall.ECONNRESET) {
		t.Fatalf("got %v, want a reset", err)
	}
	if s := l.Stats(); s.Connections != 1 || s.Active != 0 {
		t.Fatalf("got %+v", s)
	}
}

func TestReplicasHaveTheirOwnPorts(t *testing.T) {
	answer := func(s string) func(net.Conn) {
		return func(c net.Conn) { io.WriteString(c, s) }
	}
	l, _ := openTestLink(t, serve(t, answer("one")), serve(t, answer("two")))
	for i, want := range []string{"one", "two"} {
		b, err := io.ReadAll(connect(t, l.Addrs()[i]))
		if err != nil || string(b) != want {
			t.Errorf("replica %d: got %q and %v", i+1, b, err)
		}
	}
}

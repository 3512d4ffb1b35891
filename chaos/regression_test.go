package chaos

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Toxiproxy hangs for good when a toxic is removed under this load: clients
// that give up while large answers are held for them.
func TestLatencyInjectedAndHealedUnderClientsThatGiveUp(t *testing.T) {
	body := bytes.Repeat([]byte("x"), 200<<10)
	var serving atomic.Int64
	srv := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write(body) }),
		ConnState: func(_ net.Conn, s http.ConnState) {
			switch s {
			case http.StateNew:
				serving.Add(1)
			case http.StateClosed:
				serving.Add(-1)
			}
		},
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan struct{})
	go func() { defer close(served); srv.Serve(ln) }()
	defer func() { srv.Close(); <-served }()
	l, _ := openTestLink(t, ln.Addr().String())
	goroutines, files := runtime.NumGoroutine(), descriptors(t)

	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var clients sync.WaitGroup
	var late, touched atomic.Int64
	for range 50 {
		clients.Go(func() {
			transport := &http.Transport{}
			defer transport.CloseIdleConnections()
			client := &http.Client{Transport: transport, Timeout: 100 * time.Millisecond}
			for ctx.Err() == nil {
				resp, err := client.Get("http://" + l.Addrs()[0])
				if err == nil {
					_, err = io.Copy(io.Discard, resp.Body)
					resp.Body.Close()
				}
				if err != nil {
					late.Add(1)
				}
				time.Sleep(50 * time.Millisecond) // leaves the machine to others, too
			}
		})
	}
	for range 20 {
		in := inject(t, l, Spec{Latency: &Latency{Delay: 300 * time.Millisecond, Direction: both}})
		before := late.Load()
		eventually(t, "clients give up", func() bool { return late.Load() > before })
		heal(t, in)
		touched.Add(in.Touched().Bytes)
	}
	cancel()
	clients.Wait()
	resp, err := (&http.Client{Timeout: time.Minute, Transport: &http.Transport{DisableKeepAlives: true}}).Get("http://" + l.Addrs()[0])
	if err != nil {
		t.Fatalf("after the last heal: %v", err)
	}
	if n, err := io.Copy(io.Discard, resp.Body); n != int64(len(body)) || err != nil {
		t.Errorf("after the last heal: %d bytes, %v", n, err)
	}
	resp.Body.Close()
	if touched.Load() == 0 {
		t.Error("the fault touched nothing")
	}
	eventually(t, "connections end", func() bool { return l.Stats().Active == 0 && serving.Load() == 0 })
	eventually(t, "goroutines and sockets are back to the start level", func() bool {
		return runtime.NumGoroutine() <= goroutines && descriptors(t) <= files
	})
}

// A caller that is gone while a fault holds its bytes does not keep the
// connection for ever.
func TestGivesUpOnReadersThatAreGone(t *testing.T) {
	for name, spec := range map[string]Spec{
		"latency":   {Latency: &Latency{Delay: time.Hour}},
		"blackhole": {Blackhole: &Blackhole{}},
	} {
		t.Run(name, func(t *testing.T) {
			l, sink := openTestLink(t, serve(t, func(c net.Conn) {
				c.Write(make([]byte, 1000))
				io.Copy(io.Discard, c)
				time.Sleep(time.Millisecond)
			}))
			l.giveUpAfter = 100 * time.Millisecond
			in := inject(t, l, spec)
			c := connect(t, l.Addrs()[0])
			c.Write([]byte("x"))
			eventually(t, "bytes are held", func() bool { return l.Stats().BytesDown > 0 && l.Stats().BytesUp > 0 })
			time.Sleep(3 * l.giveUpAfter)
			if l.Stats().Active != 1 {
				t.Fatal("a connection whose caller waits is given up")
			}
			c.Close()
			eventually(t, "the connection is given up", func() bool { return l.Stats().Active == 0 })
			heal(t, in)
			if n := sink.count("link-gave-up"); n != 1 {
				t.Errorf("%d events, want one", n)
			}
		})
	}
}

// A reader that does not read cannot hold up a heal for longer than the
// give-up time, and is counted.
func TestHealGivesUpOnReadersThatHang(t *testing.T) {
	l, sink := openTestLink(t, serve(t, func(c net.Conn) {
		for {
			if _, err := c.Write(make([]byte, 32<<10)); err != nil {
				return
			}
		}
	}))
	l.giveUpAfter = 200 * time.Millisecond
	in := inject(t, l, Spec{Latency: &Latency{Delay: time.Hour}})
	keepLittle(t, l, connect(t, l.Addrs()[0]))
	eventually(t, "as much is held as can be", func() bool { return l.Stats().BytesDown >= delayHold })
	heal(t, in)
	eventually(t, "the connection is given up", func() bool { return l.Stats().Active == 0 })
	if n := sink.count("link-gave-up"); n != 1 {
		t.Errorf("%d events, want one", n)
	}
}

// keepLittle keeps the kernel from taking for the one caller of a link all that
// a fault holds. Left alone, its buffers grow to several MiB: then a heal is
// through with nobody reading, and there is nothing to give up.
func keepLittle(t *testing.T, l *Link, caller *net.TCPConn) {
	t.Helper()
	const little = 64 << 10
	if err := caller.SetReadBuffer(little); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the caller is connected", func() bool { return l.Stats().Active == 1 })
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.conns {
		if err := c.client.tcp.SetWriteBuffer(little); err != nil {
			t.Fatal(err)
		}
	}
}

package load

import (
	"context"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"ordeal/runner/evidence"
)

// handle serves each connection with f, until the test is over.
func handle(t testing.TB, f func(net.Conn)) string {
	t.Helper()
	lis := listen(t)
	var conns sync.WaitGroup
	conns.Go(func() {
		for {
			conn, err := lis.Accept()
			if err != nil {
				return
			}
			conns.Go(func() { f(conn); _ = conn.Close() })
		}
	})
	t.Cleanup(func() { _ = lis.Close(); conns.Wait() })
	return lis.Addr().String()
}

func TestTrickle(t *testing.T) {
	t.Parallel()
	patient := newHTTPTarget(t, nil)
	lis := listen(t)
	srv := &http.Server{Handler: http.NotFoundHandler(), ReadHeaderTimeout: 150 * time.Millisecond}
	go func() { _ = srv.Serve(lis) }()
	t.Cleanup(func() { _ = srv.Close() })
	answers := handle(t, func(c net.Conn) {
		b := make([]byte, 5)
		_, _ = io.ReadFull(c, b)
		_, _ = io.WriteString(c, "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
	})
	resets := handle(t, func(c net.Conn) {
		b := make([]byte, 5)
		_, _ = io.ReadFull(c, b)
		_ = c.(*net.TCPConn).SetLinger(0)
	})
	closed := listen(t)
	_ = closed.Close()
	for _, c := range []struct {
		name  string
		addr  string
		class evidence.Class
		code  int
		from  time.Duration
	}{
		{"a server with a header timeout", lis.Addr().String(), evidence.HTTP4xx, 400, 100 * time.Millisecond},
		{"a server that answers", answers, evidence.HTTP4xx, 408, 0},
		{"a server that resets", resets, evidence.Reset, 0, 0},
		{"a server that waits for ever", patient.addr, evidence.Timeout, 0, 690 * time.Millisecond},
		{"no server", closed.Addr().String(), evidence.Refused, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			spec := Spec{Trickle: &Trickle{Target: "t", Every: 20 * time.Millisecond, Hold: 700 * time.Millisecond}}
			s := calls(t, spec, 1, c.addr)[0]
			if s.Class != c.class || s.Code != c.code || s.Service() < c.from || s.Service() > 3*time.Second {
				t.Errorf("%v %d after %v; want %v %d after %v", s.Class, s.Code, s.Service(), c.class, c.code, c.from)
			}
		})
	}
}

// TestTrickleIsSlow: a byte at a time, and never the empty line that ends the
// headers.
func TestTrickleIsSlow(t *testing.T) {
	var mu sync.Mutex
	var got []byte
	var reads int
	addr := handle(t, func(c net.Conn) {
		b := make([]byte, 1000)
		for {
			n, err := c.Read(b)
			mu.Lock()
			got = append(got, b[:n]...)
			reads++
			mu.Unlock()
			if err != nil {
				return
			}
		}
	})
	spec := Spec{Trickle: &Trickle{Target: "t", Path: "/x", Every: 5 * time.Millisecond, Hold: 600 * time.Millisecond}}
	calls(t, spec, 1, addr)
	mu.Lock()
	defer mu.Unlock()
	want := "GET /x HTTP/1.1\r\nHost: " + addr + "\r\nX-Slow: aaa"
	if len(got) < len(want) || string(got[:len(want)]) != want || got[len(got)-1] != 'a' {
		t.Errorf("%q", got)
	}
	if reads < len(want)/2 { // a few may arrive together on a busy machine
		t.Errorf("%d bytes in %d reads", len(got), reads)
	}
}

func TestTrickleIsCancelled(t *testing.T) {
	tg := newHTTPTarget(t, nil)
	spec := Spec{Clients: 5, Trickle: &Trickle{Target: "t", Every: time.Minute, Hold: time.Hour}}
	engine, err := spec.Engine(Env{Addrs: []string{tg.addr}, Clock: evidence.NewClock(), End: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	began, got := time.Now(), &collector{}
	if err := engine.Run(ctx, 0, unpaced{}, got); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took > grace+5*time.Second {
		t.Errorf("it took %v", took)
	}
	if n := got.classes(); n[evidence.Timeout] != 5 || got.count() != 5 {
		t.Errorf("classes %v", n)
	}
}

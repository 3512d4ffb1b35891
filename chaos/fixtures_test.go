package chaos

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"ordeal/runner/evidence"
)

func TestMain(m *testing.M) {
	if addr := os.Getenv(childAddr); addr != "" {
		runChild(addr)
	}
	goleak.VerifyTestMain(m)
}

// events is a sink that keeps events.
type events struct {
	mu  sync.Mutex
	all []evidence.Event
}

func (e *events) Sample(evidence.Sample)   {}
func (e *events) Message(evidence.Message) {}
func (e *events) Point(evidence.Point)     {}
func (e *events) Event(ev evidence.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.all = append(e.all, ev)
}

func (e *events) count(k evidence.Kind) (n int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, ev := range e.all {
		if ev.Kind == k {
			n++
		}
	}
	return n
}

// eventually polls until ok holds.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(60 * time.Second)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("not in time: %s", what)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// serve answers every connection with handle, until the test ends.
func serve(t testing.TB, handle func(net.Conn)) (addr string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var (
		mu    sync.Mutex
		conns = map[net.Conn]bool{}
		all   sync.WaitGroup
	)
	all.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			conns[c] = true
			mu.Unlock()
			all.Go(func() {
				handle(c)
				c.Close()
				mu.Lock()
				delete(conns, c)
				mu.Unlock()
			})
		}
	})
	t.Cleanup(func() {
		ln.Close()
		mu.Lock()
		for c := range conns {
			c.Close()
		}
		mu.Unlock()
		all.Wait()
	})
	return ln.Addr().String()
}

// echo sends back what it gets, to the end of the stream.
func echo(c net.Conn) { io.Copy(struct{ io.Writer }{c}, struct{ io.Reader }{c}) }

// openTestLink opens one link, which is closed before the upstream is.
func openTestLink(t testing.TB, upstreams ...string) (*Link, *events) {
	t.Helper()
	sink := &events{}
	links, err := OpenLinks(context.Background(), []LinkSpec{{Name: "a->b", From: "a", To: "b", Upstreams: upstreams}}, evidence.NewClock(), sink)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := links.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return links.Get("a->b"), sink
}

func envOf(l *Link) Env {
	return Env{
		Link: func(name string) *Link {
			if name == l.Name() {
				return l
			}
			return nil
		},
		Processes: func(string) []Process { return nil },
		Seed:      7,
	}
}

// inject injects a fault into the link; the test heals it.
func inject(t testing.TB, l *Link, spec Spec) Injection {
	t.Helper()
	spec.Link = l.Name()
	f, err := spec.Fault(envOf(l))
	if err != nil {
		t.Fatal(err)
	}
	in, err := f.Inject(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return in
}

func heal(t testing.TB, in Injection) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := in.Heal(ctx); err != nil {
		t.Fatal(err)
	}
}

func connect(t testing.TB, addr string) *net.TCPConn {
	t.Helper()
	c, err := net.DialTimeout("tcp", addr, 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c.(*net.TCPConn)
}

// firstError connects and reads, and gives the error that ends it: a reset may
// come while connecting already.
func firstError(addr string) error {
	c, err := net.DialTimeout("tcp", addr, 5*time.Second)
	if err != nil {
		return err
	}
	defer c.Close()
	c.SetReadDeadline(time.Now().Add(10 * time.Second))
	_, err = io.Copy(io.Discard, c)
	return err
}

// errCorrupt: what came back is not what was sent.
var errCorrupt = errors.New("bytes are changed")

// exchange sends bytes and reads as many back; it gives how long that took.
func exchange(c net.Conn, n int, within time.Duration) (time.Duration, error) {
	start := time.Now()
	c.SetDeadline(start.Add(within))
	defer c.SetDeadline(time.Time{})
	out := make([]byte, n)
	for i := range out {
		out[i] = byte(i * 31 >> 3)
	}
	sent := make(chan error, 1)
	go func() {
		_, err := c.Write(out)
		sent <- err
	}()
	in := make([]byte, n)
	_, err := io.ReadFull(c, in)
	err = errors.Join(err, <-sent) // a reset is told once, to either
	if err == nil && string(in) != string(out) {
		err = errCorrupt
	}
	return time.Since(start), err
}

// descriptors counts the open files of the process, where that can be seen.
func descriptors(t testing.TB) int {
	if runtime.GOOS != "linux" {
		return 0
	}
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

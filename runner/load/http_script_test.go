package load

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"ordeal/runner/evidence"
)

// scripted is a server that says on its connections what a test tells it to,
// right or wrong.
type scripted struct {
	addr     string
	conns    atomic.Int64
	requests atomic.Int64
	left     chan struct{} // gets one for each connection that the client has closed, where the script waits for that
	goOn     chan struct{} // gets one when the script is to go on, where it waits for that
	over     chan struct{} // closed when the test is
}

// peer is one connection of a scripted server.
type peer struct {
	net.Conn
	*scripted
	br *bufio.Reader
	n  int64 // of the connection, from 1
}

func newScripted(t testing.TB, lis net.Listener, script func(*peer)) *scripted {
	t.Helper()
	s := &scripted{addr: lis.Addr().String(), left: make(chan struct{}, 100), goOn: make(chan struct{}, 1), over: make(chan struct{})}
	var conns sync.WaitGroup
	conns.Go(func() {
		for {
			conn, err := lis.Accept()
			if err != nil {
				return
			}
			conns.Go(func() {
				script(&peer{Conn: conn, scripted: s, br: bufio.NewReader(conn), n: s.conns.Add(1)})
				_ = conn.Close()
			})
		}
	})
	t.Cleanup(func() { close(s.over); _ = lis.Close(); conns.Wait() })
	return s
}

// request reads a whole request; false when there is none.
func (p *peer) request() bool {
	r, err := http.ReadRequest(p.br)
	if err != nil {
		return false
	}
	p.requests.Add(1)
	_, err = io.Copy(io.Discard, r.Body)
	return err == nil
}

func (p *peer) say(text string) { _, _ = io.WriteString(p, text) }

// reset ends the connection with a reset.
func (p *peer) reset() {
	if tcp, ok := p.Conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = p.Close()
}

// linger keeps the connection until the client closes it, or the test is over.
func (p *peer) linger() {
	gone := make(chan struct{})
	go func() { defer close(gone); _, _ = io.Copy(io.Discard, p.br) }()
	select {
	case <-gone:
		p.left <- struct{}{}
	case <-p.over:
		_ = p.Close()
		<-gone
	}
}

// always answers each request with the same text.
func always(text string) func(*peer) {
	return func(p *peer) {
		for p.request() {
			p.say(text)
		}
	}
}

// one answers one request, in its own way, and ends the connection.
func one(text string) func(*peer) {
	return func(p *peer) {
		if p.request() {
			p.say(text)
		}
	}
}

// stuck answers one request with a text that is not the end, and waits.
func stuck(text string) func(*peer) {
	return func(p *peer) {
		if p.request() {
			p.say(text)
		}
		p.linger()
	}
}

// reset answers one request with a text that is not the end, and resets.
func reset(text string) func(*peer) {
	return func(p *peer) {
		if !p.request() {
			return
		}
		p.say(text)
		// A reset overtakes what the client has not read yet.
		settle()
		p.reset()
	}
}

// settle leaves the other side time for what it does by itself and cannot be
// seen to have done. A test that relies on it fails towards failure.
func settle() { time.Sleep(50 * time.Millisecond) }

// unaccepted is an address at which connections are neither made nor refused:
// its backlog is full.
func unaccepted(t testing.TB) string {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Close(fd) })
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	port := name.(*syscall.SockaddrInet4).Port
	addr := (&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port}).String()
	for range 10 {
		conn, err := net.DialTimeout("tcp", addr, 300*time.Millisecond)
		if err != nil {
			return addr
		}
		t.Cleanup(func() { _ = conn.Close() })
	}
	t.Fatal("the backlog is never full")
	return ""
}

// inTurn runs n calls of a spec, one after the other, with something between.
func inTurn(t *testing.T, spec Spec, n int, env Env, between func()) []evidence.Sample {
	t.Helper()
	spec.Name, spec.Clients = "l", 1
	env.Clock, env.End = evidence.NewClock(), time.Minute
	engine, err := spec.Engine(env)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	got := &pausing{collector: &collector{}, n: n, between: between, stop: cancel}
	if err := engine.Run(ctx, 0, unpaced{}, got); err != nil {
		t.Fatal(err)
	}
	return got.sorted()
}

// pausing is a sink that holds the client up between two calls, and cancels
// the run after the last.
type pausing struct {
	*collector
	n       int
	between func()
	stop    func()
}

func (p *pausing) Sample(s evidence.Sample) {
	p.collector.Sample(s)
	switch {
	case p.count() >= p.n:
		p.stop()
	case p.between != nil:
		p.between()
	}
}

package load

import (
	"context"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"

	"ordeal/runner/evidence"
)

// fast makes HTTP/1.1 calls in the goroutine that asks for them, where net/http
// takes two more for each connection. Connections are kept by fasthttp's
// HostClient, and answers are read with its header parser. What fasthttp does
// around that is not used, because it makes calls twice, stops at headers of a
// few KiB, buffers bodies whole, notices a closed connection only by sending on
// it, and cannot be interrupted.
type fast struct {
	connect
	requests *requests
	hosts    []*fastHost // one for each address
	stop     func() bool // ends the wait for the end of the run

	interrupted atomic.Bool
	mu          sync.Mutex
	conns       map[*fastConn]struct{} // all that are open
}

// fastHost is one address of the target.
type fastHost struct {
	fasthttp.HostClient
	name string // as it is written in a URL
}

func newFast(c connect, requests *requests, workers int) *fast {
	f := &fast{connect: c, requests: requests, conns: make(map[*fastConn]struct{})}
	for n, base := range requests.bases {
		if w, err := requests.wire(uint64(n)); err == nil { // ahead of the first call; what is wrong is told to it
			w.free()
		}
		host := &fastHost{name: base.Host}
		host.Addr = dialAddr(base)
		host.MaxConns = workers
		host.ConnPoolStrategy = fasthttp.LIFO
		host.DialTimeout = func(addr string, timeout time.Duration) (net.Conn, error) {
			return f.dial(base, addr, time.Now().Add(timeout))
		}
		f.hosts = append(f.hosts, host)
	}
	f.stop = context.AfterFunc(c.run, f.interrupt)
	return f
}

// dialAddr is host:port of a URL.
func dialAddr(u *url.URL) string {
	if u.Port() != "" {
		return u.Host
	}
	return net.JoinHostPort(u.Hostname(), map[string]string{"http": "80", "https": "443"}[u.Scheme])
}

// call implements httpTransport.
func (f *fast) call(c *httpCaller, s *evidence.Sample) {
	w, err := f.requests.wire(s.Seq)
	c.stamp(s)
	if err != nil {
		return
	}
	host := f.hosts[s.Seq%uint64(len(f.hosts))]
	for {
		// true: no goroutine of fasthttp's that closes idle connections. It could not
		// be ended with the run.
		kept, err := host.AcquireConn(f.timeout, true)
		if err != nil {
			s.Class = classify(err)
			break
		}
		conn := kept.Conn().(*fastConn)
		if conn.closed(s.Sent) {
			host.CloseConn(kept) // none of this call's business
			continue
		}
		if conn.exchange(c, w, s) {
			host.ReleaseConn(kept)
		} else {
			host.CloseConn(kept)
		}
		break
	}
	w.free()
}

// dial makes a connection, with the TLS handshake where the address asks for it.
func (f *fast) dial(base *url.URL, addr string, deadline time.Time) (net.Conn, error) {
	dialer := net.Dialer{Deadline: deadline, KeepAlive: keepAlive}
	tcp, err := dialer.DialContext(f.run, "tcp", addr)
	if err != nil {
		return nil, err
	}
	conn := newFastConn(f, base.Host, tcp)
	f.mu.Lock()
	f.conns[conn] = struct{}{}
	f.mu.Unlock()
	if base.Scheme == "https" {
		if err := conn.handshake(base.Hostname(), deadline); err != nil {
			_ = conn.Close()
			return nil, err
		}
	}
	return conn, nil
}

// interrupt ends the calls in flight.
func (f *fast) interrupt() {
	f.interrupted.Store(true) // for those that are about to set a deadline
	f.mu.Lock()
	defer f.mu.Unlock()
	for conn := range f.conns {
		_ = conn.tcp.SetDeadline(time.Unix(1, 0))
	}
}

// begin sets the deadline of a call on its connection.
func (f *fast) begin(conn *fastConn, deadline time.Time) error {
	if err := conn.SetDeadline(deadline); err != nil {
		return err
	}
	if f.interrupted.Load() {
		return context.Canceled
	}
	return nil
}

// close implements httpTransport.
func (f *fast) close() {
	f.stop()
	for _, host := range f.hosts {
		host.CloseIdleConnections()
	}
}

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
// HostClient. What else fasthttp has is not used, because it makes calls twice,
// stops at headers of a few KiB, buffers bodies whole, notices a closed connection
// only by sending on it, and cannot be interrupted.
type fast struct {
	connect
	requests *requests
	hosts    atomic.Pointer[[]*fastHost] // one for each place; never changed: replaced by another list
	stop     func() bool                 // ends the wait for the end of the run
	unfollow func()

	interrupted atomic.Bool
	mu          sync.Mutex
	conns       map[*fastConn]struct{} // all that are open
}

// fastHost is one place, with the connections to it.
type fastHost struct {
	fasthttp.HostClient
	place *place
	gone  atomic.Bool // no call goes there any more
}

func newFast(c connect, requests *requests, members Members, workers int) *fast {
	f := &fast{connect: c, requests: requests, conns: make(map[*fastConn]struct{})}
	known := map[*place]*fastHost{}
	f.unfollow = requests.follow(members, func(places []*place) {
		hosts, next := make([]*fastHost, len(places)), make(map[*place]*fastHost, len(places))
		for i, p := range places {
			host := known[p]
			if host == nil {
				host = f.host(p, workers)
			}
			hosts[i], next[p] = host, host
		}
		f.hosts.Store(&hosts)
		for p, host := range known {
			if next[p] == nil {
				host.leave()
			}
		}
		known = next
	})
	f.stop = context.AfterFunc(c.run, f.interrupt)
	return f
}

// host makes ready for calls to a place.
func (f *fast) host(p *place, workers int) *fastHost {
	if w, err := f.requests.wire(0, p); err == nil { // ahead of the first call; what is wrong is told to it
		w.free()
	}
	host := &fastHost{place: p}
	host.Addr = dialAddr(p.base)
	host.MaxConns = workers
	host.ConnPoolStrategy = fasthttp.LIFO
	host.DialTimeout = func(addr string, timeout time.Duration) (net.Conn, error) {
		return f.dial(p, addr, time.Now().Add(timeout))
	}
	return host
}

// leave closes the connections that no call is on; those with a call are closed
// when it has ended.
func (h *fastHost) leave() {
	h.gone.Store(true)
	h.CloseIdleConnections()
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
	hosts := *f.hosts.Load()
	if len(hosts) == 0 {
		c.nowhere(s)
		return
	}
	host := hosts[s.Seq%uint64(len(hosts))]
	w, err := f.requests.wire(s.Seq, host.place)
	c.stamp(s)
	if err != nil {
		return
	}
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
			if host.gone.Load() {
				host.CloseIdleConnections()
			}
		} else {
			host.CloseConn(kept)
		}
		break
	}
	w.free()
}

// dial makes a connection, with the TLS handshake where the address asks for it.
func (f *fast) dial(to *place, addr string, deadline time.Time) (net.Conn, error) {
	dialer := net.Dialer{Deadline: deadline, KeepAlive: keepAlive}
	tcp, err := dialer.DialContext(f.run, "tcp", addr)
	if err != nil {
		return nil, err
	}
	conn := newFastConn(f, to.name, tcp)
	f.mu.Lock()
	f.conns[conn] = struct{}{}
	f.mu.Unlock()
	if to.base.Scheme == "https" {
		if err := conn.handshake(to.base.Hostname(), deadline); err != nil {
			_ = conn.Close()
			return nil, err
		}
	}
	return conn, nil
}

// interrupt ends the calls in flight.
func (f *fast) interrupt() {
	f.interrupted.Store(true) // for those that are about to begin, or end a handshake
	f.mu.Lock()
	defer f.mu.Unlock()
	for conn := range f.conns {
		_ = conn.tcp.SetDeadline(time.Unix(1, 0))
	}
}

// close implements httpTransport.
func (f *fast) close() {
	f.stop()
	f.unfollow()
	for _, host := range *f.hosts.Load() {
		host.CloseIdleConnections()
	}
}

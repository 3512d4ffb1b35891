package services

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"
)

// dialWithin bounds the wait for a Pod to take a connection.
const dialWithin = 5 * time.Second

// front listens on a port of a Service.
type front struct {
	listener *net.TCPListener

	mu       sync.Mutex
	backends []netip.AddrPort
	turn     int // of the next connection
	conns    map[net.Conn]bool
}

func (p *proxy) open(addr netip.AddrPort, backends []netip.AddrPort) (*front, error) {
	l, err := net.ListenTCP("tcp4", net.TCPAddrFromAddrPort(addr))
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	f := &front{listener: l, backends: backends, conns: map[net.Conn]bool{}}
	p.wg.Go(func() {
		for {
			conn, err := l.AcceptTCP()
			if err != nil {
				return // it was closed
			}
			p.wg.Go(func() { f.serve(conn) })
		}
	})
	return f, nil
}

// set changes what is behind the front. Connections that are open stay where they are, as with kube-proxy.
func (f *front) set(backends []netip.AddrPort) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.backends = backends
}

// close refuses further connections.
func (f *front) close() { _ = f.listener.Close() } // nothing is lost with it

// drop ends all connections.
func (f *front) drop() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for c := range f.conns {
		_ = c.Close()
	}
	f.conns = nil
}

// pick gives the next address in turn.
func (f *front) pick() netip.AddrPort {
	f.mu.Lock()
	defer f.mu.Unlock()
	addr := f.backends[f.turn%len(f.backends)]
	f.turn++
	return addr
}

// keep notes an open connection, and reports whether there may be any.
func (f *front) keep(c net.Conn) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.conns == nil {
		return false
	}
	f.conns[c] = true
	return true
}

func (f *front) forget(c net.Conn) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.conns, c)
}

// serve hands a connection to one Pod. It is reset if that Pod does not take it: another one is not tried, since a
// Service does not either, and a Pod that says it is ready when it is not must be seen.
func (f *front) serve(client *net.TCPConn) {
	defer client.Close() //nolint:errcheck // both ways have ended
	conn, err := net.DialTimeout("tcp4", f.pick().String(), dialWithin)
	if err != nil {
		_ = client.SetLinger(0) // a reset, not an end
		return
	}
	pod := conn.(*net.TCPConn)
	defer pod.Close() //nolint:errcheck // likewise
	if !f.keep(client) || !f.keep(pod) {
		return
	}
	defer f.forget(client)
	defer f.forget(pod)
	var back sync.WaitGroup
	back.Go(func() { pipe(client, pod) })
	pipe(pod, client)
	back.Wait()
}

// pipe copies until from ends, and ends to then; a reset is passed on as one.
func pipe(to, from *net.TCPConn) {
	if _, err := io.Copy(to, from); err != nil {
		_ = to.SetLinger(0)
		_ = to.Close()
		_ = from.Close()
		return
	}
	_ = to.CloseWrite()
}

package chaos

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"syscall"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/Shopify/toxiproxy/v2/stream"
	"github.com/rs/zerolog"
)

// endpoint is a link's port for one upstream: a proxy of Toxiproxy with the
// programmable toxic in both directions, behind a listener of our own. Why the
// listener is not Toxiproxy's is said in docs/decisions/010.
type endpoint struct {
	link     *Link
	addr     string
	upstream string
	server   *toxiproxy.ApiServer
	proxy    *toxiproxy.Proxy
	hold     *portHold

	start    sync.Mutex  // one connection is started at a time
	starting *connection // the one that is

	mu       sync.Mutex
	closed   bool
	listener net.Listener  // nil while the port is closed
	idle     chan struct{} // closed when the accept loop of listener has ended
}

// newEndpoint makes the endpoint for an upstream. Its port is not open yet.
func newEndpoint(l *Link, n int, upstream string) (*endpoint, error) {
	hold, err := holdPort()
	if err != nil {
		return nil, fmt.Errorf("reserve a port: %w", err)
	}
	e := &endpoint{link: l, addr: hold.addr, upstream: upstream, hold: hold}
	e.server = toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	e.proxy = toxiproxy.NewProxy(e.server, l.spec.Name+"/"+strconv.Itoa(n+1), e.addr, upstream)
	if err := install(e.proxy, e); err != nil {
		return nil, errors.Join(err, hold.release())
	}
	return e, nil
}

// open listens on the endpoint's port. The port is held for it while closed,
// but a listener that has just closed may take a moment to let go of it.
func (e *endpoint) open(ctx context.Context) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed || e.listener != nil {
		return nil
	}
	config := net.ListenConfig{Control: sharePort}
	for {
		ln, err := config.Listen(context.WithoutCancel(ctx), "tcp", e.addr)
		if err == nil {
			e.listener, e.idle = ln, make(chan struct{})
			e.link.work.Add(1)
			go e.accept(ln, e.idle)
			return nil
		}
		if !errors.Is(err, syscall.EADDRINUSE) {
			return fmt.Errorf("open port %s: %w", e.addr, err)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("open port %s: %w", e.addr, err)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// closePort stops listening: new connections are refused, standing ones stay.
func (e *endpoint) closePort() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.stopListening()
}

func (e *endpoint) stopListening() {
	if e.listener == nil {
		return
	}
	_ = e.listener.Close() // a listener that fails to close is closed all the same
	<-e.idle               // the port is closed only when nothing waits on it
	e.listener = nil
}

// close closes the port for good.
func (e *endpoint) close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return
	}
	e.closed = true
	e.stopListening()
	_ = e.hold.release() // a descriptor that fails to close is closed all the same
}

// accept takes connections until the listener is closed.
func (e *endpoint) accept(ln net.Listener, idle chan<- struct{}) {
	defer e.link.work.Done()
	defer close(idle)
	for {
		conn, err := ln.Accept()
		switch {
		case err == nil:
			index := uint64(e.link.accepted.Add(1) - 1)
			e.link.work.Add(1)
			go e.connect(conn.(*net.TCPConn), index)
		case errors.Is(err, net.ErrClosed):
			return
		default: // out of descriptors, or a caller that is gone already
			time.Sleep(5 * time.Millisecond)
		}
	}
}

// connect makes the way from a caller to the upstream. An upstream that takes
// no connection shows as a reset, for the caller is connected already.
func (e *endpoint) connect(client *net.TCPConn, index uint64) {
	defer e.link.work.Done()
	server, err := dial(e.link.life, e.upstream)
	if err != nil {
		_ = client.SetLinger(0) // it is closed in any case
		_ = client.Close()
		return
	}
	c := newConnection(e.link, index, client, server)
	if !e.link.add(c) {
		c.shut()
		return
	}
	e.carry(c)
}

// carry hands the connection to Toxiproxy, as its own accept loop would.
func (e *endpoint) carry(c *connection) {
	e.start.Lock()
	defer e.start.Unlock()
	e.starting = c
	name := strconv.FormatUint(c.index, 10)
	e.proxy.Toxics.StartLink(e.server, name+"upstream", c.client, c.server, stream.Upstream)
	e.proxy.Toxics.StartLink(e.server, name+"downstream", c.server, c.client, stream.Downstream)
	e.starting = nil
}

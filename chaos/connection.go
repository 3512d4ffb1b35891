package chaos

import (
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// orphanTime is how long a connection may stand silent with one end closed: as
// long as the kernel keeps such a one (tcp_fin_timeout).
const orphanTime = time.Minute

// connection is one connection through a link: two sockets and two flows. It
// ends when both directions have ended, or when it is closed or aborted.
type connection struct {
	link     *Link
	index    uint64 // in the order of acceptance on the link
	opened   time.Time
	client   *socket
	server   *socket
	up, down *flow

	gone   chan struct{} // closed with the sockets
	once   sync.Once
	parts  atomic.Int32 // flows and writers still at work
	writes atomic.Int32 // directions not yet written to their end

	mu      sync.Mutex
	watch   *time.Timer // runs from the end of the first direction
	seen    int64       // progress when watch last looked
	silent  time.Duration
	over    bool
	touched []*acting
}

func newConnection(l *Link, index uint64, client, server *net.TCPConn) *connection {
	c := &connection{link: l, index: index, opened: time.Now(), gone: make(chan struct{})}
	c.up, c.down = &flow{conn: c, way: up}, &flow{conn: c, way: down}
	c.client = &socket{tcp: client, conn: c, drains: c.down}
	c.server = &socket{tcp: server, conn: c, drains: c.up}
	c.parts.Store(4)
	c.writes.Store(2)
	return c
}

// abort breaks the connection: both ends see a reset, and what was under way
// is lost.
func (c *connection) abort() {
	c.once.Do(func() {
		_ = c.client.tcp.SetLinger(0) // a socket that is closed already needs no reset
		_ = c.server.tcp.SetLinger(0)
		c.closeSockets()
	})
}

// shut closes the connection: both ends see the end of their stream.
func (c *connection) shut() { c.once.Do(c.closeSockets) }

func (c *connection) closeSockets() {
	_ = c.client.tcp.Close() // nothing can be done about it, and nothing is lost
	_ = c.server.tcp.Close()
	close(c.gone)
}

func (c *connection) isGone() bool {
	select {
	case <-c.gone:
		return true
	default:
		return false
	}
}

// part notes that a flow or a writer has ended; the last one takes the
// connection off the books.
func (c *connection) part() {
	if c.parts.Add(-1) > 0 {
		return
	}
	c.shut()
	c.mu.Lock()
	c.over = true
	if c.watch != nil {
		c.watch.Stop()
	}
	c.mu.Unlock()
	c.link.remove(c)
}

// sourceEnded notes that one end will send no more, and looks after the rest:
// the other direction may go on, but not for ever.
func (c *connection) sourceEnded() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.watch == nil && !c.over {
		c.seen = c.progress()
		c.watch = time.AfterFunc(c.link.giveUpAfter, c.look)
	}
}

// look gives the connection up if a fault keeps the close of one end to
// itself, or holds bytes for that end and none get through; and closes it in
// any case once it has been silent for orphanTime.
func (c *connection) look() {
	if c.up.swallowedEnd.Load() || c.down.swallowedEnd.Load() {
		c.giveUp()
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over {
		return
	}
	now := c.progress()
	switch starved := c.up.starved() || c.down.starved(); {
	case now != c.seen:
		c.seen, c.silent = now, 0
	case starved:
		c.giveUp()
	case c.up.faulted.Load() || c.down.faulted.Load():
	default:
		if c.silent += c.link.giveUpAfter; c.silent >= orphanTime {
			c.abort()
		}
	}
	c.watch.Reset(c.link.giveUpAfter)
}

func (c *connection) progress() int64 { return c.up.gave.Load() + c.down.gave.Load() }

// giveUp closes a connection that cannot be drained, and counts it.
func (c *connection) giveUp() {
	if !c.isGone() {
		c.link.gaveUp.Add(1)
		c.abort()
	}
}

// firstTouch is true once for each injection.
func (c *connection) firstTouch(a *acting) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, b := range c.touched {
		if a == b {
			return false
		}
	}
	c.touched = append(c.touched, a)
	return true
}

// socket is one end of a connection as Toxiproxy sees it: it reads from the
// source of one flow and writes to the reader of the other. The connection is
// a field, not embedded, for its WriteTo and ReadFrom would bypass Read and
// Write.
type socket struct {
	tcp    *net.TCPConn
	conn   *connection
	drains *flow // the flow that is written to here
	broken atomic.Bool
}

// Read notes a stream that broke, as against one that ended.
func (s *socket) Read(b []byte) (int, error) {
	n, err := s.tcp.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		s.broken.Store(true)
		err = io.EOF
	}
	return n, err
}

// Write breaks the connection if its reader is gone.
func (s *socket) Write(b []byte) (int, error) {
	n, err := s.tcp.Write(b)
	if err != nil {
		s.conn.abort()
	}
	return n, err
}

// Close is called by Toxiproxy once a direction is written to its end. It
// passes on how that direction ended: an end of stream closes this direction
// alone, a break breaks the connection.
func (s *socket) Close() error {
	c := s.conn
	source := c.client
	if s == c.client {
		source = c.server
	}
	switch {
	case source.broken.Load():
		c.abort()
	case s.drains.cut.Load():
		c.shut()
	case c.writes.Add(-1) == 0:
		c.shut()
	default:
		_ = s.tcp.CloseWrite() // fails only on a connection that is closed already
	}
	c.part()
	return nil
}

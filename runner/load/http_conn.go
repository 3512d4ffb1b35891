package load

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"syscall"
	"time"

	"ordeal/runner/evidence"
)

// fastConn is a connection with all that a call on it needs.
type fastConn struct {
	net.Conn // tcp, or TLS over it
	owner    *fast
	host     string
	tcp      net.Conn
	raw      syscall.RawConn // of tcp
	br       *bufio.Reader
	used     time.Duration // when the last call on it ended; 0 for none
	rest     idle
	deadline *deadline
}

// restful is how long a connection may have been idle without a look at whether
// the target has closed it since.
const restful = time.Millisecond

func newFastConn(owner *fast, host string, tcp net.Conn) *fastConn {
	c := &fastConn{Conn: tcp, owner: owner, host: host, tcp: tcp, deadline: newDeadline(owner.clock, tcp)}
	if sc, ok := tcp.(syscall.Conn); ok {
		c.raw, _ = sc.SyscallConn()
	}
	c.rest.init()
	c.br = bufio.NewReaderSize(c, 4096)
	return c
}

// handshake puts TLS on the connection.
func (c *fastConn) handshake(host string, deadline time.Time) error {
	config := c.owner.tls.Clone()
	if config.ServerName == "" {
		config.ServerName = host
	}
	config.NextProtos = []string{"http/1.1"}
	if err := c.tcp.SetDeadline(deadline); err != nil {
		return err
	}
	if c.owner.interrupted.Load() {
		return context.Canceled
	}
	conn := tls.Client(c.tcp, config)
	if err := conn.HandshakeContext(c.owner.run); err != nil {
		return fmt.Errorf("TLS handshake: %w", err)
	}
	c.Conn = conn
	return c.tcp.SetDeadline(time.Time{})
}

// Close implements net.Conn.
func (c *fastConn) Close() error {
	c.owner.mu.Lock()
	delete(c.owner.conns, c)
	c.owner.mu.Unlock()
	c.deadline.stop()
	return c.Conn.Close()
}

// closed reports whether the target has closed the connection while no call
// was on it, or has said something that nobody asked for.
func (c *fastConn) closed(now time.Duration) bool {
	return c.used > 0 && now-c.used > restful && c.raw != nil && c.rest.ended(c.raw)
}

// exchange sends the request and reads the answer, and reports whether the
// connection is good for another call.
func (c *fastConn) exchange(caller *httpCaller, w *wire, s *evidence.Sample) (keep bool) {
	c.deadline.begin(s.Sent + c.owner.timeout)
	err := context.Canceled
	if !c.owner.interrupted.Load() {
		keep, err = c.answer(caller, w, s)
	}
	if s.Done == 0 { // before the connection is given back or closed, which is no part of the call
		s.Done = caller.env.Clock.Now()
	}
	inTime := c.deadline.end()
	if err != nil {
		s.Class = classify(err)
		return false
	}
	c.used = s.Done
	return keep && inTime
}

// early is the size from which on a request is sent while the answer is waited
// for: a target may answer before it has read all, and then not read on.
const early = 16 << 10

func (c *fastConn) answer(caller *httpCaller, w *wire, s *evidence.Sample) (keep bool, err error) {
	if len(w.bytes) < early {
		if _, err := c.Write(w.bytes); err != nil {
			return false, err
		}
		return c.read(caller, w, s)
	}
	sent := make(chan bool, 1) // whether all of it is
	go func() {
		_, err := c.Write(w.bytes)
		sent <- err == nil
	}()
	keep, err = c.read(caller, w, s)
	s.Done = caller.env.Clock.Now()
	if err == nil { // mostly, all is sent, and the other goroutine has still to say so
		timer := time.NewTimer(lastWords)
		defer timer.Stop()
		select {
		case all := <-sent:
			return keep && all, nil
		case <-timer.C: // answered before all was sent
		}
	}
	// The bytes are free to be used again when the write has ended.
	_ = c.tcp.SetWriteDeadline(time.Unix(1, 0))
	<-sent
	return false, err
}

// lastWords is how long a request may be still on its way when its answer has
// come, for its connection to be used again: as long as in net/http.
const lastWords = 50 * time.Millisecond

// read reads the answer.
func (c *fastConn) read(caller *httpCaller, w *wire, s *evidence.Sample) (keep bool, err error) {
	br, head, err := readHead(c.br, w.method)
	if err != nil {
		return false, err
	}
	s.Code, s.Class = head.code, classOf(head.code)
	caller.answered(s, head.servedBy, head.degraded, c.host)
	if s.Bytes, err = readBody(br, head.length); err != nil {
		return false, err
	}
	// What comes after the answer was not asked for.
	return !head.closes && !w.closes && br.Buffered() == 0 && c.br.Buffered() == 0, nil
}

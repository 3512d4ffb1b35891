package load

import (
	"net"
	"testing"
	"time"

	"ordeal/runner/evidence"
)

// closingConn tells when it is closed.
type closingConn struct {
	net.Conn
	onClose func()
}

func (c closingConn) Close() error {
	c.onClose()
	return c.Conn.Close()
}

// TestEndOfACallIsThatOfItsAnswer: what becomes of the connection is no part of
// the call.
func TestEndOfACallIsThatOfItsAnswer(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]string{
		"closed": "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
		"failed": "this is not HTTP\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := newScripted(t, listen(t), func(p *peer) {
				p.request()
				p.say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
				always(answer)(p)
			})
			spec := get("/")
			spec.Clients, spec.Timeout, spec.HTTP.Transport = 1, 20*time.Second, Fast
			clock := evidence.NewClock()
			engine, err := newHTTPEngine(&spec, Env{Addrs: []string{server.addr}, Clock: clock, End: time.Hour})
			if err != nil {
				t.Fatal(err)
			}
			transport := engine.transport(t.Context()).(*fast)
			defer transport.close()
			pace := newPacer(t.Context(), &spec, engine.env, 0, unpaced{})
			defer pace.close()
			caller := newHTTPCaller(engine.env, &collector{}, transport, pace)
			var first, second evidence.Sample
			transport.call(caller, &first)
			if first.Class != evidence.OK || len(transport.conns) != 1 {
				t.Fatalf("%+v, with %d connections", first, len(transport.conns))
			}
			var closed time.Duration
			for conn := range transport.conns {
				conn.Conn = closingConn{conn.Conn, func() { closed = clock.Now() }}
			}
			transport.call(caller, &second)
			if closed == 0 || second.Done == 0 || second.Done > closed || second.Done < second.Sent {
				t.Errorf("sent at %v, done at %v, and the connection closed at %v", second.Sent, second.Done, closed)
			}
		})
	}
}

package load

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"

	"ordeal/runner/evidence"
)

// connect is how connections to the target are made.
type connect struct {
	run     context.Context // every connection ends with it
	timeout time.Duration   // of a call, and of all that is a part of it
	tls     *tls.Config
	clock   evidence.Clock
}

// standard makes calls with net/http.
type standard struct {
	connect
	requests *requests
	places   atomic.Pointer[[]*place] // never changed: replaced by another list
	http     *http.Transport
	unfollow func()
}

func newStandard(c connect, requests *requests, members Members, workers int) *standard {
	t := &standard{connect: c, requests: requests, http: newTransport(c, workers)}
	t.unfollow = requests.follow(members, func(places []*place) { t.places.Store(&places) })
	return t
}

// newTransport is net/http's transport without what makes a run depend on its
// surroundings: no proxy from the environment, no transparent gzip, and as many
// idle connections kept, as long as the target keeps them, as there can be calls.
func newTransport(c connect, workers int) *http.Transport {
	dialer := &net.Dialer{Timeout: c.timeout, KeepAlive: keepAlive}
	return &http.Transport{
		Proxy: nil,
		DialContext: func(call context.Context, network, addr string) (conn net.Conn, err error) {
			err = whileRunning(c.run, call, func(dial context.Context) error {
				conn, err = dialer.DialContext(dial, network, addr)
				return err
			})
			if err != nil {
				return nil, err
			}
			return &heard{Conn: conn}, nil
		},
		TLSClientConfig:     c.tls.Clone(),
		ForceAttemptHTTP2:   true, // net/http does not by itself, where it does not dial by itself
		MaxIdleConnsPerHost: workers,
		TLSHandshakeTimeout: c.timeout,
		DisableCompression:  true,
	}
}

// keepAlive is how often the kernel asks whether an idle peer is there.
const keepAlive = 30 * time.Second

// whileRunning calls dial with a context that ends with the run as well as with
// the call's own: net/http lets a dial outlive the call that asked for it, but
// it must not outlive the run.
func whileRunning(run, call context.Context, dial func(context.Context) error) error {
	if err := run.Err(); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(call)
	defer cancel()
	defer context.AfterFunc(run, cancel)()
	return dial(ctx)
}

// call implements httpTransport.
func (t *standard) call(c *httpCaller, s *evidence.Sample) {
	places := *t.places.Load()
	if len(places) == 0 {
		c.nowhere(s)
		return
	}
	to := places[s.Seq%uint64(len(places))]
	ctx, cancel := context.WithTimeout(t.run, t.timeout)
	defer cancel()
	once := &once{cancel: cancel}
	req, err := t.requests.make(once.trace(ctx), s.Seq, to)
	c.stamp(s)
	if err != nil {
		return
	}
	res, err := t.http.RoundTrip(req)
	switch {
	case once.again:
		s.Class = evidence.Reset
		if err == nil { // it came from the cancelled second attempt
			_ = res.Body.Close()
		}
		return
	case err != nil:
		s.Class = once.classify(err)
		return
	}
	s.Code, s.Class = res.StatusCode, classOf(res.StatusCode)
	if res.StatusCode != http.StatusSwitchingProtocols { // its body is the connection
		if s.Bytes, err = io.Copy(io.Discard, res.Body); err != nil {
			s.Class = once.classify(err)
		}
	}
	_ = res.Body.Close()
	c.answered(s, []byte(res.Header.Get("X-Served-By")), []byte(res.Header.Get("X-Degraded")), to.name)
}

// close implements httpTransport.
func (t *standard) close() {
	t.unfollow()
	t.http.CloseIdleConnections()
}

// once keeps net/http from making a call twice. When a kept connection breaks
// under a GET, net/http makes another attempt and says nothing: the reset would
// be hidden, and the target called twice for one sample.
type once struct {
	cancel context.CancelFunc
	tried  bool // an attempt has had a connection; of HTTP/1, because with HTTP/2 the server says what it has not seen
	again  bool // a second one was asked for
	conn   net.Conn
}

// classify classifies an error of the call. What ends in the middle of a header
// or a trailer is malformed to net/http; to the one who measures, the connection
// has ended.
func (o *once) classify(err error) evidence.Class {
	class := classify(err)
	conn := o.conn
	if over, ok := conn.(*tls.Conn); ok {
		conn = over.NetConn()
	}
	if heard, ok := conn.(*heard); ok && class == evidence.Other {
		if end := heard.end.Load(); end != nil {
			return classify(*end)
		}
	}
	return class
}

// heard is a connection that remembers how reading from it ended.
type heard struct {
	net.Conn
	end atomic.Pointer[error]
}

// Read implements net.Conn.
func (h *heard) Read(b []byte) (int, error) {
	n, err := h.Conn.Read(b)
	if err != nil {
		end := err // err itself would be on the heap in every call
		h.end.Store(&end)
	}
	return n, err
}

// trace gives the context of a call that listens to net/http's attempts. They
// are made one after the other, by the caller of RoundTrip.
func (o *once) trace(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) {
			if o.tried {
				o.again = true
				o.cancel()
			}
		},
		GotConn: func(info httptrace.GotConnInfo) {
			conn, ok := info.Conn.(*tls.Conn)
			o.tried = !ok || conn.ConnectionState().NegotiatedProtocol != "h2"
			o.conn = info.Conn
			if o.again {
				_ = info.Conn.Close() // a cancelled request can still be written
			}
		},
	})
}

package load

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"ordeal/runner/evidence"
)

// trickleEngine is a crowd of slow clients.
type trickleEngine struct {
	spec *Spec
	env  Env
	dial []Member // those that were there before the run

	members atomic.Pointer[[]Member] // those that are there
}

func newTrickleEngine(spec *Spec, env Env) (*trickleEngine, error) {
	e := &trickleEngine{spec: spec, env: env}
	for _, addr := range env.Addrs {
		u, err := baseURL(addr)
		if err != nil {
			return nil, err
		}
		if u.Scheme != "http" || u.Port() == "" {
			return nil, fmt.Errorf("address %q: a slow client speaks plain http, and needs a port", addr)
		}
		e.dial = append(e.dial, Member{Addr: u.Host})
	}
	return e, nil
}

// Run implements Engine.
func (e *trickleEngine) Run(ctx context.Context, start time.Duration, s Schedule, out evidence.Sink) error {
	var members Members = fixedMembers(e.dial)
	if e.env.Members != nil {
		members = e.env.Members
	}
	defer members.Follow(func(now []Member) { e.members.Store(&now) })()
	calls, end := outlive(ctx)
	defer end()
	pace := newPacer(ctx, e.spec, e.env, start, s)
	defer pace.close()
	var clients sync.WaitGroup
	defer clients.Wait()
	for seq := uint64(0); ; seq++ {
		if _, stop := pace.Pace(0, seq); stop {
			return nil
		}
		clients.Go(func() {
			s := e.call(calls, pace, seq)
			out.Sample(s)
			pace.release(s.Class)
		})
	}
}

// call is one slow client, from its connection to its end.
func (e *trickleEngine) call(ctx context.Context, pace *pacer, seq uint64) evidence.Sample {
	members := *e.members.Load()
	var to Member
	if len(members) > 0 {
		to = members[seq%uint64(len(members))]
	}
	s := evidence.Sample{Load: e.env.Index, Seq: seq, Sent: e.env.Clock.Now(), Backend: to.name()}
	// After the send is stamped: a pause in between must not shorten the wait.
	ctx, cancel := context.WithTimeout(ctx, e.spec.timeout())
	defer cancel()
	s.Intended = pace.intended(seq, s.Sent)
	if to.Addr == "" { // there is nobody
		s.Class, s.Done = evidence.Refused, s.Sent
		return s
	}
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", to.Addr)
	if err != nil {
		s.Class = classify(err)
	} else {
		s.Class, s.Code = e.trickle(ctx, conn)
	}
	s.Done = e.env.Clock.Now()
	return s
}

// trickle sends a byte at a time until the far side has had enough, or ctx is
// done.
func (e *trickleEngine) trickle(ctx context.Context, conn net.Conn) (evidence.Class, int) {
	ended := make(chan struct{})
	var code int // of the answer, or
	var failure error
	go func() {
		defer close(ended)
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if failure = err; err == nil {
			code = res.StatusCode
			_ = res.Body.Close()
		}
	}()
	defer func() { _ = conn.Close() }()
	tick := time.NewTicker(e.spec.Trickle.every())
	defer tick.Stop()
	for at := 0; ; at++ {
		// A write that fails says that the connection is broken. What broke it,
		// the reader knows: an answer may lie before the end.
		_, _ = conn.Write([]byte{e.head(at, conn)})
		select {
		case <-tick.C:
		case <-ended:
			if failure == nil {
				return classOf(code), code
			}
			return classify(failure), 0
		case <-ctx.Done():
			_ = conn.Close()
			<-ended
			return evidence.Timeout, 0
		}
	}
}

// head is byte number at of the request: a request line, a host, and a header
// that never ends.
func (e *trickleEngine) head(at int, conn net.Conn) byte {
	head := "GET " + e.spec.Trickle.path() + " HTTP/1.1\r\nHost: " + conn.RemoteAddr().String() + "\r\nX-Slow: "
	if at < len(head) {
		return head[at]
	}
	return 'a'
}

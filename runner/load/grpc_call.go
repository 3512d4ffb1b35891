package load

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jhump/protoreflect/dynamic"
	"google.golang.org/grpc/balancer"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"ordeal/runner/evidence"
)

// grpcRun records the calls of one Run. Each call goes through issue, begin,
// any number of picks, and end.
type grpcRun struct {
	env      Env
	addrs    []string
	out      evidence.Sink
	pacer    *pacer
	timeout  time.Duration
	stream   streamBounds
	backends *labels

	mu      sync.Mutex
	calls   map[uint64]*grpcCall // in flight, by number
	records sync.WaitGroup       // one for each call in flight
}

// callKey is the metadata under which a call's number goes through ghz and
// gRPC to the picker. A name with a colon is reserved for HTTP/2 itself, so
// gRPC leaves it out when it writes the headers: the target never sees it.
const callKey = ":ordeal-call"

// issue makes call seq known. Its slot is taken already.
func (r *grpcRun) issue(seq uint64) {
	r.records.Add(1)
	r.mu.Lock()
	r.calls[seq] = &grpcCall{run: r, seq: seq}
	r.mu.Unlock()
}

// call gives call seq; nil when it is not in flight.
func (r *grpcRun) call(seq uint64) *grpcCall {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.calls[seq]
}

// callOf gives the call that a gRPC context belongs to, nil for none.
func (r *grpcRun) callOf(ctx context.Context) *grpcCall {
	md, _ := metadata.FromOutgoingContext(ctx)
	values := md[callKey]
	if len(values) == 0 {
		return nil
	}
	seq, err := strconv.ParseUint(values[0], 10, 64)
	if err != nil {
		return nil
	}
	return r.call(seq)
}

// sweep ends what is left when ghz has nothing in flight any more: calls whose
// context ended before gRPC asked for a connection for them. It returns when
// every call is recorded.
func (r *grpcRun) sweep() {
	r.mu.Lock()
	left := make([]*grpcCall, 0, len(r.calls))
	for _, c := range r.calls {
		left = append(left, c)
	}
	r.mu.Unlock()
	for _, c := range left {
		c.end()
	}
	r.records.Wait()
}

// grpcCall is one call in flight.
type grpcCall struct {
	run *grpcRun
	seq uint64

	message *dynamic.Message // of a call with one request message; set before the call is made

	mu       sync.Mutex
	ctx      context.Context // gRPC's own for the call, once it was seen
	sent     time.Duration
	backend  string
	received int           // messages, of a stream
	stopped  time.Duration // when our own bound on the stream was reached; 0 before
	outcome  *outcome      // of the last attempt; gRPC may make several
	ended    bool
}

// outcome is how an attempt ended.
type outcome struct {
	at    time.Duration
	class evidence.Class
	code  codes.Code
}

// begin is the moment at which the call is handed to gRPC.
func (c *grpcCall) begin() {
	c.mu.Lock()
	c.sent = c.run.env.Clock.Now()
	c.mu.Unlock()
}

// follow ends the call with its context. ghz cancels the context of every call
// that has returned, and gRPC that of every stream that is over, after it has
// told the picker.
func (c *grpcCall) follow(ctx context.Context) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ctx == nil {
		c.ctx = ctx
		context.AfterFunc(ctx, c.end)
	}
}

// done is closed when gRPC is through with the call.
func (c *grpcCall) done() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ctx == nil {
		return nil
	}
	return c.ctx.Done()
}

// refused notes that there was no connection to be had.
func (c *grpcCall) refused(err error) {
	o := &outcome{at: c.run.env.Clock.Now(), class: evidence.Refused, code: codes.Unavailable}
	if exhausted(err) {
		o.class = evidence.Other
	}
	if s, ok := status.FromError(err); ok {
		o.code = s.Code()
	}
	c.mu.Lock()
	c.outcome = o
	c.mu.Unlock()
}

// unmade records a call whose request could not be made.
func (c *grpcCall) unmade() {
	c.mu.Lock()
	c.outcome = &outcome{at: c.sent, class: evidence.Other}
	c.mu.Unlock()
	c.end()
}

// picked notes which backend the call goes to. An attempt before this one does
// not count any more.
func (c *grpcCall) picked(addr string) {
	c.mu.Lock()
	c.backend, c.outcome = addr, nil
	c.mu.Unlock()
}

// finished notes the end of an attempt.
func (c *grpcCall) finished(info balancer.DoneInfo) {
	if info.Err == nil && !info.BytesSent {
		return // the connection was gone before the call got to it: it is picked again
	}
	o := &outcome{at: c.run.env.Clock.Now()}
	o.class, o.code = classifyStatus(info.Err, info.BytesReceived)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.outcome = o
	if by := info.Trailer.Get("x-served-by"); len(by) > 0 {
		c.backend = c.run.backends.keep(by[0])
	}
}

// receive counts a message of the stream and reports whether it was the last
// that is wanted.
func (c *grpcCall) receive() (last bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.received++
	if want := c.run.stream.count; want > 0 && c.received >= want && c.stopped == 0 {
		c.stopped = c.run.env.Clock.Now()
		return true
	}
	return false
}

// end records the call, once, and gives its slot back.
func (c *grpcCall) end() {
	c.mu.Lock()
	if c.ended {
		c.mu.Unlock()
		return
	}
	c.ended = true
	s := c.sample()
	c.mu.Unlock()
	r := c.run
	r.mu.Lock()
	delete(r.calls, c.seq)
	r.mu.Unlock()
	r.out.Sample(s)
	r.pacer.release(s.Class)
	r.records.Done()
}

// sample is the call as it stands at its end.
func (c *grpcCall) sample() evidence.Sample {
	r := c.run
	s := evidence.Sample{Load: r.env.Index, Seq: c.seq, Sent: c.sent, Backend: c.backend}
	s.Intended = r.pacer.intended(c.seq, c.sent)
	o := c.outcome
	if o == nil {
		// Its time ran out, perhaps before it had a connection: nobody said how it went.
		o = &outcome{at: min(r.env.Clock.Now(), c.sent+r.timeout), class: evidence.Timeout, code: codes.DeadlineExceeded}
	}
	switch {
	case c.stopped > 0:
		o = &outcome{at: c.stopped} // ended by us, as planned
	case r.stream.deadline && o.class == evidence.Timeout && c.received > 0 && o.at-c.sent >= r.timeout-late:
		// A stream that was to be read for a time was read for that time. One that
		// brought nothing at all stays what it is: a call without an answer.
		o = &outcome{at: o.at}
	}
	s.Done, s.Class, s.Code = max(o.at, c.sent), o.class, int(o.code)
	return s
}

// classifyStatus puts what gRPC says of a call's end into the closed set.
// answered tells whether anything came back on the stream: without that, the
// status is gRPC's own word for a connection that broke. With that, a broken
// connection still has the same code as a server's own UNAVAILABLE, and can be
// told from it by the text only.
func classifyStatus(err error, answered bool) (evidence.Class, codes.Code) {
	s := status.Convert(err)
	switch {
	case s.Code() == codes.OK:
		return evidence.OK, codes.OK
	case s.Code() == codes.DeadlineExceeded:
		return evidence.Timeout, s.Code()
	case brokenTransport(s.Message()):
		return evidence.Reset, s.Code()
	case answered:
		return evidence.GRPCStatus, s.Code()
	case s.Code() == codes.Unavailable, s.Code() == codes.Canceled:
		return evidence.Reset, s.Code()
	}
	return evidence.Other, s.Code()
}

// brokenTransport knows grpc-go's texts for a connection or a stream that ended early.
func brokenTransport(message string) bool {
	for _, start := range []string{
		"error reading from server", "connection error", "transport is closing", "closing transport", "the connection is draining",
		"stream terminated by RST_STREAM", "server closed the stream without sending trailers", "unexpected EOF",
	} {
		if strings.HasPrefix(message, start) {
			return true
		}
	}
	return false
}

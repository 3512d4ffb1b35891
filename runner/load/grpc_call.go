package load

import (
	"context"
	"sync"
	"time"

	"google.golang.org/grpc/balancer"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"ordeal/runner/evidence"
)

// grpcCall is one call: it is begun, picked for a connection any number of
// times, and ended. The record of a call that ended in the plain way serves for
// the worker's next one.
type grpcCall struct {
	run  *grpcRun
	done func(balancer.DoneInfo) // finished, bound once

	mu      sync.Mutex
	seq     uint64
	ctx     context.Context // gRPC's own for the newest attempt; nil before the first
	sent    time.Duration
	begun   bool
	backend string
	outcome outcome // of the last attempt; gRPC may make several
	leashed bool    // ends with ctx: the record is not used again
	ended   bool
	flow    *flow // of a stream
}

// outcome is how an attempt ended.
type outcome struct {
	known bool
	at    time.Duration
	class evidence.Class
	code  codes.Code
}

func newGRPCCall(run *grpcRun, seq uint64) *grpcCall {
	c := &grpcCall{run: run, seq: seq}
	c.done = c.finished
	if run.stream.kind != noStream {
		c.flow = newFlow(c)
	}
	return c
}

// again makes the record that of call seq, where nobody refers to the call
// before it any more. ghz is through with that one.
func (c *grpcCall) again(seq uint64) bool {
	c.mu.Lock()
	leashed := c.leashed
	c.mu.Unlock()
	if leashed {
		return false
	}
	c.end() // in case that its time was over before gRPC asked for a connection
	if c.flow != nil {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seq, c.ctx, c.sent, c.begun, c.backend, c.outcome, c.ended = seq, nil, 0, false, "", outcome{}, false
	return true
}

// begin is the moment at which the call is handed to gRPC.
func (c *grpcCall) begin() {
	c.mu.Lock()
	c.sent, c.begun = c.run.env.Clock.Now(), true
	if c.flow != nil {
		c.flow.since = c.sent
	}
	c.mu.Unlock()
}

// leash ends the call with its context; c.mu is held. ghz cancels the context
// of every call that has returned, and gRPC that of every stream that is over,
// after it has told the picker. It is for calls of which the picker may hear no
// more; the others are spared the cost.
func (c *grpcCall) leash() {
	if c.leashed || c.ended {
		return
	}
	c.leashed = true
	c.run.waiting.Add(1)
	context.AfterFunc(c.ctx, func() {
		defer c.run.waiting.Done()
		c.end()
	})
}

// waits notes that the call waits for a connection.
func (c *grpcCall) waits(ctx context.Context) {
	c.mu.Lock()
	c.ctx = ctx
	c.leash()
	c.mu.Unlock()
}

// refused notes that there was no connection to be had.
func (c *grpcCall) refused(ctx context.Context, err error) {
	o := outcome{known: true, at: c.run.env.Clock.Now(), class: evidence.Refused, code: codes.Unavailable}
	if exhausted(err) {
		o.class = evidence.Other
	}
	if s, ok := status.FromError(err); ok {
		o.code = s.Code()
	}
	c.mu.Lock()
	c.ctx, c.outcome = ctx, o
	c.leash()
	c.mu.Unlock()
}

// unmade records a call whose request could not be made.
func (c *grpcCall) unmade() {
	c.mu.Lock()
	c.outcome = outcome{known: true, at: c.sent, class: evidence.Other}
	c.mu.Unlock()
	c.end()
}

// picked notes which backend the call goes to. An attempt before this one does
// not count any more.
func (c *grpcCall) picked(ctx context.Context, addr string) {
	c.mu.Lock()
	c.ctx, c.backend, c.outcome = ctx, addr, outcome{}
	c.mu.Unlock()
}

// finished notes the end of an attempt, and of the call where there cannot be
// another: gRPC makes one only for a call that nothing came back for.
func (c *grpcCall) finished(info balancer.DoneInfo) {
	now := c.run.env.Clock.Now()
	c.mu.Lock()
	if c.ended {
		c.mu.Unlock()
		return
	}
	if info.Err == nil && !info.BytesSent { // the connection was gone before the call got to it: it is picked again
		c.leash()
		c.mu.Unlock()
		return
	}
	c.outcome = c.run.judge(info, now)
	if by := info.Trailer["x-served-by"]; len(by) > 0 {
		c.backend = c.run.backends.keep(by[0])
	}
	if info.Err != nil && !info.BytesReceived && c.ctx.Err() == nil {
		c.leash()
		c.mu.Unlock()
		return
	}
	c.settle()
}

// expire ends a call that gRPC has not been seen to do anything for in its time.
func (c *grpcCall) expire(now time.Duration) {
	c.mu.Lock()
	if c.begun && !c.ended && c.ctx == nil && now > c.sent+c.run.timeout+late {
		c.settle()
		return
	}
	c.mu.Unlock()
}

// end records the call, once.
func (c *grpcCall) end() {
	c.mu.Lock()
	if c.ended || !c.begun {
		c.mu.Unlock()
		return
	}
	c.settle()
}

// settle records the call and gives its slot back; c.mu is held, and let go of.
func (c *grpcCall) settle() {
	c.ended = true
	s := c.sample()
	if c.flow != nil {
		c.flow.end(&s)
	} else {
		c.ctx = nil // all that gRPC had for the call hangs on it
	}
	c.mu.Unlock()
	c.run.out.Sample(s)
	if c.run.direct == nil { // else the worker still has the slot, perhaps for another call
		c.run.pacer.release(s.Class)
	}
}

// sample is the call as it stands at its end; c.mu is held.
func (c *grpcCall) sample() evidence.Sample {
	r := c.run
	s := evidence.Sample{Load: r.env.Index, Seq: c.seq, Sent: c.sent, Backend: c.backend}
	s.Intended = r.pacer.intended(c.seq, c.sent)
	o := c.outcome
	if !o.known {
		// Its time ran out, perhaps before it had a connection: nobody said how it went.
		o = outcome{at: min(r.env.Clock.Now(), c.sent+r.timeout), class: evidence.Timeout, code: codes.DeadlineExceeded}
		c.outcome = o
	}
	if c.flow != nil {
		o = c.flow.outcome(o)
	}
	s.Done, s.Class, s.Code = max(o.at, c.sent), o.class, int(o.code)
	return s
}

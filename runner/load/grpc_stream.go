package load

import (
	"time"

	"github.com/bojand/ghz/runner"
	"github.com/jhump/protoreflect/desc"
	"github.com/jhump/protoreflect/dynamic"
)

// streamKind says which sides of a call may send several messages.
type streamKind int

const (
	noStream streamKind = iota
	serverStream
	clientStream
	bidiStream
)

func kindOf(method *desc.MethodDescriptor) streamKind {
	switch {
	case method.IsClientStreaming() && method.IsServerStreaming():
		return bidiStream
	case method.IsClientStreaming():
		return clientStream
	case method.IsServerStreaming():
		return serverStream
	}
	return noStream
}

// streamBounds says when a stream ends by itself.
type streamBounds struct {
	kind     streamKind
	messages uint64        // how many are sent; 0: until keep is over
	keep     time.Duration // how long messages are sent; 0: no bound
	interval time.Duration // between the times at which two messages are due; 0: each when there is room for it
	count    int           // how many are received; 0: no bound
	deadline bool          // receiving is bounded by the call's own deadline
}

func (g *GRPC) bounds(method *desc.MethodDescriptor) streamBounds {
	b := streamBounds{kind: kindOf(method), interval: g.Interval, count: g.Count}
	if method.IsClientStreaming() {
		b.keep = g.For
		if b.keep == 0 || g.Repeat > 0 {
			b.messages = uint64(max(1, len(g.Messages)) * max(1, g.Repeat))
		}
	} else {
		b.deadline = g.For > 0
	}
	return b
}

// stream is the middle of one stream call: it gives ghz the messages to send
// and sees those that come. ghz's own bound on the time of a stream is not
// used: its timer and the end of the stream may meet in a send on a closed
// channel. Its own pause between messages is not either: it cannot be cut short,
// and begins when the message before was sent, so that a stall would make all
// later messages late without a trace.
type stream struct {
	call     *grpcCall
	messages []message
	vars     func(seq uint64) *vars
	timer    *time.Timer
}

// Send implements runner.StreamInterceptor. ghz calls it when the message
// before has been sent, and passes the new one to SendMsg at once.
func (s *stream) Send(*runner.CallData) (*dynamic.Message, error) {
	n, due, ok := s.turn()
	if !ok {
		return nil, runner.ErrEndStream
	}
	m, err := s.messages[n%uint64(len(s.messages))].render(s.vars(s.call.seq))
	if err != nil {
		return nil, err
	}
	if !s.call.send(due) {
		return nil, runner.ErrEndStream
	}
	return m, nil
}

// turn waits until the next message is due, and says which it is and since
// when. It is false when it is time to end the stream.
func (s *stream) turn() (n uint64, due time.Duration, ok bool) {
	b, clock := s.call.run.stream, s.call.run.env.Clock
	now := clock.Now()
	n, first := s.call.ready(now)
	if b.messages > 0 && n == b.messages {
		return n, 0, false
	}
	if due = now; n > 0 && b.interval > 0 {
		due = first + time.Duration(n)*b.interval
	}
	if b.keep == 0 {
		return n, due, s.wait(due - now)
	}
	end := first + b.keep
	if due >= end {
		s.wait(end - now)
		return n, due, false
	}
	return n, due, s.wait(due-now) && clock.Now() < end
}

// wait waits for d; false when the call is over, or has had all that it wants.
func (s *stream) wait(d time.Duration) bool {
	if d <= 0 {
		return true
	}
	if s.timer == nil {
		s.timer = time.NewTimer(d)
	} else {
		s.timer.Reset(d)
	}
	over, enough := s.call.ends()
	select {
	case <-s.timer.C:
		return true
	case <-over:
	case <-enough:
	}
	s.timer.Stop()
	return false
}

// Recv implements runner.StreamInterceptor. ghz calls it when RecvMsg has
// returned with a message.
func (s *stream) Recv(*dynamic.Message, error) error {
	if s.call.receive() {
		return runner.ErrEndStream
	}
	return nil
}

package load

import (
	"time"

	"ordeal/runner/evidence"
)

// flow is what is known of the messages of a stream call. The lock of the call
// guards it.
//
// A message is recorded when it has its end: the answer to it in a
// bidirectional stream, the return of SendMsg in a client stream, its arrival
// in a server stream. What has no end when the call does, ends with the call
// and has the call's class.
type flow struct {
	call     *grpcCall
	first    time.Duration // when message 0 was due
	sent     uint64        // messages
	open     []sending     // those that have no end yet, oldest first
	received uint64        // messages
	since    time.Duration // when the last one came, or the call was sent
	stopped  time.Duration // when our own bound on the stream was reached; 0 before
	enough   chan struct{} // is closed then
}

// sending is a message on its way.
type sending struct{ due, sent time.Duration }

// maxOpen bounds what one call remembers of a far side that does not answer.
// Beyond it, messages are recorded as unanswered before the call has ended.
const maxOpen = 1 << 16

func newFlow(c *grpcCall) *flow { return &flow{call: c, enough: make(chan struct{})} }

// messages says what the latency of a message is, for the record of the run.
func (k streamKind) messages() string {
	switch k {
	case serverStream:
		return "Message n is counted from the arrival of the one before it, the first from when the call was sent: its latency is the gap."
	case clientStream:
		return "Message n is due n intervals after the first one (without an interval: when it is sent); it ends when it was accepted for sending."
	case bidiStream:
		return "Message n is due n intervals after the first one (without an interval: when it is sent); it ends with the n-th answer."
	}
	return ""
}

// ready gives the number of the next message to be sent, and when the first one
// was due. The message before it was accepted.
func (c *grpcCall) ready(now time.Duration) (n uint64, first time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f := c.flow
	if f.sent == 0 {
		f.first = now
	}
	if c.run.stream.kind == clientStream && !c.ended && len(f.open) > 0 {
		f.close(now, evidence.OK)
	}
	return f.sent, f.first
}

// send notes that the next message is sent now; false when the call has ended.
func (c *grpcCall) send(due time.Duration) bool {
	now := c.run.env.Clock.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	f := c.flow
	if c.ended || f.stopped > 0 {
		return false
	}
	if len(f.open) == maxOpen {
		f.close(now, evidence.Other)
	}
	if c.run.stream.interval == 0 {
		due = now
	}
	f.open = append(f.open, sending{due, now})
	f.sent++
	return true
}

// receive notes a message that came, and reports whether it was the last that
// is wanted.
func (c *grpcCall) receive() (last bool) {
	now := c.run.env.Clock.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	f := c.flow
	if c.ended || f.stopped > 0 {
		return false
	}
	switch c.run.stream.kind {
	case serverStream:
		f.record(f.received, sending{f.since, f.since}, now, evidence.OK)
	case bidiStream:
		// An answer to a message that was recorded already, or to none, is nobody's.
		if len(f.open) > 0 && f.received == f.oldest() {
			f.close(now, evidence.OK)
		}
	}
	f.received++
	f.since = now
	if want := c.run.stream.count; want > 0 && f.received >= uint64(want) {
		f.stopped = now
		close(f.enough)
		return true
	}
	return false
}

// ends gives what is closed when gRPC is through with the call, and when it has
// received all that is wanted.
func (c *grpcCall) ends() (over, enough <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ctx != nil {
		over = c.ctx.Done()
	}
	return over, c.flow.enough
}

// oldest is the number of the oldest open message.
func (f *flow) oldest() uint64 { return f.sent - uint64(len(f.open)) }

// close ends the oldest open message.
func (f *flow) close(at time.Duration, class evidence.Class) {
	n, m := f.oldest(), f.open[0]
	f.open = f.open[1:]
	f.record(n, m, at, class)
}

func (f *flow) record(n uint64, m sending, at time.Duration, class evidence.Class) {
	f.call.run.out.Message(evidence.Message{
		Load: f.call.run.env.Index, Call: f.call.seq, N: n,
		Intended: m.due, Sent: m.sent, Done: max(at, m.sent), Class: class,
	})
}

// outcome is that of the call, where the stream ended as it was to.
func (f *flow) outcome(o outcome) outcome {
	c := f.call
	switch {
	case f.stopped > 0:
		return outcome{at: f.stopped} // ended by us, as planned
	case c.run.stream.deadline && o.class == evidence.Timeout && f.received > 0 && o.at-c.sent >= c.run.timeout-late:
		// A stream that was to be read for a time was read for that time. One that
		// brought nothing at all stays what it is: a call without an answer.
		return outcome{at: o.at}
	}
	return o
}

// end records the messages that the end of the call leaves without one.
func (f *flow) end(s *evidence.Sample) {
	class := s.Class
	if class == evidence.OK {
		class = evidence.Other // a well ended call that owes an answer
	}
	for len(f.open) > 0 {
		f.close(s.Done, class)
	}
	if f.call.run.stream.kind == serverStream && s.Class != evidence.OK {
		f.record(f.received, sending{f.since, f.since}, s.Done, class) // the one that was waited for
	}
}

package load

import (
	"fmt"
	"time"

	"github.com/bojand/ghz/runner"
	"github.com/jhump/protoreflect/desc"
	"github.com/jhump/protoreflect/dynamic"
)

// message is a request message: made once where it is fixed, else made from
// JSON for each call.
type message struct {
	content content
	ready   *dynamic.Message // nil: a template
	kind    *desc.MessageDescriptor
}

func newMessage(value any, kind *desc.MessageDescriptor) (message, error) {
	c, err := parseJSON(value)
	if err != nil {
		return message{}, err
	}
	m := message{content: c, kind: kind}
	if text, ok := c.fixed(); ok {
		m.ready, err = m.parse(text)
	}
	return m, err
}

func (m *message) parse(text []byte) (*dynamic.Message, error) {
	made := dynamic.NewMessage(m.kind)
	if err := made.UnmarshalJSON(text); err != nil {
		return nil, fmt.Errorf("not a %s: %w", m.kind.GetFullyQualifiedName(), err)
	}
	return made, nil
}

// render gives the message for one call.
func (m *message) render(v *vars) (*dynamic.Message, error) {
	if m.ready != nil {
		return m.ready, nil
	}
	text, err := m.content.render(nil, v)
	if err != nil {
		return nil, err
	}
	return m.parse(text)
}

// codec takes the place of gRPC's own on the channels of a run. A fixed message
// is marshalled once and not for each call. An answer is not unmarshalled: the
// generator's processor time is wanted for the next call, and nobody reads it.
type codec struct {
	ready map[*dynamic.Message][]byte
}

func newCodec(messages []message) (*codec, error) {
	c := &codec{ready: make(map[*dynamic.Message][]byte)}
	for _, m := range messages {
		if m.ready == nil {
			continue
		}
		b, err := m.ready.Marshal()
		if err != nil {
			return nil, fmt.Errorf("marshal the message: %w", err)
		}
		c.ready[m.ready] = b
	}
	return c, nil
}

// Name implements encoding.Codec: what goes over the wire is protobuf.
func (*codec) Name() string { return "proto" }

// Marshal implements encoding.Codec.
func (c *codec) Marshal(v any) ([]byte, error) {
	m, ok := v.(*dynamic.Message)
	if !ok {
		return nil, fmt.Errorf("a %T is no message of a load", v)
	}
	if b, ok := c.ready[m]; ok {
		return b, nil
	}
	return m.Marshal()
}

// Unmarshal implements encoding.Codec.
func (*codec) Unmarshal([]byte, any) error { return nil }

// streamBounds says when a stream ends by itself.
type streamBounds struct {
	messages int           // how many are sent; 0: until keep is over
	keep     time.Duration // how long messages are sent; 0: no bound
	interval time.Duration // between two messages
	count    int           // how many are received; 0: no bound
	deadline bool          // receiving is bounded by the call's own deadline
}

func (g *GRPC) bounds(method *desc.MethodDescriptor) streamBounds {
	b := streamBounds{interval: g.Interval, count: g.Count}
	if method.IsClientStreaming() {
		b.keep = g.For
		if b.keep == 0 || g.Repeat > 0 {
			b.messages = max(1, len(g.Messages)) * max(1, g.Repeat)
		}
	} else {
		b.deadline = g.For > 0
	}
	return b
}

// stream is the middle of one stream call: it gives ghz the messages to send
// and sees those that come. ghz's own bound on the time of a stream is not
// used: its timer and the end of the stream may meet in a send on a closed
// channel. Its own pause between messages is not either: it cannot be cut short.
type stream struct {
	call     *grpcCall
	messages []message
	vars     func(seq uint64) *vars
	sent     int
	began    time.Time
}

// Send implements runner.StreamInterceptor.
func (s *stream) Send(*runner.CallData) (*dynamic.Message, error) {
	b := s.call.run.stream
	if s.sent == 0 {
		s.began = time.Now()
	} else if !s.pause(b) {
		return nil, runner.ErrEndStream
	}
	m, err := s.messages[s.sent%len(s.messages)].render(s.vars(s.call.seq))
	if err != nil {
		return nil, err
	}
	s.sent++
	if s.sent == b.messages {
		return m, runner.ErrLastMessage
	}
	return m, nil
}

// pause waits between two messages; false when it is time to end the stream.
func (s *stream) pause(b streamBounds) bool {
	wait := b.interval
	if b.keep > 0 {
		left := b.keep - time.Since(s.began)
		if left <= 0 {
			return false
		}
		wait = min(wait, left)
	}
	if wait > 0 {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-s.call.done():
			return false
		}
	}
	return b.keep == 0 || time.Since(s.began) < b.keep
}

// Recv implements runner.StreamInterceptor.
func (s *stream) Recv(*dynamic.Message, error) error {
	if s.call.receive() {
		return runner.ErrEndStream
	}
	return nil
}

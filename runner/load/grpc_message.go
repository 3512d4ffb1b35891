package load

import (
	"fmt"
	"sync/atomic"

	"github.com/jhump/protoreflect/desc"
	"github.com/jhump/protoreflect/dynamic"
	"google.golang.org/grpc/mem"
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
	ready  map[*dynamic.Message]mem.BufferSlice
	answer atomic.Int64 // bytes of an answer, within a factor of two
}

func newCodec(messages []message) (*codec, error) {
	c := &codec{ready: make(map[*dynamic.Message]mem.BufferSlice)}
	for _, m := range messages {
		if m.ready == nil {
			continue
		}
		b, err := m.ready.Marshal()
		if err != nil {
			return nil, fmt.Errorf("marshal the message: %w", err)
		}
		c.ready[m.ready] = mem.BufferSlice{mem.SliceBuffer(b)}
	}
	return c, nil
}

// Name implements encoding.CodecV2: what goes over the wire is protobuf.
func (*codec) Name() string { return "proto" }

// Marshal implements encoding.CodecV2.
func (c *codec) Marshal(v any) (mem.BufferSlice, error) {
	m, ok := v.(*dynamic.Message)
	if !ok {
		return nil, fmt.Errorf("a %T is no message of a load", v)
	}
	if b, ok := c.ready[m]; ok {
		return b, nil
	}
	b, err := m.Marshal()
	return mem.BufferSlice{mem.SliceBuffer(b)}, err
}

// Unmarshal implements encoding.CodecV2. Of an answer only its size is of use, and
// that about: what all calls write to they would wait for.
func (c *codec) Unmarshal(answer mem.BufferSlice, _ any) error {
	if now, had := int64(answer.Len()), c.answer.Load(); now > 2*had || 2*now < had {
		c.answer.Store(now)
	}
	return nil
}

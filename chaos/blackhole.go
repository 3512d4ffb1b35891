package chaos

import "cmp"

// Blackhole swallows every byte and the end of every stream, while connections
// stay open and new ones are still taken: the caller finds out by its own
// timeouts alone. When it is healed, a connection that lost bytes is reset,
// for a TCP stream with a hole must not go on; one that lost nothing goes on.
type Blackhole struct {
	Direction string `yaml:"direction" enum:"up,down,both" default:"both" doc:"up swallows what the caller sends, down swallows the answers alone"`
	Share     Share  `yaml:"share" doc:"the part of the connections that is swallowed, drawn by seed; all unless given"`
}

// Validate reports attributes that make no sense.
func (b *Blackhole) Validate(bad func(field, format string, args ...any)) {
	checkDirection(bad, b.Direction)
	checkShare(bad, b.Share)
}

func (b *Blackhole) String() string {
	return "blackhole" + directed(b.Direction, both) + shared(b.Share)
}

func (b *Blackhole) way() string { return cmp.Or(b.Direction, both) }

func (b *Blackhole) leavesNoBytes() string {
	if b.Share.percent() < 100 {
		return ""
	}
	return "every byte is swallowed"
}

func (b *Blackhole) part() Share { return b.Share }

func (b *Blackhole) begin(a *acting) func(*flow) stage {
	return func(f *flow) stage { return &swallowing{acting: a, flow: f} }
}

type swallowing struct {
	acting *acting
	flow   *flow
	hole   bool   // bytes are lost
	end    *piece // the end of the stream, if it came
}

func (s *swallowing) arrive(p piece, _ func(piece)) {
	if p.chunk == nil {
		s.end = &p
		s.flow.swallowedEnd.Store(true)
		return
	}
	s.hole = true
	s.acting.touch(s.flow.conn, p.size())
	s.flow.drop(p)
}

// leave resets a connection with a hole, and lets the end of one without pass.
func (s *swallowing) leave() {
	s.flow.swallowedEnd.Store(false)
	switch {
	case s.hole:
		s.flow.conn.abort()
	case s.end != nil:
		s.flow.enqueue(*s.end)
	}
}

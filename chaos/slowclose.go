package chaos

import (
	"cmp"
	"time"
)

// SlowClose holds back the end of a stream: when one end closes, the other
// learns of it later. Bytes pass unharmed.
type SlowClose struct {
	Delay     time.Duration `yaml:"delay" required:"true" doc:"how long the end of a stream is held back"`
	Direction string        `yaml:"direction" enum:"up,down,both" default:"both" doc:"up holds back a close by the caller, down one by the called"`
	Share     Share         `yaml:"share" doc:"the part of the connections that closes slowly, drawn by seed; all unless given"`
}

// Validate reports attributes that make no sense.
func (s *SlowClose) Validate(bad func(field, format string, args ...any)) {
	checkDelay(bad, "delay", s.Delay)
	if s.Delay == 0 {
		bad("delay", "want a time above 0s")
	}
	checkDirection(bad, s.Direction)
	checkShare(bad, s.Share)
}

func (s *SlowClose) String() string {
	return "slow_close " + s.Delay.String() + directed(s.Direction, both) + shared(s.Share)
}

func (s *SlowClose) way() string { return cmp.Or(s.Direction, both) }

func (s *SlowClose) part() Share { return s.Share }

func (s *SlowClose) begin(a *acting) func(*flow) stage {
	delay := s.Delay
	return func(f *flow) stage { return &closing{acting: a, flow: f, delay: delay} }
}

type closing struct {
	acting *acting
	flow   *flow
	delay  time.Duration
}

func (c *closing) arrive(p piece, next func(piece)) {
	if p.chunk == nil {
		p.delay(time.Now().Add(c.delay))
		c.acting.touch(c.flow.conn, 0)
	}
	next(p)
}

func (c *closing) leave() {}

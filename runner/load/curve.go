package load

import (
	"fmt"
	"time"
)

// Curve says how the rate of a load changes over a span: the whole timeline,
// or one phase of it where the phase has a curve of its own.
//
// As a plain rate ("300/s") it is a Hold.
type Curve struct {
	Hold  *Rate  `yaml:"hold" oneof:"kind" doc:"one rate for the whole span"`
	Ramp  *Ramp  `yaml:"ramp" oneof:"kind" doc:"from one rate to another in a straight line"`
	Step  *Step  `yaml:"step" oneof:"kind" doc:"from one rate to another in steps"`
	Spike *Spike `yaml:"spike" oneof:"kind" doc:"a base rate with one burst"`
	Sine  *Sine  `yaml:"sine" oneof:"kind" doc:"waves about a mean, as over a day"`
}

// shape is a kind of curve: it turns itself into pieces over a span.
type shape interface {
	pieces(span time.Duration) []piece
	fmt.Stringer
}

// shape returns the one kind that is set; nil for none.
func (c *Curve) shape() shape {
	switch {
	case c == nil:
		return nil
	case c.Hold != nil:
		return hold(*c.Hold)
	case c.Ramp != nil:
		return c.Ramp
	case c.Step != nil:
		return c.Step
	case c.Spike != nil:
		return c.Spike
	case c.Sine != nil:
		return c.Sine
	}
	return nil
}

// UnmarshalText takes a plain rate as a hold.
func (c *Curve) UnmarshalText(text []byte) error {
	var r Rate
	if err := r.UnmarshalText(text); err != nil {
		return err
	}
	*c = Curve{Hold: &r}
	return nil
}

// Examples gives texts that UnmarshalText takes.
func (Curve) Examples() []string { return []string{"300/s"} }

// String is the curve as a person reads it: "300/s", "ramp 10/s to 200/s".
func (c *Curve) String() string {
	if s := c.shape(); s != nil {
		return s.String()
	}
	return "0/s"
}

// hold is one rate throughout.
type hold Rate

func (h hold) String() string { return Rate(h).String() }

func (h hold) pieces(span time.Duration) []piece {
	return []piece{flat(span, Rate(h))}
}

// Ramp goes from one rate to another in a straight line, and stays there.
type Ramp struct {
	From Rate          `yaml:"from" required:"true" doc:"the rate at the start"`
	To   Rate          `yaml:"to" required:"true" doc:"the rate at the end"`
	Over time.Duration `yaml:"over" doc:"how long the ramp takes; the whole span when absent"`
}

// Validate reports a ramp that cannot be.
func (r *Ramp) Validate(bad func(field, format string, args ...any)) {
	checkTime(bad, "over", r.Over)
}

func (r *Ramp) String() string {
	s := fmt.Sprintf("ramp %v to %v", r.From, r.To)
	if r.Over > 0 {
		s += fmt.Sprintf(" over %v", r.Over)
	}
	return s
}

func (r *Ramp) pieces(span time.Duration) []piece {
	over := r.Over
	if over <= 0 {
		over = span
	}
	return []piece{linear(over, r.From, r.To), flat(span-over, r.To)}
}

// Step goes from one rate to another in equal steps, and stays there.
type Step struct {
	From  Rate          `yaml:"from" required:"true" doc:"the rate of the first step"`
	To    Rate          `yaml:"to" required:"true" doc:"the rate that the steps end at"`
	By    Rate          `yaml:"by" required:"true" doc:"the height of a step"`
	Every time.Duration `yaml:"every" required:"true" doc:"the length of a step"`
}

// maxSteps bounds the table that a stair makes.
const maxSteps = 10000

// Validate reports a stair that cannot be.
func (s *Step) Validate(bad func(field, format string, args ...any)) {
	if s.By <= 0 {
		bad("by", "a step needs a height above 0/s; whether it goes up or down follows from from and to")
	} else if d := s.To - s.From; max(d, -d)/s.By > maxSteps {
		bad("by", "this makes more than %d steps", maxSteps)
	}
	if s.Every <= 0 {
		bad("every", "a step needs a length above 0s")
	}
}

func (s *Step) String() string {
	return fmt.Sprintf("step %v to %v by %v every %v", s.From, s.To, s.By, s.Every)
}

func (s *Step) pieces(span time.Duration) []piece {
	var ps []piece
	by := s.By
	if s.To < s.From {
		by = -by
	}
	left := span
	for i := 0; left > s.Every && i < maxSteps; i++ {
		rate := s.From + Rate(i)*by
		if (by > 0 && rate >= s.To) || (by < 0 && rate <= s.To) {
			return append(ps, flat(left, s.To))
		}
		ps = append(ps, flat(s.Every, rate))
		left -= s.Every
	}
	rate := s.From + Rate(len(ps))*by
	if (by > 0 && rate > s.To) || (by < 0 && rate < s.To) {
		rate = s.To
	}
	return append(ps, flat(left, rate))
}

// Spike is a base rate with one burst in it.
type Spike struct {
	Base Rate           `yaml:"base" required:"true" doc:"the rate before and after the burst"`
	Peak Rate           `yaml:"peak" required:"true" doc:"the rate of the burst"`
	For  time.Duration  `yaml:"for" required:"true" doc:"the length of the burst"`
	At   *time.Duration `yaml:"at" doc:"when the burst starts; when absent, so that it lies in the middle of the span"`
}

// Validate reports a burst that cannot be.
func (s *Spike) Validate(bad func(field, format string, args ...any)) {
	if s.For <= 0 {
		bad("for", "a burst needs a length above 0s")
	}
	if s.At != nil && *s.At < 0 {
		bad("at", "a burst cannot start before its span, at %v", *s.At)
	}
}

func (s *Spike) String() string {
	return fmt.Sprintf("spike %v to %v for %v", s.Base, s.Peak, s.For)
}

func (s *Spike) pieces(span time.Duration) []piece {
	at := max(0, (span-s.For)/2)
	if s.At != nil {
		at = min(*s.At, span)
	}
	burst := min(s.For, span-at)
	return []piece{flat(at, s.Base), flat(burst, s.Peak), flat(span-at-burst, s.Base)}
}

// Sine waves about a mean, starting at the mean and rising.
type Sine struct {
	Mean      Rate          `yaml:"mean" required:"true" doc:"the rate waved about"`
	Amplitude Rate          `yaml:"amplitude" required:"true" doc:"how far up and down; at most the mean"`
	Period    time.Duration `yaml:"period" required:"true" doc:"the length of one wave"`
}

// Validate reports a wave that cannot be.
func (s *Sine) Validate(bad func(field, format string, args ...any)) {
	if s.Amplitude > s.Mean {
		bad("amplitude", "%v is more than the mean, %v: the rate would go below zero", s.Amplitude, s.Mean)
	}
	if s.Period <= 0 {
		bad("period", "a wave needs a period above 0s")
	}
}

func (s *Sine) String() string {
	return fmt.Sprintf("sine %v ± %v every %v", s.Mean, s.Amplitude, s.Period)
}

func (s *Sine) pieces(span time.Duration) []piece {
	return []piece{wave(span, s.Mean, s.Amplitude, s.Period)}
}

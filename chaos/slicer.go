package chaos

import (
	"cmp"
	"time"
)

// Slicer cuts what is sent into small pieces, each written on its own, so that
// a reader sees many short reads.
type Slicer struct {
	Size      Size          `yaml:"size" required:"true" doc:"the mean size of a piece"`
	Variation Size          `yaml:"variation" doc:"the size varies uniformly by up to this much to both sides; seeded, below size"`
	Delay     time.Duration `yaml:"delay" doc:"the pause between two pieces; none unless given"`
	Direction string        `yaml:"direction" enum:"up,down,both" default:"down" doc:"up slices what the caller sends, down what it gets back"`
	Share     Share         `yaml:"share" doc:"the part of the connections that is sliced, drawn by seed; all unless given"`
}

// Validate reports attributes that make no sense.
func (s *Slicer) Validate(bad func(field, format string, args ...any)) {
	if s.Size <= 0 {
		bad("size", "want a size of 1B or more, not %s", s.Size)
	}
	switch {
	case s.Variation < 0:
		bad("variation", "want a size of 0B or more, not %s", s.Variation)
	case s.Size > 0 && s.Variation >= s.Size:
		bad("variation", "want less than size, %s: a piece has at least one byte", s.Size)
	}
	checkDelay(bad, "delay", s.Delay)
	checkDirection(bad, s.Direction)
	checkShare(bad, s.Share)
}

func (s *Slicer) String() string {
	t := "slicer " + s.Size.String()
	if s.Variation > 0 {
		t += " ± " + s.Variation.String()
	}
	if s.Delay > 0 {
		t += " every " + s.Delay.String()
	}
	return t + directed(s.Direction, down) + shared(s.Share)
}

func (s *Slicer) way() string { return cmp.Or(s.Direction, down) }

func (s *Slicer) actsOnLink() {}

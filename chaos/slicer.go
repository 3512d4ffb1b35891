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

func (s *Slicer) part() Share { return s.Share }

func (s *Slicer) begin(a *acting) func(*flow) stage {
	spec := *s
	return func(f *flow) stage {
		return &slicing{Slicer: spec, acting: a, flow: f, key: draw(a.seed, f.conn.index, f.wayKey())}
	}
}

type slicing struct {
	Slicer
	acting    *acting
	flow      *flow
	key, cuts uint64
	last      time.Time // when the latest piece is due
}

func (s *slicing) arrive(p piece, next func(piece)) {
	size := p.size()
	for i := 0; i < size; {
		j := min(size, i+s.draw())
		q := p
		if j-i < size {
			q = p.part(i, j)
			s.acting.touch(s.flow.conn, j-i)
		}
		if s.Delay > 0 {
			s.space(&q)
		}
		next(q)
		i = j
	}
	if p.chunk == nil {
		next(p)
	}
}

// draw gives the size of the next piece.
func (s *slicing) draw() int {
	s.cuts++
	return max(1, int(float64(s.Size)+float64(s.Variation)*spread(draw(s.key, s.cuts))))
}

// space keeps a piece Delay behind the one before it.
func (s *slicing) space(p *piece) {
	if now := time.Now(); s.last.Before(now.Add(-s.Delay)) {
		s.last = now
	} else {
		s.last = s.last.Add(s.Delay)
	}
	p.delay(s.last)
}

func (s *slicing) leave() {}

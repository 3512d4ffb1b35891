package chaos

import "cmp"

// Bandwidth narrows a link: all its connections together get Rate bytes a
// second in each chosen direction, taking turns in small pieces. What does not
// fit waits, and then holds its sender back.
type Bandwidth struct {
	Rate      ByteRate `yaml:"rate" required:"true" doc:"bytes a second for all connections of the link together, in each chosen direction"`
	Direction string   `yaml:"direction" enum:"up,down,both" default:"both" doc:"up narrows what the caller sends, down what it gets back"`
	Share     Share    `yaml:"share" doc:"the part of the connections that shares the narrow way, drawn by seed; all unless given"`
}

// Validate reports attributes that make no sense.
func (b *Bandwidth) Validate(bad func(field, format string, args ...any)) {
	switch {
	case !(b.Rate > 0):
		bad("rate", "want a rate above 0B/s; a link that carries nothing is blackhole")
	case b.Rate < 1:
		bad("rate", "want at least 1B/s, not %s", b.Rate)
	case b.Rate > 1e12:
		bad("rate", "want at most 1000GB/s, not %s", b.Rate)
	}
	checkDirection(bad, b.Direction)
	checkShare(bad, b.Share)
}

func (b *Bandwidth) String() string {
	return "bandwidth " + b.Rate.String() + directed(b.Direction, both) + shared(b.Share)
}

func (b *Bandwidth) way() string { return cmp.Or(b.Direction, both) }

func (b *Bandwidth) actsOnLink() {}

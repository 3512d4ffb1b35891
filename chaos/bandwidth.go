package chaos

import (
	"cmp"
	"sync"
	"time"
)

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

func (b *Bandwidth) part() Share { return b.Share }

func (b *Bandwidth) begin(a *acting) func(*flow) stage {
	ways := map[string]*narrow{up: {rate: float64(b.Rate)}, down: {rate: float64(b.Rate)}}
	return func(f *flow) stage { return &narrowing{acting: a, flow: f, way: ways[f.way]} }
}

// slack is how far a narrow way may catch up on the lateness of timers, and
// how much of it a single piece may take.
const slack = 10 * time.Millisecond

// narrow is one direction of a narrow link, for all its connections.
type narrow struct {
	rate float64 // bytes a second
	mu   sync.Mutex
	free time.Time // when it has carried all that it was given
}

// reserve gives when a piece has been carried that starts now.
func (n *narrow) reserve(size int, now time.Time) time.Time {
	n.mu.Lock()
	defer n.mu.Unlock()
	if earliest := now.Add(-slack); n.free.Before(earliest) {
		n.free = earliest
	}
	n.free = n.free.Add(time.Duration(float64(size) / n.rate * float64(time.Second)))
	return n.free
}

type narrowing struct {
	acting *acting
	flow   *flow
	way    *narrow
}

// arrive cuts a chunk into pieces small enough for connections to take turns.
func (n *narrowing) arrive(p piece, next func(piece)) {
	size := p.size()
	most := max(1, min(16<<10, int(n.way.rate*slack.Seconds())))
	if size <= most {
		next(p)
		return
	}
	for i := 0; i < size; i += most {
		next(p.part(i, min(i+most, size)))
	}
}

func (n *narrowing) pace(size int, now time.Time) time.Time {
	n.acting.touch(n.flow.conn, size)
	return n.way.reserve(size, now)
}

func (n *narrowing) leave() {}

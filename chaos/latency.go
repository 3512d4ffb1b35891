package chaos

import (
	"cmp"
	"time"
)

// Latency holds every byte back for a time, as a longer way would. The delay is
// pipelined: a stream keeps its throughput (up to 4 MiB held per connection
// and direction). Order is kept, as TCP keeps it, so a chunk that drew a short
// delay waits for the chunk before it: with jitter, many calls multiplexed on
// one connection see a mean above Delay.
type Latency struct {
	Delay     time.Duration `yaml:"delay" required:"true" doc:"how long every byte is held back, in each chosen direction"`
	Jitter    time.Duration `yaml:"jitter" doc:"the delay varies uniformly by up to this much to both sides; seeded, at most the delay itself"`
	Direction string        `yaml:"direction" enum:"up,down,both" default:"down" doc:"up delays what the caller sends, down what it gets back; both adds the delay twice to a round trip"`
	Share     Share         `yaml:"share" doc:"the part of the connections that is slow, drawn by seed for each connection; all unless given"`
}

// Validate reports attributes that make no sense.
func (l *Latency) Validate(bad func(field, format string, args ...any)) {
	checkDelay(bad, "delay", l.Delay)
	if l.Delay == 0 {
		bad("delay", "want a time above 0s")
	}
	checkDelay(bad, "jitter", l.Jitter)
	if l.Delay > 0 && l.Jitter > l.Delay {
		bad("jitter", "want at most the delay, %s: nothing arrives before it was sent", l.Delay)
	}
	checkDirection(bad, l.Direction)
	checkShare(bad, l.Share)
}

func (l *Latency) String() string {
	s := "latency " + l.Delay.String()
	if l.Jitter > 0 {
		s += " ± " + l.Jitter.String()
	}
	return s + directed(l.Direction, down) + shared(l.Share)
}

func (l *Latency) way() string { return cmp.Or(l.Direction, down) }

func (l *Latency) part() Share { return l.Share }

func (l *Latency) begin(a *acting) func(*flow) stage {
	delay, jitter := l.Delay, l.Jitter
	return func(f *flow) stage {
		key := draw(a.seed, f.conn.index, f.wayKey())
		return &delaying{acting: a, flow: f, delay: delay, jitter: jitter, key: key}
	}
}

// delayHold lets 13 MB/s through a connection at 300 ms.
const delayHold = 4 << 20

type delaying struct {
	acting        *acting
	flow          *flow
	delay, jitter time.Duration
	key, chunks   uint64
	last          time.Time
}

// arrive draws a delay for each chunk, counted from when it was read. A chunk,
// and the end of the stream, does not overtake the one before it.
func (d *delaying) arrive(p piece, next func(piece)) {
	since := time.Now()
	if p.chunk != nil {
		since = p.chunk.Timestamp
	}
	by := d.delay + time.Duration(float64(d.jitter)*spread(draw(d.key, d.chunks)))
	d.chunks++
	if due := since.Add(by); due.After(d.last) {
		d.last = due
	}
	p.delay(d.last)
	if p.chunk != nil {
		d.acting.touch(d.flow.conn, p.size())
	}
	next(p)
}

func (d *delaying) leave()    {}
func (d *delaying) hold() int { return delayHold }

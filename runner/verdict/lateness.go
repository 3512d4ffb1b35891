package verdict

import (
	"fmt"
	"math"
	"time"

	"ordeal/runner/evidence"
)

// late says how far the calls of a load were behind their schedule, and what may
// have kept them. Where all workers were taken by calls in flight, and neither
// the generator nor its machine was at its limit, the target is slow, and times
// from the schedule tell the truth about it. Else they say nothing of the target.
type late struct {
	closed   bool // a closed model has no schedule to be behind
	external bool // its target is not one that the run started
	workers  int
	planned  int64
	missing  int64         // planned calls that were never sent
	median   time.Duration // of the send lag
	p99      time.Duration // of the send lag
	service  time.Duration // median of the service time
	full     float64       // share of all waiting that was done while the workers were taken
	taken    float64       // share of the time in which the workers were taken
	strain   strain        // while calls waited
	unknown  string        // why nothing can be said
}

// A send lag below this is not worth a word: timers and scheduling.
const smallLag = 10 * time.Millisecond

// Workers count as taken when so much of them is in flight, on average over a tick.
const takenShare = 0.8

func (l late) noticeable() bool { return l.p99 > smallLag }

// workersTaken reports whether calls waited because all workers were taken.
func (l late) workersTaken() bool {
	if l.workers <= 0 || l.unknown != "" {
		return false
	}
	return l.full >= 0.5 || l.missing > 0 && l.taken > 0 && l.taken >= 0.5*float64(l.missing)/float64(l.planned)
}

// traffic is, by load and tick, how many calls were in flight and how many
// were waiting to be sent, on average.
type traffic struct {
	start, tick time.Duration
	busy, wait  []*occupancy // by load
}

// inFlight goes through all calls once.
func inFlight(run *evidence.Run) (*traffic, error) {
	summary, err := run.Summary()
	if err != nil {
		return nil, fmt.Errorf("counting calls: %w", err)
	}
	t := &traffic{start: summary.Start, tick: summary.Tick}
	if t.tick <= 0 {
		t.tick = 100 * time.Millisecond
	}
	for range run.Meta.Loads {
		t.busy, t.wait = append(t.busy, &occupancy{}), append(t.wait, &occupancy{})
	}
	for s, err := range run.Samples() {
		if err != nil {
			return nil, fmt.Errorf("reading samples: %w", err)
		}
		if s.Load < 0 || s.Load >= len(t.busy) {
			continue
		}
		t.busy[s.Load].add(t.at(s.Sent), t.at(s.Done))
		t.wait[s.Load].add(t.at(s.Intended), t.at(s.Sent))
	}
	for i := range t.busy {
		t.busy[i].settle()
		t.wait[i].settle()
	}
	return t, nil
}

// at is an offset in ticks.
func (t *traffic) at(offset time.Duration) float64 {
	return max(0, float64(offset-t.start)/float64(t.tick))
}

// shares is how much of the waiting, and of the time, fell into ticks in which
// the workers were taken.
func (t *traffic) shares(load, workers int, spans []evidence.Span) (full, taken float64) {
	if workers <= 0 {
		return 0, 0
	}
	var waited, waitedFull, ticks, ticksTaken float64
	for _, s := range spans {
		for k := int(t.at(s.Start)); k < int(math.Ceil(t.at(s.End))); k++ {
			w := t.wait[load].at(k)
			ticks++
			waited += w
			if t.busy[load].at(k) >= takenShare*float64(workers) {
				ticksTaken++
				waitedFull += w
			}
		}
	}
	if waited > 1e-9 {
		full = waitedFull / waited
	}
	if ticks > 0 {
		taken = ticksTaken / ticks
	}
	return full, taken
}

// waiting is how many calls of a load waited between two times, on average, times
// how long that was.
func (t *traffic) waiting(load int, from, to time.Duration) (sum float64) {
	a, b := t.at(from), t.at(to)
	for k := int(a); k < int(math.Ceil(b)); k++ {
		sum += t.wait[load].at(k) * (min(b, float64(k+1)) - max(a, float64(k)))
	}
	return sum
}

// occupancy is how many of many intervals lie over each tick, on average. An
// interval costs the same however long it is: whole ticks go into a difference
// array that is added up in the end.
type occupancy struct {
	part, steps []float64
}

func (o *occupancy) at(tick int) float64 {
	if tick < 0 || tick >= len(o.part) {
		return 0
	}
	return o.part[tick]
}

// add counts an interval given in ticks.
func (o *occupancy) add(from, to float64) {
	// A damaged sample must not take all memory: eleven days are enough.
	const most = 1e7
	if !(to > from) || to > most {
		return
	}
	first, last := int(from), int(to)
	for len(o.part) <= last+1 {
		o.part, o.steps = append(o.part, 0), append(o.steps, 0)
	}
	if first == last {
		o.part[first] += to - from
		return
	}
	o.part[first] += float64(first+1) - from
	o.part[last] += to - float64(last)
	o.steps[first+1]++
	o.steps[last]--
}

// settle adds the whole ticks up; nothing is added after it.
func (o *occupancy) settle() {
	var over float64
	for i := range o.part {
		over += o.steps[i]
		o.part[i] += over
	}
	o.steps = nil
}

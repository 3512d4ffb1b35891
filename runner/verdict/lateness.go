package verdict

import (
	"fmt"
	"math"
	"time"

	"ordeal/runner/evidence"
)

// late says how far the calls of a load were behind their schedule, and whose
// doing that was. A call is late for one of two reasons. Either all workers
// were taken by calls in flight: then the target is slow, and times from the
// schedule tell the truth about it. Or workers were free and the generator did
// not get round to sending: then they say nothing of the target.
type late struct {
	closed  bool // a closed model has no schedule to be behind
	workers int
	planned int64
	missing int64         // planned calls that were never sent
	median  time.Duration // of the send lag
	p99     time.Duration // of the send lag
	full    float64       // share of all waiting that was done while the workers were taken
	taken   float64       // share of the time in which the workers were taken
	unknown string        // why nothing can be said
}

// A send lag below this is not worth a word: timers and scheduling.
const smallLag = 10 * time.Millisecond

// Workers count as taken when so much of them is in flight, on average over a tick.
const takenShare = 0.8

func (l late) noticeable() bool { return l.p99 > smallLag }

// byTarget reports whether the target's slowness explains the lateness.
func (l late) byTarget() bool {
	if l.workers <= 0 || l.unknown != "" {
		return false
	}
	return l.full >= 0.5 || l.missing > 0 && l.taken > 0 && l.taken >= 0.5*float64(l.missing)/float64(l.planned)
}

// lateness looks at one load in some phases.
func lateness(run *evidence.Run, load string, phases Phases) late {
	flights, err := inFlight(run)
	if err != nil {
		return late{unknown: err.Error()}
	}
	return flights.late(run, load, phases)
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

func (t *traffic) late(run *evidence.Run, load string, phases Phases) late {
	summary, err := run.Summary()
	if err != nil {
		return late{unknown: err.Error()}
	}
	for i, m := range run.Meta.Loads {
		if m.Name != load {
			continue
		}
		l := late{closed: m.Model == "closed", workers: m.Workers}
		l.full, l.taken = t.shares(i, m.Workers, run, phases)
		stats := summary.Loads[i].Over(phases...)
		l.p99, _ = stats.Lag.Percentile(99)
		l.median, _ = stats.Lag.Percentile(50)
		for _, s := range run.Phases() {
			if phases.names(s) {
				l.planned += m.Planned[s.Name]
			}
		}
		if !l.closed {
			l.missing = max(0, l.planned-stats.Calls)
		}
		return l
	}
	return late{unknown: "the run has no load " + load}
}

// shares is how much of the waiting, and of the time, fell into ticks in which
// the workers were taken.
func (t *traffic) shares(load, workers int, run *evidence.Run, phases Phases) (full, taken float64) {
	if workers <= 0 {
		return 0, 0
	}
	var waited, waitedFull, ticks, ticksTaken float64
	for _, s := range run.Phases() {
		if !phases.names(s) {
			continue
		}
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

package evidence

import (
	"fmt"
	"time"
)

// maxIntervals bounds the intervals of a load, whatever the run's length.
const (
	maxIntervals = 3600
	ticksEach    = 10
)

// Summary counts the whole run in one pass over the samples; the second call
// gives the same Summary at once. Segments that cannot be read are left out and
// told by Warnings. Nobody may change a Summary.
func (r *Run) Summary() (*Summary, error) {
	r.mu.Lock()
	done := r.summary
	r.mu.Unlock()
	if done != nil {
		return done, nil
	}
	t := newTally(r)
	for rows, err := range batches(r.samples, newSampleDecoder()) {
		if err != nil {
			r.warn(err.Error())
			continue
		}
		for i := range rows {
			t.add(&rows[i])
		}
	}
	t.finish()
	if t.sum.Outside > 0 {
		r.warn(fmt.Sprintf("%d calls belong to no load, or were intended outside of the timeline", t.sum.Outside))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.summary == nil {
		r.summary = t.sum
	}
	return r.summary, nil
}

// tally is a Summary under way.
type tally struct {
	sum    *Summary
	phases []Span
	slices int        // the most intervals a load may have
	stats  [][]*Stats // by load, then by index in phases
	phase  int        // index in phases of the last call's, most likely that of the next
}

func newTally(r *Run) *tally {
	extent := r.extent()
	interval := time.Second
	if n := (extent + maxIntervals*time.Second - 1) / (maxIntervals * time.Second); n > 1 {
		interval = n * time.Second
	}
	t := &tally{
		sum:    &Summary{Start: r.Meta.Start, Interval: interval, Tick: interval / ticksEach},
		phases: r.phases,
		slices: min(int(extent/interval)+1, maxIntervals+1),
	}
	for _, meta := range r.Meta.Loads {
		l := LoadSummary{Meta: meta, Phases: make(map[string]*Stats)}
		byIndex := make([]*Stats, len(r.phases))
		for i, p := range r.phases {
			if l.Phases[p.Name] == nil {
				l.Phases[p.Name] = newStats()
			}
			byIndex[i] = l.Phases[p.Name]
		}
		t.sum.Loads = append(t.sum.Loads, l)
		t.stats = append(t.stats, byIndex)
	}
	return t
}

func (t *tally) add(s *Sample) {
	if s.Load < 0 || s.Load >= len(t.sum.Loads) {
		t.sum.Outside++
		return
	}
	at := s.Intended - t.sum.Start
	phase := t.phaseAt(s.Intended)
	slice := int(at / t.sum.Interval)
	if at < 0 || slice >= t.slices || phase < 0 {
		t.sum.Outside++
	}
	if phase >= 0 {
		t.stats[s.Load][phase].record(s)
	}
	if at < 0 || slice >= t.slices {
		return
	}
	l := &t.sum.Loads[s.Load]
	for len(l.Intervals) <= slice {
		l.Intervals = append(l.Intervals, Interval{})
		l.Ticks = append(l.Ticks, make([]Counts, ticksEach)...)
	}
	i := &l.Intervals[slice]
	if i.Response == nil {
		i.Response = newDistribution(sliceDigits)
	}
	i.record(s)
	i.Response.record(s.Response())
	i.MaxLag = max(i.MaxLag, s.Lag())
	l.Ticks[at/t.sum.Tick].record(s)
}

// phaseAt is the index of the phase begun last at a time, -1 before the first.
func (t *tally) phaseAt(at time.Duration) int {
	i := t.phase
	for i+1 < len(t.phases) && t.phases[i+1].Start <= at {
		i++
	}
	for i >= 0 && i < len(t.phases) && t.phases[i].Start > at {
		i--
	}
	if len(t.phases) == 0 {
		return -1
	}
	t.phase = max(i, 0)
	return i
}

func (t *tally) finish() {
	for i := range t.sum.Loads {
		l := &t.sum.Loads[i]
		l.Whole = newStats()
		merged := make(map[string]bool)
		for _, p := range t.phases {
			if !p.Warmup && !merged[p.Name] {
				merged[p.Name] = true
				l.Whole.merge(l.Phases[p.Name])
			}
		}
	}
}

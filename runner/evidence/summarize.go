package evidence

import (
	"fmt"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Bounds on a Summary, whatever the run's length.
const (
	maxIntervals = 3600    // a load
	allIntervals = 360_000 // of all loads
	maxStats     = 20_000  // loads times phases
	ticksEach    = 10      // an interval
)

// Summary counts the whole run in one pass over the samples and the messages; the second call
// gives the same Summary at once. Segments that cannot be read are left out and
// told by Warnings. Nobody may change a Summary.
func (r *Run) Summary() (*Summary, error) {
	r.mu.Lock()
	done := r.summary
	r.mu.Unlock()
	if done != nil {
		return done, nil
	}
	if n := len(r.Meta.Loads) * len(r.phases); n > maxStats {
		return nil, fmt.Errorf("summing up the run: %d loads in %d phases are too many", len(r.Meta.Loads), len(r.phases))
	}
	t := newTally(r)
	for rows, err := range batches(r.samples, nil, everyField) {
		if err != nil {
			r.warn(err.Error())
			continue
		}
		for i := range rows {
			t.add(&rows[i])
		}
	}
	for rows, err := range batches(r.messages, nil, newMessageDecoder) {
		if err != nil {
			r.warn(err.Error())
			continue
		}
		for i := range rows {
			t.addMessage(&rows[i])
		}
	}
	t.finish()
	if t.sum.Outside > 0 {
		r.warn(fmt.Sprintf("%d calls or messages belong to no load, or were intended outside of the timeline", t.sum.Outside))
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
	slices int // the most intervals a load may have
	whole  int // the intervals that the run takes up
	loads  []loadTally
	ticks  ticksOf
	phase  int // index in phases of the last call's, most likely that of the next
}

// loadTally is one load's part. Calls come nearly in the order of time, so those
// of the newest phase and interval go to dense histograms, which are fast but
// large, and stragglers straight to the packed ones.
type loadTally struct {
	stats     []*Stats // by index in phases
	phase     int      // the newest so far
	slice     int
	inPhase   [3]*hdrhistogram.Histogram // response, service, lag
	inSlice   *hdrhistogram.Histogram
	inPhaseOf *Stats
	messages  loadMessages
	busy      occupancy // from sent to done
	waiting   occupancy // from intended to sent
}

// loadMessages is the same for one load's messages.
type loadMessages struct {
	phase   int
	inPhase [3]*hdrhistogram.Histogram // response, service, lag
	of      *MessageStats
}

func newTally(r *Run) *tally {
	extent := r.extent()
	interval := intervalFor(extent, len(r.Meta.Loads))
	t := &tally{
		sum:    &Summary{Start: r.Meta.Start, Interval: interval, Tick: interval / ticksEach},
		phases: r.phases,
		slices: int(extent/interval) + 1,
		whole:  int((extent-1)/interval) + 1,
	}
	t.ticks = ticksOf{start: t.sum.Start, each: 1 / float64(t.sum.Tick)}
	for _, meta := range r.Meta.Loads {
		l := LoadSummary{Meta: meta, Phases: make(map[string]*Stats)}
		lt := loadTally{stats: make([]*Stats, len(r.phases)), phase: -1, slice: -1, messages: loadMessages{phase: -1}}
		for i, p := range r.phases {
			if l.Phases[p.Name] == nil {
				l.Phases[p.Name] = newStats()
			}
			lt.stats[i] = l.Phases[p.Name]
		}
		t.sum.Loads = append(t.sum.Loads, l)
		t.loads = append(t.loads, lt)
	}
	return t
}

// intervalFor is the least whole number of seconds that keeps the intervals of
// a run within bounds.
func intervalFor(extent time.Duration, loads int) time.Duration {
	most := time.Duration(max(1, min(maxIntervals, allIntervals/max(1, loads))))
	seconds := (extent + time.Second - 1) / time.Second
	return max(1, (seconds+most-1)/most) * time.Second
}

func (t *tally) add(s *Sample) {
	if s.Load < 0 || s.Load >= len(t.loads) {
		t.sum.Outside++
		return
	}
	l := &t.loads[s.Load]
	phase := t.phaseAt(s.Intended)
	if phase >= 0 {
		if phase > l.phase {
			l.toPhase(phase)
		}
		l.stats[phase].record(s)
	}
	at := s.Intended - t.sum.Start
	slice := int(at / t.sum.Interval)
	if at < 0 || slice >= t.slices {
		t.sum.Outside++
		return
	}
	if phase < 0 {
		t.sum.Outside++
	}
	sum := &t.sum.Loads[s.Load]
	if slice > l.slice {
		l.toSlice(sum, slice)
	}
	i := &sum.Intervals[slice]
	if i.Response == nil {
		i.Response = newDistribution(sliceDigits)
	}
	i.record(s)
	i.Response.record(s.Response())
	i.MaxLag = max(i.MaxLag, s.Lag())
	sum.Ticks[at/t.sum.Tick].record(s)
	sent, most := t.ticks.at(s.Sent), t.slices*ticksEach
	l.waiting.add(t.ticks.at(s.Intended), sent, most)
	l.busy.add(sent, t.ticks.at(s.Done), most)
}

func (t *tally) addMessage(m *Message) {
	phase := -1
	if m.Load >= 0 && m.Load < len(t.loads) {
		phase = t.phaseAt(m.Intended)
	}
	if phase < 0 {
		t.sum.Outside++
		return
	}
	l := &t.loads[m.Load]
	s := &l.stats[phase].Messages
	if phase > l.messages.phase {
		l.messages.phase = phase
		l.messages.to(s)
	}
	s.record(m)
}

// to lets the messages of a phase go to the dense histograms.
func (l *loadMessages) to(s *MessageStats) {
	l.leave()
	s.make()
	for i, d := range []*Distribution{s.Response, s.Service, s.Lag} {
		if l.inPhase[i] == nil {
			l.inPhase[i] = newDense(phaseDigits)
		}
		d.dense = l.inPhase[i]
	}
	l.of = s
}

func (l *loadMessages) leave() {
	if s := l.of; s != nil {
		for _, d := range []*Distribution{s.Response, s.Service, s.Lag} {
			d.settle()
		}
	}
}

// toPhase lets the calls of a phase go to the dense histograms.
func (l *loadTally) toPhase(phase int) {
	l.leavePhase()
	s := l.stats[phase]
	for i, d := range []*Distribution{s.Response, s.Service, s.Lag} {
		if l.inPhase[i] == nil {
			l.inPhase[i] = newDense(phaseDigits)
		}
		d.dense = l.inPhase[i]
	}
	l.phase, l.inPhaseOf = phase, s
}

func (l *loadTally) leavePhase() {
	if s := l.inPhaseOf; s != nil {
		for _, d := range []*Distribution{s.Response, s.Service, s.Lag} {
			d.settle()
		}
	}
}

// toSlice makes room for the intervals up to one, and lets its calls go to the
// dense histogram.
func (l *loadTally) toSlice(sum *LoadSummary, slice int) {
	l.leaveSlice(sum)
	sum.growTo(slice + 1)
	if l.inSlice == nil {
		l.inSlice = newDense(sliceDigits)
	}
	r := newDistribution(sliceDigits)
	r.dense = l.inSlice
	sum.Intervals[slice].Response, l.slice = r, slice
}

// growTo makes at least n intervals.
func (l *LoadSummary) growTo(n int) {
	for len(l.Intervals) < n {
		l.Intervals = append(l.Intervals, Interval{})
		l.Ticks = append(l.Ticks, make([]Counts, ticksEach)...)
	}
}

func (l *loadTally) leaveSlice(sum *LoadSummary) {
	if l.slice >= 0 {
		sum.Intervals[l.slice].Response.settle()
	}
}

// phaseAt is the index of the phase begun last at a time, -1 before the first.
func (t *tally) phaseAt(at time.Duration) int {
	if len(t.phases) == 0 {
		return -1
	}
	i := t.phase
	for i+1 < len(t.phases) && t.phases[i+1].Start <= at {
		i++
	}
	for i >= 0 && t.phases[i].Start > at {
		i--
	}
	t.phase = max(i, 0)
	return i
}

func (t *tally) finish() {
	for i := range t.sum.Loads {
		l := &t.sum.Loads[i]
		t.loads[i].leavePhase()
		t.loads[i].messages.leave()
		t.loads[i].leaveSlice(l)
		l.growTo(t.whole)
		l.InFlight = t.loads[i].busy.settle(len(l.Ticks))
		l.Waiting = t.loads[i].waiting.settle(len(l.Ticks))
		for _, s := range l.Phases {
			s.settle()
		}
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

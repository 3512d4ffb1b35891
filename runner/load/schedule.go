package load

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"sort"
	"time"

	"ordeal/runner/evidence"
)

// Schedule says when each call of a load is to start.
type Schedule interface {
	// At is the intended start of call n, counted from 0, as an offset from the
	// start of the timeline. ok is false when there is no call n, and then for
	// every greater n. At is pure in n: it does not depend on what was asked
	// before, and it may be called from many goroutines. It never falls as n
	// grows.
	At(n uint64) (offset time.Duration, ok bool)
}

// PhaseSpan is one phase of the timeline, as a load sees it.
type PhaseSpan struct {
	Name  string
	Start time.Duration // from the start of the timeline
	For   time.Duration
	Rate  *Curve // the load's rate in this phase; nil for the load's own curve
}

// The most calls that one load may plan: 11 days at 1,000 calls a second; for
// Poisson arrivals, which need a table of 1 byte for every 8 calls, 2 days.
const (
	maxPlanned = 1e9
	maxPoisson = 2e8
)

// Schedule works the plan of the load out. The load's own curve spans the whole
// timeline; where a phase has a curve of its own, that one spans the phase and
// hides the load's. In a closed model the schedule is without end and has every
// call due at once.
func (s *Spec) Schedule(phases []PhaseSpan, seed uint64) (Schedule, error) {
	if s.Closed() {
		for _, p := range phases {
			if p.Rate != nil {
				return nil, fmt.Errorf("load %s: a closed model has no rate that phase %s could change", s.Name, p.Name)
			}
		}
		return unpaced{}, nil
	}
	if s.Rate.shape() == nil {
		return nil, fmt.Errorf("load %s has no rate", s.Name)
	}
	line, err := timeline(s.Rate, phases)
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", s.Name, err)
	}
	most := float64(maxPlanned)
	if s.Arrivals == "poisson" {
		most = maxPoisson
	}
	if line.total > most {
		return nil, fmt.Errorf("load %s: %.3g calls are planned, more than the %.3g that a run can have", s.Name, line.total, most)
	}
	if s.Arrivals == "poisson" {
		return newPoisson(line, mix(seed, hashString(s.Name))), nil
	}
	return line, nil
}

// Meta describes the load for the record of the run. Planned counts are found
// by search, not by walking the calls.
func (s *Spec) Meta(phases []PhaseSpan, seed uint64) evidence.LoadMeta {
	m := evidence.LoadMeta{
		Name: s.Name, Target: s.Target(), Model: "open", Arrivals: s.Arrivals,
		Shape: s.Rate.String(), Workers: s.inFlight(), Timeout: s.timeout(),
	}
	switch {
	case s.HTTP != nil:
		method, path, _ := s.HTTP.request()
		m.Engine, m.Call, m.Transport = "http", method+" "+path, s.HTTP.transport(s.Secure)
	case s.GRPC != nil:
		m.Engine, m.Call = "grpc", s.GRPC.Call
	case s.Trickle != nil:
		m.Engine, m.Call = "trickle", "GET "+s.Trickle.path()+", a byte at a time"
	}
	if s.Closed() {
		m.Model, m.Arrivals, m.Shape = "closed", "closed", fmt.Sprintf("%d clients", s.Clients)
		return m
	}
	if m.Arrivals == "" {
		m.Arrivals = "uniform"
	}
	if schedule, err := s.Schedule(phases, seed); err == nil {
		m.Planned = Planned(schedule, phases)
	}
	return m
}

// Planned counts the calls that are intended to start in each phase.
func Planned(s Schedule, phases []PhaseSpan) map[string]int64 {
	planned := make(map[string]int64, len(phases))
	for _, p := range phases {
		planned[p.Name] += int64(before(s, p.Start+p.For) - before(s, p.Start))
	}
	return planned
}

// before counts the calls that are intended to start before t.
func before(s Schedule, t time.Duration) uint64 {
	reached := func(n uint64) bool {
		at, ok := s.At(n)
		return !ok || at >= t
	}
	bound := uint64(1)
	for !reached(bound-1) && bound < 1<<40 {
		bound *= 2
	}
	return uint64(sort.Search(int(bound), func(n int) bool { return reached(uint64(n)) }))
}

// unpaced is the schedule of a closed model.
type unpaced struct{}

func (unpaced) At(uint64) (time.Duration, bool) { return 0, true }

// line is a rate over the whole timeline, in pieces, and the uniform schedule
// that follows from it: call n is due when the integral of the rate reaches n.
// No error adds up over the calls, because each is computed from its number.
type line struct {
	pieces []piece
	start  []float64 // of each piece, seconds
	done   []float64 // calls due before each piece
	total  float64   // calls due in all
	count  uint64    // whole calls
}

// timeline lays the load's curve over the phases, with the curves of phases in
// its place where they have one.
func timeline(whole *Curve, phases []PhaseSpan) (*line, error) {
	phases = slices.Clone(phases)
	slices.SortStableFunc(phases, func(a, b PhaseSpan) int { return cmp.Compare(a.Start, b.Start) })
	var end time.Duration
	for _, p := range phases {
		if p.For < 0 || p.Start < end {
			return nil, fmt.Errorf("phase %s starts at %v, before the one before it ends, or ends before it starts", p.Name, p.Start)
		}
		end = p.Start + p.For
	}
	if end <= 0 {
		return nil, errors.New("the timeline has no length")
	}
	base := newLine(whole.shape().pieces(end))
	var pieces []piece
	var at time.Duration
	for _, p := range phases {
		pieces = append(pieces, base.cut(at, p.Start)...)
		if own := p.Rate.shape(); own != nil {
			pieces = append(pieces, own.pieces(p.For)...)
		} else {
			pieces = append(pieces, base.cut(p.Start, p.Start+p.For)...)
		}
		at = p.Start + p.For
	}
	return newLine(pieces), nil
}

func newLine(pieces []piece) *line {
	l := &line{}
	var start float64
	for _, p := range pieces {
		if p.span <= 0 {
			continue
		}
		l.pieces = append(l.pieces, p)
		l.start = append(l.start, start)
		l.done = append(l.done, l.total)
		start += p.span
		l.total += p.due(p.span)
	}
	// A total such as 2999.9999999996 is 3000 calls that were added up in binary.
	l.count = uint64(math.Ceil(l.total - 1e-9*(1+l.total)))
	return l
}

// cut returns the pieces between two offsets.
func (l *line) cut(from, to time.Duration) []piece {
	var out []piece
	for i, p := range l.pieces {
		low := max(from.Seconds()-l.start[i], 0)
		high := min(to.Seconds()-l.start[i], p.span)
		if high-low < 1e-9 {
			continue
		}
		rest := p.from(low)
		rest.span = high - low
		out = append(out, rest)
	}
	return out
}

// when is the offset at which the integral of the rate reaches n.
func (l *line) when(n float64) time.Duration {
	// Call n belongs to the last piece that begins with at most n done: of several
	// (after a span without load) the last one, so that the call waits for the
	// load to return. The margin is for sums that binary fractions miss by a hair.
	margin := 1e-9 * (1 + n)
	i := sort.Search(len(l.done), func(i int) bool { return l.done[i] > n+margin }) - 1
	seconds := l.start[i] + l.pieces[i].when(n-l.done[i])
	return time.Duration(math.Round(seconds * 1e9))
}

func (l *line) At(n uint64) (time.Duration, bool) {
	if n >= l.count {
		return 0, false
	}
	return l.when(float64(n)), true
}

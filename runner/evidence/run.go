package evidence

import (
	"fmt"
	"iter"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// Format is the version of the run directory that this package writes and
// reads.
const Format = 1

// Run is a run directory opened for reading. It need not have ended: the
// evidence of a killed run is read as far as it goes. Its methods may be
// called from several goroutines.
type Run struct {
	Dir    string
	Meta   Meta
	Events []Event // as they happened

	last     time.Duration // the latest time that evidence speaks of
	phases   []Span
	samples  []segment
	messages []segment
	points   []segment

	mu       sync.Mutex
	warnings []string
	summary  *Summary

	series     map[SeriesName][]Series
	seriesKept int // values in them

	firstOnce sync.Once
	first     map[string]time.Duration
	firstErr  error

	verify     sync.Once
	altered    []string
	unverified error
}

// Warnings says what of the evidence could not be used: a segment without a
// footer, a torn line, a damaged page. Damage inside a segment is found only
// when it is read, so Summary and Series may add to it.
func (r *Run) Warnings() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.warnings)
}

// Killed reports whether the run never ended: it is still going on, or its
// process was killed.
func (r *Run) Killed() bool { return r.Meta.Outcome == Running }

// End is when the timeline ended: Meta.Took, or the latest time that evidence
// speaks of where the run did not come to its end.
func (r *Run) End() time.Duration {
	if r.Meta.Took > 0 {
		return r.Meta.Took
	}
	return r.last
}

// Phases are the phases that were begun, in order, as they really were.
func (r *Run) Phases() []Span { return r.phases }

// Phase finds a phase that was begun.
func (r *Run) Phase(name string) (Span, bool) {
	for _, s := range r.phases {
		if s.Name == name {
			return s, true
		}
	}
	return Span{}, false
}

// PhaseAt is the phase that was begun last at an offset, also after its end;
// ok is false before the first one.
func (r *Run) PhaseAt(t time.Duration) (Span, bool) {
	for i := len(r.phases) - 1; i >= 0; i-- {
		if r.phases[i].Start <= t {
			return r.phases[i], true
		}
	}
	return Span{}, false
}

// Faults are all faults of the run in the order of their injection, also those
// that could not be injected.
func (r *Run) Faults() []FaultSpan { return faultSpans(r.Events) }

func (r *Run) warn(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !slices.Contains(r.warnings, text) {
		r.warnings = append(r.warnings, text)
	}
}

// Scenario is the scenario file, verbatim.
func (r *Run) Scenario() ([]byte, error) {
	text, err := readSmall(filepath.Join(r.Dir, scenarioFile))
	if err != nil {
		return nil, fmt.Errorf("reading the run's scenario: %w", err)
	}
	return text, nil
}

// Samples streams the calls in bounded memory, a segment after the other; no
// order is promised within one, but it is the same each time. An error speaks of one segment, whose remaining
// rows are left out; the stream goes on with the next one unless the caller
// stops it.
func (r *Run) Samples() iter.Seq2[Sample, error] {
	return func(yield func(Sample, error) bool) { stream(r.samples, everyField, yield) }
}

// Query says which calls a pass goes through, and what of them it reads.
type Query struct {
	Fields Fields
	// From and To bound the time that is of interest; zero both is all of it.
	// Calls that lie outside of it from Intended to Done may be left out. Those
	// near it come too.
	From, To time.Duration
}

// Scan streams the calls some at a time, which is faster than one by one: each
// batch is valid until the next only. Else it is as Samples.
func (r *Run) Scan(q Query) iter.Seq2[[]Sample, error] {
	var only *stretch
	if q.From != 0 || q.To != 0 {
		only = &stretch{q.From, q.To}
	}
	return batches(r.samples, only, func() decoder[Sample] { return newSampleDecoder(q.Fields) })
}

// Messages streams the messages of streaming calls as Samples does the calls.
func (r *Run) Messages() iter.Seq2[Message, error] {
	return func(yield func(Message, error) bool) { stream(r.messages, newMessageDecoder, yield) }
}

// Points streams the values of all series as Samples does the calls.
func (r *Run) Points() iter.Seq2[Point, error] {
	return func(yield func(Point, error) bool) { stream(r.points, newPointDecoder, yield) }
}

func stream[T any](from []segment, fresh func() decoder[T], yield func(T, error) bool) {
	var none T
	for more, err := range batches(from, nil, fresh) {
		if err != nil {
			if !yield(none, err) {
				return
			}
			continue
		}
		for i := range more {
			if !yield(more[i], nil) {
				return
			}
		}
	}
}

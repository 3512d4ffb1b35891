package evidence

import (
	"iter"
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

	last    time.Duration // the latest time that evidence speaks of
	phases  []Span
	samples []segment
	points  []segment

	mu       sync.Mutex
	warnings []string
	summary  *Summary
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

// Declared here until their bodies come.

type segment struct{ path string }

// Samples streams the calls.
func (r *Run) Samples() iter.Seq2[Sample, error] { return func(func(Sample, error) bool) {} }

// Points streams the values of all series.
func (r *Run) Points() iter.Seq2[Point, error] { return func(func(Point, error) bool) {} }

// Series gathers series by target ("" for all; "users" is also its replicas "users/0", "users/1", …) and name ("" for all).
func (r *Run) Series(target, name string) ([]Series, error) { return nil, nil }

// Scenario is the scenario file, verbatim.
func (r *Run) Scenario() ([]byte, error) { return nil, nil }

// Verify compares the files with the hashes taken when the run ended, and says in one line each what differs.
func (r *Run) Verify() ([]string, error) { return nil, nil }

// Summary counts everything in one pass, once.
func (r *Run) Summary() (*Summary, error) { return &Summary{}, nil }

// Open opens a run directory.
func Open(dir string) (*Run, error) { return nil, nil }

// Writer keeps the evidence of a run that goes on. It is a Sink.
type Writer struct{}

// Create makes the run directory.
func Create(dir string, meta Meta, scenario []byte) (*Writer, error) { return nil, nil }

// Update changes run.json.
func (w *Writer) Update(change func(*Meta)) error { return nil }

// Err is the first failure to write.
func (w *Writer) Err() error { return nil }

// Close writes what is buffered, the hashes and the final run.json.
func (w *Writer) Close(outcome Outcome, cause error) error { return nil }

// Sample keeps a call.
func (w *Writer) Sample(s Sample) {}

// Event keeps an event.
func (w *Writer) Event(e Event) {}

// Point keeps a value of a series.
func (w *Writer) Point(p Point) {}

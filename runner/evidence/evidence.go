// Package evidence is the run directory: what a run leaves behind, how it is
// written while the run goes on, and how it is read again with the system
// under test gone.
//
// All times in evidence are offsets from one base instant, read from one
// monotonic clock; Meta.Base gives the wall clock of offset zero.
package evidence

// Sink takes evidence while a run goes on. Its methods may be called from many
// goroutines, do not fail and do not wait for the disk: a failure to write is
// kept by the owner of the sink, which fails the run.
type Sink interface {
	Sample(Sample)
	Event(Event)
	Point(Point)
}

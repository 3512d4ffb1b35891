// Package evidence is the run directory: what a run leaves behind, how it is
// written while the run goes on, and how it is read again with the system
// under test gone.
//
// A run directory holds:
//
//	run.json           Meta
//	scenario.yaml      the scenario, verbatim
//	events.jsonl       an Event a line, as they happened
//	samples/*.parquet  a row a call: load, load_name, seq, intended_ns, sent_ns, done_ns, class, code, bytes, backend, mark
//	messages/*.parquet a row a message of a streaming call: load, load_name, call, n, intended_ns, sent_ns, done_ns, class
//	series/*.parquet   a row a value: at_ns, target, name, labels, value
//
// Without streaming calls there is no messages directory. Parquet files are numbered segments of a few seconds each. One that is not
// finished has a name that ends in .partial, so a kill costs no more than those.
//
// All times in evidence are offsets from one base instant, read from one
// monotonic clock; Meta.Base gives the wall clock of offset zero.
package evidence

// Sink takes evidence while a run goes on. Its methods may be called from many
// goroutines and do not fail: a failure to write is kept by the owner of the
// sink, which fails the run. They return at once as long as what they took can be
// kept in bounded memory; a Writer whose disk cannot keep up holds its callers
// back, which Meta.Waits counts.
type Sink interface {
	Sample(Sample)
	Message(Message)
	Event(Event)
	Point(Point)
}

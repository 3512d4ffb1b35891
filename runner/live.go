package runner

import (
	"sync/atomic"
	"time"

	"ordeal/runner/evidence"
	"ordeal/runner/load"
	"ordeal/runner/telemetry"
)

// live passes evidence on and keeps the figures that are shown while a run goes
// on. They are rough: verdicts never rest on them.
type live struct {
	evidence.Sink
	tally  *telemetry.Tally
	served *telemetry.Run  // nil where metrics are not served
	issued []*atomic.Int64 // of each load
}

// newLive makes the figures of a run, and shows them where they are to be
// served; waits tells how often evidence had to wait so far.
func newLive(out evidence.Sink, waits func() int64, meta *evidence.Meta, metrics *telemetry.Exporter) *live {
	l := &live{Sink: out, tally: telemetry.NewTally(len(meta.Loads), metrics != nil)}
	for range meta.Loads {
		l.issued = append(l.issued, new(atomic.Int64))
	}
	if metrics != nil {
		l.served = telemetry.NewRun(meta, l.tally, l.issued, waits)
		metrics.Show(l.served)
	}
	return l
}

// Sample counts a call and passes it on.
func (l *live) Sample(s evidence.Sample) {
	l.tally.Sample(&s)
	l.Sink.Sample(s)
}

// Message counts a message of a call and passes it on.
func (l *live) Message(m evidence.Message) {
	l.tally.Message(&m)
	l.Sink.Message(m)
}

// Event shows what has happened and passes it on.
func (l *live) Event(e evidence.Event) {
	if l.served != nil {
		l.served.Event(e)
	}
	l.Sink.Event(e)
}

// started says how many calls of each load are due, now that the timeline has a
// start; elapsed is the time since, below zero before it.
func (l *live) started(engines []engine, elapsed func() time.Duration) {
	if l.served == nil {
		return
	}
	schedules := make([]load.Schedule, len(engines)) // not the engines, which hold all that calls are made of
	for i, e := range engines {
		schedules[i] = e.schedule
	}
	l.served.Started(func(i int) int64 {
		so := load.PhaseSpan{For: max(elapsed(), 0)}
		return load.Planned(schedules[i], []load.PhaseSpan{so})[so.Name]
	})
}

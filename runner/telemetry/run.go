package telemetry

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"ordeal/runner/evidence"
)

// Run is one run as it is served. It is told of what happens by Event, and reads
// the calls from its Tally.
type Run struct {
	scenario, id string
	began        time.Time
	loads        []Load
	tally        *Tally
	waits        func() int64

	mu      sync.Mutex
	due     func(load int) int64 // nil until the timeline has a start, and after the run
	frozen  []int64              // calls due when a load, or the run, ended; -1 while it goes on
	phase   string
	acting  map[faultKey]int // every fault of the plan has an entry
	outcome string
}

// Load is one load of a Run.
type Load struct {
	Name    string
	Open    bool          // it has a schedule
	Planned int64         // calls that the schedule has in all
	Limit   int           // the most calls in flight
	Issued  *atomic.Int64 // calls issued so far
}

type faultKey struct{ fault, link, target string }

// NewRun makes what is served of a run from its record and its Tally. issued
// has the counter of each load's calls, and waits tells Meta.Waits so far.
func NewRun(meta *evidence.Meta, tally *Tally, issued []*atomic.Int64, waits func() int64) *Run {
	r := &Run{
		scenario: meta.Scenario, id: meta.ID, began: meta.Base, tally: tally, waits: waits,
		acting: make(map[faultKey]int), outcome: string(evidence.Running),
	}
	for i, l := range meta.Loads {
		load := Load{Name: l.Name, Open: l.Model == "open", Limit: l.Workers, Issued: issued[i]}
		for _, n := range l.Planned {
			load.Planned += n
		}
		r.loads = append(r.loads, load)
		r.frozen = append(r.frozen, -1)
	}
	for _, p := range meta.Phases {
		for _, f := range p.Faults {
			r.acting[faultKey{f.Fault, f.Link, f.Target}] = 0
		}
	}
	return r
}

// Started says that the timeline has a start, and how many calls of an open
// load, by number, are due at the time of asking.
func (r *Run) Started(due func(load int) int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.due = due
}

// Event takes what happens in the run.
func (r *Run) Event(e evidence.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch e.Kind {
	case evidence.PhaseStart:
		r.phase = e.Phase
	case evidence.PhaseEnd:
		if r.phase == e.Phase {
			r.phase = ""
		}
	case evidence.FaultInjected:
		r.acting[faultKey{e.Fault, e.Link, e.Target}]++
	case evidence.FaultHealed:
		r.acting[faultKey{e.Fault, e.Link, e.Target}]--
	case evidence.LoadEnd:
		for i := range r.loads {
			if r.loads[i].Name == e.Load {
				r.frozen[i] = r.dueNow(i)
			}
		}
	case evidence.RunEnd:
		r.phase, r.outcome = "", e.Text
		for i := range r.loads {
			r.frozen[i] = r.dueNow(i)
		}
		r.due = nil // it may hold tables as long as the run had calls
	}
}

// dueNow counts the calls of a load that are due; r.mu is held.
func (r *Run) dueNow(load int) int64 {
	switch {
	case r.frozen[load] >= 0:
		return r.frozen[load]
	case r.due == nil || !r.loads[load].Open:
		return 0
	}
	return r.due(load)
}

// collect gives every series of the run.
func (r *Run) collect(f *families, out chan<- prometheus.Metric) {
	for i := range r.loads {
		r.collectCalls(f, out, i)
		r.collectMessages(f, out, i)
	}
	out <- f.waits.value(float64(r.waits()), r.began, r.scenario)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.phase != "" {
		out <- f.phase.value(1, r.began, r.scenario, r.phase)
	}
	for k, n := range r.acting {
		out <- f.fault.value(float64(n), r.began, r.scenario, k.fault, k.link, k.target)
	}
	out <- f.run.value(1, r.began, r.scenario, r.id, r.outcome)
}

func (r *Run) collectCalls(f *families, out chan<- prometheus.Metric, load int) {
	l := &r.loads[load]
	var ended uint64
	var allBytes int64
	for class := range evidence.Class(evidence.NumClasses) {
		response, service, bytes, ok := r.tally.calls(load, class)
		if !ok && class != evidence.OK {
			continue // of the classes, OK alone is there before it occurs
		}
		count := response.count()
		ended += count
		allBytes += bytes
		out <- f.response.histogram(&response, r.began, r.scenario, l.Name, class.String())
		out <- f.service.histogram(&service, r.began, r.scenario, l.Name, class.String())
		out <- f.calls.value(float64(count), r.began, r.scenario, l.Name, class.String())
	}
	lag := r.tally.lag(load)
	out <- f.lag.histogram(&lag, r.began, r.scenario, l.Name)
	out <- f.bytes.value(float64(allBytes), r.began, r.scenario, l.Name)
	// In this order, so that none of the differences can be below zero: a call is
	// due, then issued, then ended.
	issued := l.Issued.Load()
	out <- f.issued.value(float64(issued), r.began, r.scenario, l.Name)
	out <- f.inFlight.value(float64(issued-int64(ended)), r.began, r.scenario, l.Name)
	out <- f.limit.value(float64(l.Limit), r.began, r.scenario, l.Name)
	if !l.Open {
		return
	}
	r.mu.Lock()
	due := r.dueNow(load)
	r.mu.Unlock()
	out <- f.planned.value(float64(l.Planned), r.began, r.scenario, l.Name)
	out <- f.due.value(float64(due), r.began, r.scenario, l.Name)
	out <- f.waiting.value(float64(due-issued), r.began, r.scenario, l.Name)
}

func (r *Run) collectMessages(f *families, out chan<- prometheus.Metric, load int) {
	response, service, ok := r.tally.messages(load)
	if !ok {
		return
	}
	name := r.loads[load].Name
	out <- f.messageResponse.histogram(&response, r.began, r.scenario, name)
	out <- f.messageService.histogram(&service, r.began, r.scenario, name)
	out <- f.messages.value(float64(response.count()), r.began, r.scenario, name)
}

package evidence

import "time"

// Span is a phase as it really was. Times are offsets from Meta.Base.
type Span struct {
	Name     string
	Start    time.Duration
	End      time.Duration // for a phase that did not end, the last thing known of it
	Planned  time.Duration // how long it was to be
	Complete bool          // it ran to its planned end
	Warmup   bool          // left out of every judgement that does not name it
	Faults   []FaultSpan   // what was injected in it
}

// Took is how long the phase lasted.
func (s Span) Took() time.Duration { return s.End - s.Start }

// Contains reports whether an offset lies in the phase, its end excluded.
func (s Span) Contains(t time.Duration) bool { return t >= s.Start && t < s.End }

// FaultSpan is one fault as it really was.
type FaultSpan struct {
	Phase, Fault, Link, Target string
	Injected                   time.Duration
	Healed                     time.Duration // zero where it was not healed, or nothing is known of it
	WasInjected, WasHealed     bool
	Touched                    *Touched // what it acted on; nil where unknown
	Failed                     string   // why it could not be injected or healed; "" where it could
}

// spans derives the phases from events, with what was planned filling in
// names, flags and lengths. last is the latest time that evidence speaks of.
func spans(meta *Meta, events []Event, last time.Duration) []Span {
	var out []Span
	open := -1 // index of the phase that goes on
	finish := func(at time.Duration, complete bool) {
		if open >= 0 {
			out[open].End, out[open].Complete = max(at, out[open].Start), complete
			open = -1
		}
	}
	planned := make(map[string]*PhaseMeta, len(meta.Phases))
	for i := range meta.Phases {
		planned[meta.Phases[i].Name] = &meta.Phases[i]
	}
	for i := range events {
		e := &events[i]
		switch e.Kind {
		case PhaseStart:
			finish(e.At, false)
			s := Span{Name: e.Phase, Start: e.At}
			if p := planned[e.Phase]; p != nil {
				s.Planned, s.Warmup = p.For, p.Warmup
				s.Start = onSchedule(e.At, p.Start)
			}
			open, out = len(out), append(out, s)
		case PhaseEnd:
			if open >= 0 && out[open].Name == e.Phase {
				end, complete := e.At, e.Text == ""
				if s := out[open]; complete && s.Planned > 0 {
					end = onSchedule(end, s.Start+s.Planned)
				}
				finish(end, complete)
			}
		case RunEnd:
			finish(e.At, false)
		}
	}
	if open >= 0 {
		s := &out[open]
		end := last
		if s.Planned > 0 {
			end = min(end, s.Start+s.Planned)
		}
		finish(end, false)
	}
	if len(events) == 0 { // the file was lost: otherwise a phase without an event was not begun
		out = plannedSpans(meta, last)
	}
	for _, f := range faultSpans(events) {
		for i := range out {
			if out[i].Name == f.Phase {
				out[i].Faults = append(out[i].Faults, f)
				break
			}
		}
	}
	return out
}

// onSchedule gives the planned edge of a phase where the event of it came about
// then. The event is written some time after the edge, but calls are intended
// by the schedule: the first call of a phase is intended at its very edge.
func onSchedule(at, planned time.Duration) time.Duration {
	const late = time.Second
	if at >= planned && at < planned+late {
		return planned
	}
	return at
}

// plannedSpans stands in where there are no events at all: the phases that must
// have begun before the last thing that is known.
func plannedSpans(meta *Meta, last time.Duration) []Span {
	var out []Span
	for _, p := range meta.Phases {
		if p.Start < last {
			end := p.Start + p.For
			out = append(out, Span{
				Name: p.Name, Start: p.Start, End: min(end, last), Planned: p.For,
				Complete: end <= last, Warmup: p.Warmup,
			})
		}
	}
	return out
}

// faultSpans pairs what was injected with what was healed.
func faultSpans(events []Event) []FaultSpan {
	type key struct{ phase, fault, link, target string }
	var out []FaultSpan
	open := make(map[key]int)
	for i := range events {
		e := &events[i]
		k := key{e.Phase, e.Fault, e.Link, e.Target}
		at, known := open[k]
		if !known && (e.Kind == FaultInjected || e.Kind == FaultFailed) {
			at, open[k] = len(out), len(out)
			out = append(out, FaultSpan{Phase: e.Phase, Fault: e.Fault, Link: e.Link, Target: e.Target})
			known = true
		}
		if !known {
			continue
		}
		f := &out[at]
		switch e.Kind {
		case FaultInjected:
			f.Injected, f.WasInjected = e.At, true
		case FaultHealed:
			f.Healed, f.WasHealed, f.Touched = e.At, true, e.Touched
			delete(open, k)
		case FaultFailed:
			f.Failed = e.Text
		}
	}
	return out
}

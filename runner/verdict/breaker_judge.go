package verdict

import (
	"fmt"
	"slices"
	"time"

	"ordeal/runner/evidence"
)

// rests: the fault and the calls of its phase; what comes after the phase is
// looked at as far as it was watched.
func (b *Breaker) rests(*evidence.Run) basis {
	return basis{load: b.Load, phases: Phases{b.During}}
}

func (b *Breaker) reads() []evidence.SeriesName {
	names := []evidence.SeriesName{{Target: b.link(), Name: linkCalls}, {Target: b.link(), Name: "link_connections_total"}}
	for _, name := range []string{"breaker_state", "breaker_transitions_total", "breaker_last_transition_timestamp_seconds", "breaker_calls_total"} {
		names = append(names, evidence.SeriesName{Target: b.Target, Name: name})
	}
	return names
}

// inquiry is everything that the properties of a breaker are judged by.
type inquiry struct {
	*Breaker
	breakerWindow
	run       *evidence.Run
	line      *timeline // nil where the breaker exports nothing
	noLine    string    // why
	link      *linkLog  // nil where the link was not watched
	noLink    string    // why
	seen      *history
	opened    edge // the first opening after the injection
	hasOpened bool
}

// Judge verifies the breaker property by property.
func (b *Breaker) Judge(run *evidence.Run) Verdict {
	v := Verdict{Kind: "breaker", Name: b.String() + closedNote(run, b.Load), Load: b.Load, Phase: b.During, Target: b.Target}
	spans, why := Phases{b.During}.spans(run)
	if why != "" {
		return v.unknown("%s", why)
	}
	w, why := watch(run, spans[0])
	if why != "" {
		return v.unknown("%s", why)
	}
	q := &inquiry{Breaker: b, breakerWindow: w, run: run}
	q.line, q.noLine = readTimeline(run, b.Target, b.label(), b.Name != "")
	q.link, q.noLink = readLink(run, b.link())
	seen, err := b.readHistory(run, w, q.line)
	if err != nil {
		return v.unknown("%v", err)
	}
	if q.seen = seen; seen.calls == 0 {
		return v.unknown("there is no call of %s while the fault acted", b.Load)
	}
	if q.line != nil {
		// Looking a little before the injection costs nothing where clocks differ a little.
		q.opened, q.hasOpened = q.line.first(way{closedState, openState}, w.inject-clockMargin)
		q.hasOpened = q.hasOpened && q.opened.at < w.end
	}
	v = v.compose(q.parts())
	v.excess = slices.ContainsFunc(v.Parts, func(p Part) bool { return p.Status == Fail && slices.Contains(excesses, p.Name) })
	if v.Status == Pass {
		v.Measured = q.summary()
	}
	return v
}

// excesses are the properties that a breaker lacks by doing more than it should,
// which it did whatever calls were not sent.
var excesses = []string{"no leaks", "probes bounded", "legal edges", "no flapping"}

// parts judges every property that was asked for, and those that are always due.
func (q *inquiry) parts() []Part {
	var parts []Part
	add := func(asked bool, judge func() Part) {
		if asked {
			parts = append(parts, judge())
		}
	}
	add(q.OpensWithin > 0, q.opensWithin)
	add(q.Sheds != nil, q.sheds)
	add(q.Leaks != nil || q.Sheds != nil && *q.Sheds == 1, q.leaks)
	add(q.Sheds != nil || q.RejectsWithin > 0, q.rejectsFast)
	add(q.Open > 0, q.staysOpen)
	add(q.Probes > 0, q.probes)
	add(q.Reopens != nil, q.reopens)
	add(q.ClosesWithin > 0, q.closesWithin)
	add(true, q.legalEdges)
	add(true, q.noFlapping)
	add(true, q.metricAgrees)
	return parts
}

func (q *inquiry) summary() string {
	if !q.hasOpened {
		return ""
	}
	text := "open after " + formatDuration(max(0, q.opened.at-q.inject))
	if e, ok := q.line.first(way{halfOpenState, closedState}, q.heal); ok {
		text += ", closed again " + formatDuration(e.at-q.heal) + " after the heal"
	}
	return text
}

// watch finds when the fault acted, and how long the breaker was watched after
// it: until the next fault, or the end of the timeline.
func watch(run *evidence.Run, during evidence.Span) (w breakerWindow, why string) {
	w.inject, w.heal = during.Start, during.End
	for i, f := range during.Faults {
		switch {
		case !f.WasInjected:
			return w, fmt.Sprintf("%s could not be injected", f.Fault)
		case !f.WasHealed:
			return w, fmt.Sprintf("there is no record of the heal of %s", f.Fault)
		case i == 0:
			w.inject, w.heal = f.Injected, f.Healed
		}
		w.inject, w.heal = min(w.inject, f.Injected), max(w.heal, f.Healed)
	}
	w.end = max(w.heal, watchedUntil(run, w.heal))
	return w, ""
}

// faulted are the stretches in a state that began after the injection.
func (q *inquiry) faulted(state string) []int {
	var found []int
	if q.line == nil {
		return nil
	}
	for i, s := range q.line.stretches {
		if s.state == state && s.began && !s.murky && s.start >= q.inject-clockMargin && s.start < q.end {
			found = append(found, i)
		}
	}
	return found
}

// drained is when calls that were under way as it opened have reached the link.
func (q *inquiry) drained(s stretch) time.Duration {
	drain := q.Drain
	if drain == 0 {
		drain = time.Second
	}
	return s.start + min(drain, (s.end-s.start)/2)
}

// as fills in the result of a part.
func (p Part) as(s Status, format string, args ...any) Part {
	p.Status, p.Why = s, fmt.Sprintf(format, args...)
	return p
}

// never is the result of a property that cannot be looked at because the
// breaker did not open, or does not say so.
func (q *inquiry) never(p Part) Part {
	switch {
	case q.line == nil && q.seen.shed > 0:
		return p.as(Inconclusive, "%s", q.noLine)
	case q.line != nil && len(q.line.hidden) > 0:
		return p.as(Inconclusive, "scrapes were too far apart to tell its states from each other")
	}
	return p.as(Inconclusive, "it did not open")
}

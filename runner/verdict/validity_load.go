package verdict

import (
	"fmt"
	"slices"
	"time"

	"ordeal/runner/evidence"
)

// The share of the planned calls that must have been sent for the offered rate
// to count as reached.
const reachedShare = 0.99

// A generator whose calls are, at the median, later than this did not make the
// load that the scenario describes.
const starvedLag = 100 * time.Millisecond

// judged reports whether some check rests on a load in a phase.
func judged(run *evidence.Run, checks []Check, load string, phase evidence.Span) bool {
	return slices.ContainsFunc(checks, func(c Check) bool {
		b := basisOf(run, c)
		return b.uses(load) && b.covers(phase)
	})
}

// loadValidity looks, for each load and each phase that a check rests on,
// whether the load was what it was to be. What is well is said in one line for
// all phases of a load; what is not, in a line each.
func loadValidity(run *evidence.Run, checks []Check) []finding {
	if neverBegan(run) {
		return nil // there was to be no load yet
	}
	summary, err := run.Summary()
	if err != nil {
		return []finding{{
			verdict: inconclusive("offered rate", "the offered rate was reached", fmt.Sprintf("the samples cannot be read: %v", err)),
			touches: func(b basis) bool { return b.load != "" },
		}}
	}
	var flights *traffic // gone through once, and only where something is odd
	var found []finding
	for i := range summary.Loads {
		load := &summary.Loads[i]
		var phases []evidence.Span
		for _, s := range run.Phases() {
			if s.Complete && judged(run, checks, load.Meta.Name, s) {
				phases = append(phases, s)
			}
		}
		if len(phases) == 0 {
			continue
		}
		if flights == nil && slices.ContainsFunc(phases, func(s evidence.Span) bool { return odd(load, s) }) {
			if flights, err = inFlight(run); err != nil {
				flights = nil
			}
		}
		found = append(found, offered(run, load, phases, flights)...)
		found = append(found, punctual(run, load, phases, flights)...)
	}
	return found
}

// odd reports whether it takes a closer look to say why calls were late or not sent.
func odd(load *evidence.LoadSummary, s evidence.Span) bool {
	stats := load.Over(s.Name)
	lag, _ := stats.Lag.Percentile(99)
	return lag > smallLag || stats.Calls < load.Meta.Planned[s.Name]
}

func about(load *evidence.LoadSummary, s evidence.Span, f finding) finding {
	f.verdict.Load, f.verdict.Phase = load.Meta.Name, s.Name
	f.touches = func(b basis) bool { return b.uses(load.Meta.Name) && b.covers(s) && !b.ownRate }
	return f
}

// offered looks whether the planned calls were sent.
func offered(run *evidence.Run, load *evidence.LoadSummary, phases []evidence.Span, flights *traffic) []finding {
	well := Verdict{Kind: "offered rate", Name: load.Meta.Name + " was offered at its rate", Load: load.Meta.Name, Limit: "> " + formatShare(reachedShare)}
	if load.Meta.Model == "closed" {
		well.Limit = ""
		well.Why = fmt.Sprintf("closed model: each client (%d) sends its next call when the last is answered, so a slow target gets less load", load.Meta.Workers)
		return append(empty(load, phases), finding{verdict: well})
	}
	var found []finding
	least := 1.0
	for _, s := range phases {
		planned, sent := load.Meta.Planned[s.Name], load.Over(s.Name).Calls
		if planned == 0 {
			continue // the load rests in this phase
		}
		share := float64(sent) / float64(planned)
		least = min(least, share)
		if share > reachedShare || planned-sent <= 1 {
			continue
		}
		v := well
		v.Measured = formatShare(share)
		v = v.unknown("%d of %d planned calls of %s were not sent during %s: %s", planned-sent, planned, load.Meta.Name, s.Name,
			blame(run, load, s, flights))
		found = append(found, about(load, s, finding{verdict: v, failStands: true}))
	}
	if len(found) == 0 {
		well.Measured = formatShare(least)
		return []finding{{verdict: well}}
	}
	return found
}

// empty finds the phases in which a load without a plan sent nothing.
func empty(load *evidence.LoadSummary, phases []evidence.Span) []finding {
	var found []finding
	for _, s := range phases {
		if load.Over(s.Name).Calls == 0 {
			v := inconclusive("offered rate", load.Meta.Name+" was offered", fmt.Sprintf("%s sent no call during %s", load.Meta.Name, s.Name))
			found = append(found, about(load, s, finding{verdict: v}))
		}
	}
	return found
}

func blame(run *evidence.Run, load *evidence.LoadSummary, s evidence.Span, flights *traffic) string {
	if flights == nil {
		return "nothing is known of the reason"
	}
	if l := flights.late(run, load.Meta.Name, Phases{s.Name}); l.byTarget() {
		return fmt.Sprintf("all %d workers were taken by calls that the target had not answered", l.workers)
	}
	return "the generator did not keep up; give it more CPU or ask for less load"
}

// punctual looks whether calls were sent when the schedule wanted them. Being
// late is no flaw of a run by itself, since response times include it; only a
// generator that is behind most of the time made another load than was asked for.
func punctual(run *evidence.Run, load *evidence.LoadSummary, phases []evidence.Span, flights *traffic) []finding {
	if load.Meta.Model == "closed" {
		return nil
	}
	well := Verdict{Kind: "generator", Name: load.Meta.Name + " was sent on time", Load: load.Meta.Name, Limit: "median lag <= " + starvedLag.String()}
	var found []finding
	var worst time.Duration
	for _, s := range phases {
		stats := load.Over(s.Name)
		median, _ := stats.Lag.Percentile(50)
		p99, _ := stats.Lag.Percentile(99)
		if p99 >= worst {
			worst = p99
			well.Measured = fmt.Sprintf("lag p50 %s, p99 %s", formatDuration(median), formatDuration(p99))
			well.Why = ""
			if p99 > smallLag {
				well.Why = fmt.Sprintf("calls of %s were late during %s; response times include that", load.Meta.Name, s.Name)
			}
		}
		if median <= starvedLag {
			continue
		}
		var l late
		if flights != nil {
			l = flights.late(run, load.Meta.Name, Phases{s.Name})
		}
		if l.byTarget() {
			well.Why = fmt.Sprintf("calls of %s waited during %s because all %d workers were taken by calls that the target had not answered; response times include that",
				load.Meta.Name, s.Name, l.workers)
			continue
		}
		v := well
		v.Measured = fmt.Sprintf("lag p50 %s, p99 %s", formatDuration(median), formatDuration(p99))
		v = v.unknown("the generator was starved during %s: half of the calls of %s were sent more than %s late; give it more CPU or ask for less load",
			s.Name, load.Meta.Name, formatDuration(median))
		found = append(found, about(load, s, finding{verdict: v, failStands: false}))
	}
	if len(found) == 0 {
		return []finding{{verdict: well}}
	}
	return found
}

// sampleSizes looks whether the percentiles that are asked for can be told.
func sampleSizes(run *evidence.Run, checks []Check) []finding {
	var found []finding
	asked := 0
	for _, c := range checks {
		l, ok := c.(*Latency)
		if !ok {
			continue
		}
		_, stats, why := l.During.calls(run, l.Load)
		if why != "" {
			continue // the check says so itself
		}
		for _, f := range l.figures() {
			asked++
			if _, enough := f.of(stats.Response); !enough {
				v := inconclusive("samples", "there are enough calls for "+l.Load+" "+f.name,
					fmt.Sprintf("%d calls of %s %s are too few for %s", stats.Calls, l.Load, l.During, f.name))
				v.Load, v.Phase, v.Measured = l.Load, l.During.label(), fmt.Sprintf("%d calls", stats.Calls)
				found = append(found, finding{verdict: v}) // bears on that check alone, which knows
			}
		}
	}
	if asked > 0 && len(found) == 0 {
		found = append(found, finding{verdict: Verdict{Kind: "samples", Name: "there are enough calls for the percentiles", Measured: fmt.Sprintf("%d asked for", asked)}})
	}
	return found
}

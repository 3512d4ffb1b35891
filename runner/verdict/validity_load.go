package verdict

import (
	"fmt"
	"math"
	"slices"
	"strings"
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
func loadValidity(run *evidence.Run, checks []Check, w *witness) []finding {
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
		if load.Meta.Model == "closed" {
			found = append(found, closedModel(load, phases))
			found = append(found, empty(load, phases)...)
			found = append(found, ceiling(load, phases, w)...)
		} else {
			found = append(found, offered(load, phases, w)...)
			found = append(found, punctual(load, phases, w)...)
		}
		found = append(found, unanswered(load, phases))
	}
	return found
}

func about(load *evidence.LoadSummary, s evidence.Span, f finding) finding {
	f.verdict.Load, f.verdict.Phase = load.Meta.Name, s.Name
	if f.touches == nil {
		f.touches = func(b basis) bool { return b.uses(load.Meta.Name) && b.covers(s) && !b.ownRate }
	}
	return f
}

// offered looks whether the planned calls were sent.
func offered(load *evidence.LoadSummary, phases []evidence.Span, w *witness) []finding {
	well := Verdict{Kind: "offered rate", Name: load.Meta.Name + " was offered at its rate", Load: load.Meta.Name, Limit: "> " + formatShare(reachedShare)}
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
		l := w.late(load.Meta.Name, Phases{s.Name})
		f := finding{failStands: true}
		if !l.byTarget() {
			// Its limit makes calls slow, and few; where there are too many of
			// something all the same, more calls would not have made them fewer.
			f.failStands = false
			f.spares = func(_ basis, v Verdict) bool { return v.Status == Fail && v.excess }
		}
		f.verdict = v.unknown("%d of %d planned calls of %s were not sent during %s: %s", planned-sent, planned, load.Meta.Name, s.Name, l.because())
		found = append(found, about(load, s, f))
	}
	if len(found) == 0 {
		well.Measured = formatShare(least)
		return []finding{{verdict: well}}
	}
	return found
}

func closedModel(load *evidence.LoadSummary, phases []evidence.Span) finding {
	v := Verdict{Kind: "offered rate", Name: load.Meta.Name + " was offered by its clients", Load: load.Meta.Name}
	v.Why = fmt.Sprintf("closed model: each client (%d) sends its next call when the last is answered, so a slow target gets less load", load.Meta.Workers)
	return finding{verdict: v}
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

// punctual looks whether calls were sent when the schedule wanted them. Being
// late is no flaw of a run by itself, since response times include it; only a
// generator that is behind most of the time made another load than was asked for.
func punctual(load *evidence.LoadSummary, phases []evidence.Span, w *witness) []finding {
	well := Verdict{Kind: "generator", Name: load.Meta.Name + " was sent on time", Load: load.Meta.Name, Limit: "median lag <= " + starvedLag.String()}
	var found []finding
	well.Measured = "no call was sent"
	worst := time.Duration(-1)
	for _, s := range phases {
		stats := load.Over(s.Name)
		if stats.Calls == 0 {
			continue // the load rests; where it was not to, its offered rate says so
		}
		median, _ := stats.Lag.Percentile(50)
		p99, _ := stats.Lag.Percentile(99)
		lag := lagWords(stats.Lag)
		var l late
		if p99 > smallLag {
			l = w.late(load.Meta.Name, Phases{s.Name})
		}
		if p99 > worst {
			worst = p99
			well.Measured, well.Why = lag, ""
			if p99 > smallLag {
				what, _ := l.words()
				well.Why = fmt.Sprintf("%s sent more than %s late during %s; response times include that: %s",
					were(stats.Late), formatDuration(evidence.LateAfter), s.Name, what)
			}
		}
		if median <= starvedLag || l.byTarget() {
			continue
		}
		v := well
		v.Measured = lag
		v = v.unknown("the generator was starved during %s: half of the calls of %s were sent more than %s late: %s",
			s.Name, load.Meta.Name, formatDuration(median), l.because())
		found = append(found, about(load, s, finding{verdict: v}))
	}
	if len(found) == 0 {
		return []finding{{verdict: well}}
	}
	return found
}

// lagWords tells a send lag, without the percentiles that there are too few calls for.
func lagWords(lag *evidence.Distribution) string {
	words := "lag "
	for _, p := range []float64{50, 99} {
		if v, enough := lag.Percentile(p); enough {
			words += fmt.Sprintf("p%.0f %s, ", p, formatDuration(v))
		}
	}
	return words + "max " + formatDuration(lag.Max())
}

// ceiling looks whether the clients of a closed model were held up by the
// generator: then what they reached is its ceiling, and no more load was made.
func ceiling(load *evidence.LoadSummary, phases []evidence.Span, w *witness) []finding {
	well := Verdict{Kind: "generator", Name: "the clients of " + load.Meta.Name + " were not held up", Load: load.Meta.Name}
	name := load.Meta.Name
	var found []finding
	most := 0.0
	for _, s := range phases {
		if load.Over(s.Name).Calls == 0 {
			continue
		}
		l := w.late(name, Phases{s.Name})
		if l.strain.known && l.strain.used >= most {
			most = l.strain.used
			well.Measured = fmt.Sprintf("%s of %s used", formatCores(most), several(int64(l.strain.procs+0.5), "core"))
		}
		if !l.heldUp() {
			continue
		}
		v := well
		v.Measured = formatRate(math.Round(float64(load.Over(s.Name).Calls) / s.Took().Seconds()))
		f := finding{onlyIfBears: true, touches: func(b basis) bool { return b.uses(name) && b.covers(s) && b.timed }}
		f.spares = func(b basis, v Verdict) bool {
			return v.Status == Pass && b.atLeast || v.Status == Fail && (b.atMost || v.excess)
		}
		f.verdict = v.unknown("%s by the clients of %s during %s is the ceiling of the generator, not of the target: %s", v.Measured, name, s.Name, l.because())
		found = append(found, about(load, s, f))
	}
	if len(found) == 0 {
		return []finding{{verdict: well}}
	}
	return found
}

// unanswered says, phase by phase, how many calls were late, not sent, or not
// answered in time, and how many of their messages were not. It is no judgement.
func unanswered(load *evidence.LoadSummary, phases []evidence.Span) finding {
	v := Verdict{Kind: "calls", Name: "calls of " + load.Meta.Name + " that were late, not sent or timed out", Load: load.Meta.Name, Measured: "none"}
	var told []string
	for _, s := range phases {
		stats := load.Over(s.Name)
		unissued := max(0, load.Meta.Planned[s.Name]-stats.Calls)
		timeouts, silent := stats.Of(evidence.Timeout), stats.Messages.Unanswered
		if stats.Late+unissued+timeouts+silent == 0 {
			continue
		}
		words := fmt.Sprintf("%s: %d late, %d not sent, %d timed out", s.Name, stats.Late, unissued, timeouts)
		if silent > 0 {
			words += fmt.Sprintf(", %d of %s without an answer", silent, several(stats.Messages.Count, "message"))
		}
		told = append(told, words)
	}
	if len(told) > 0 {
		v.Measured = strings.Join(told, "; ")
	}
	return finding{verdict: v}
}

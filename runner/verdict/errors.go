package verdict

import (
	"fmt"
	"math"

	"ordeal/runner/evidence"
)

// Errors bounds how many calls of a load ended badly, as a share of its calls
// or as a count. Which outcomes are bad can be chosen.
type Errors struct {
	Load     string      `yaml:"load" ref:"load" required:"true" doc:"the load whose calls are judged"`
	During   Phases      `yaml:"during" ref:"phase" doc:"a phase, or a list of phases judged together; the whole run but its warm-up where absent"`
	Ratio    *RatioLimit `yaml:"ratio" doc:"limit on the share of calls that count as errors, such as \"< 0.1%\""`
	Count    *CountLimit `yaml:"count" doc:"limit on the number of calls that count as errors"`
	Classes  []Class     `yaml:"classes" doc:"outcomes that count as errors; with codes, either is enough; every outcome but ok where both are absent"`
	Codes    []int       `yaml:"codes" doc:"HTTP statuses or gRPC codes that count as errors"`
	Degraded bool        `yaml:"degraded" doc:"also count answers that were not the real ones, such as a fallback"`
}

// Class is the name of an outcome other than success.
type Class evidence.Class

// UnmarshalText reads the name of a class.
func (c *Class) UnmarshalText(b []byte) error {
	k, ok := evidence.ParseClass(string(b))
	if !ok || k == evidence.OK {
		return fmt.Errorf("%q: want one of http-4xx, http-5xx, grpc-status, timeout, refused, reset or other", b)
	}
	*c = Class(k)
	return nil
}

// Examples are texts that are accepted.
func (Class) Examples() []string {
	return []string{"http-4xx", "http-5xx", "grpc-status", "timeout", "refused", "reset", "other"}
}

// String is the name of the class.
func (c Class) String() string { return evidence.Class(c).String() }

// Validate reports what is wrong with the expectation.
func (e *Errors) Validate(bad func(field, format string, args ...any)) {
	if (e.Ratio == nil) == (e.Count == nil) {
		bad("", `want exactly one of ratio, such as "< 0.1%%", and count, such as "< 5"`)
	}
}

// String is the expectation in one line.
func (e *Errors) String() string {
	return fmt.Sprintf("%s %s %s %s", e.Load, e.outcomes().String(), e.limitText(), e.During)
}

func (e *Errors) limitText() string {
	if e.Ratio != nil {
		return e.Ratio.String()
	}
	if e.Count != nil {
		return e.Count.String()
	}
	return ""
}

func (e *Errors) outcomes() outcomes {
	return outcomes{classes: e.Classes, codes: e.Codes, degraded: e.Degraded}
}

func (e *Errors) rests(*evidence.Run) basis { return basis{load: e.Load, phases: e.During} }

// Judge counts the calls that ended in one of the outcomes.
func (e *Errors) Judge(run *evidence.Run) Verdict {
	v := Verdict{Kind: "errors", Name: e.String(), Load: e.Load, Phase: e.During.label()}
	_, stats, why := e.During.calls(run, e.Load)
	if why != "" {
		return v.unknown("%s", why)
	}
	bad := e.outcomes().count(stats)
	told := fmt.Sprintf("%d of %d calls: %s", bad, stats.Calls, breakdown(stats))
	switch {
	case e.Count != nil:
		v = v.counted(e.Count.limit, float64(bad)).failing("%s", told)
		return e.answered(v, e.Count.limit, stats, bad)
	case e.Ratio != nil:
		v = v.counted(e.Ratio.limit, float64(bad)/float64(stats.Calls)).failing("%s", told)
		if need := callsFor(e.Ratio.limit); v.Status == Pass && stats.Calls < need {
			return v.unknown("%d calls are too few to tell a share %s: it takes at least %d", stats.Calls, e.Ratio, need)
		}
		return e.answered(v, e.Ratio.limit, stats, bad)
	}
	return v.unknown("no limit is given")
}

// answered takes back that few calls ended badly in a certain way where none was
// answered at all.
func (e *Errors) answered(v Verdict, l limit, stats *evidence.Stats, bad int64) Verdict {
	if v.Status != Pass || !l.holds(0) || answered(stats) {
		return v
	}
	return v.unknown("none of the %d calls %s was answered (%s), so it says nothing that %s ended in %s; see that the target is reached",
		stats.Calls, e.During, breakdown(stats), several(bad, "call"), e.outcomes())
}

// answered reports whether any call was, be it by breaking its connection.
func answered(stats *evidence.Stats) bool {
	return stats.Of(evidence.Refused, evidence.Timeout, evidence.Other) < stats.Calls
}

// callsFor is how many calls it takes for a share to be told at all: as many
// that one bad call could still be within the limit, and ten for any other.
func callsFor(l limit) int64 {
	if l.capped() && l.high > 0 && l.high < 1 {
		return max(10, int64(math.Ceil(1/l.high-1e-9)))
	}
	return 10
}

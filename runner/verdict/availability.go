package verdict

import (
	"fmt"
	"math"

	"ordeal/runner/evidence"
)

// Availability compares the share of good calls with an objective, and counts
// the failures that the objective allows against those that were spent.
type Availability struct {
	Load     string  `yaml:"load" ref:"load" required:"true" doc:"the load whose calls are judged"`
	Over     Phases  `yaml:"over" ref:"phase" doc:"a phase, or a list of phases judged together; the whole run but its warm-up where absent"`
	AtLeast  *Share  `yaml:"at_least" required:"true" doc:"the objective: the share of calls that must be good, such as 99.9%"`
	Classes  []Class `yaml:"classes" doc:"outcomes that count as failures; with codes, either is enough; every outcome but ok where both are absent"`
	Codes    []int   `yaml:"codes" doc:"HTTP statuses or gRPC codes that count as failures"`
	Degraded bool    `yaml:"degraded" doc:"also count answers that were not the real ones, such as a fallback"`
}

// Validate reports what is wrong with the expectation.
func (a *Availability) Validate(bad func(field, format string, args ...any)) {
	if a.AtLeast != nil && *a.AtLeast == 0 {
		bad("at_least", "an objective of 0%% is always met")
	}
}

// String is the expectation in one line.
func (a *Availability) String() string {
	objective := ""
	if a.AtLeast != nil {
		objective = a.AtLeast.String()
	}
	return fmt.Sprintf("%s availability >= %s %s", a.Load, objective, a.Over)
}

func (a *Availability) rests(*evidence.Run) basis { return basis{load: a.Load, phases: a.Over} }

// Judge compares the share of good calls with the objective.
func (a *Availability) Judge(run *evidence.Run) Verdict {
	v := Verdict{Kind: "availability", Name: a.String(), Load: a.Load, Phase: a.Over.label()}
	if a.AtLeast == nil {
		return v.unknown("no objective is given")
	}
	_, stats, why := a.Over.calls(run, a.Load)
	if why != "" {
		return v.unknown("%s", why)
	}
	chosen := outcomes{classes: a.Classes, codes: a.Codes, degraded: a.Degraded}
	v = a.budget(v, stats, chosen.count(stats))
	if v.Status == Pass && !answered(stats) {
		return v.unknown("none of the %d calls %s was answered (%s); see that the target is reached", stats.Calls, a.Over, breakdown(stats))
	}
	return v
}

// budget compares the failures that the objective allows with those spent. The
// margin is the share of the budget that is left.
func (a *Availability) budget(v Verdict, stats *evidence.Stats, spent int64) Verdict {
	objective := float64(*a.AtLeast)
	good := 1 - float64(spent)/float64(stats.Calls)
	// The slack keeps 99.9 % of 10,000 calls at ten failures in binary arithmetic.
	allowed := int64(math.Floor(float64(stats.Calls)*(1-objective) + 1e-6))
	v.Measured, v.Limit = formatShare(good), ">= "+a.AtLeast.String()
	if allowed > 0 {
		v.Margin = formatMargin(float64(allowed-spent) / float64(allowed))
	}
	v.Status = Pass
	if spent > allowed {
		v.Status, v.excess = Fail, true // of failures
		v.Why = fmt.Sprintf("%s where the objective allows %d: %s", several(spent, "failure"), allowed, breakdown(stats))
	}
	if v.Status == Pass && objective < 1 && allowed == 0 {
		v = v.unknown("%d calls are too few for an objective of %s: a single failure would break it; it takes %.0f",
			stats.Calls, a.AtLeast, math.Ceil(1/(1-objective)-1e-6))
	}
	v.Parts = []Part{
		{Name: "nines", Status: v.Status, Measured: nines(good), Limit: ">= " + nines(objective)},
		{Name: "error budget", Status: v.Status, Measured: fmt.Sprintf("%d spent", spent), Limit: fmt.Sprintf("%d allowed", allowed),
			Why: fmt.Sprintf("%d left of %d calls", max(0, allowed-spent), stats.Calls)},
	}
	return v
}

// nines is -log10 of the share of failures: 99.9 % is three nines.
func nines(good float64) string {
	if good >= 1 {
		return "no failure"
	}
	return trimZeros(fmt.Sprintf("%.2f", max(0, -math.Log10(1-good)))) + " nines"
}

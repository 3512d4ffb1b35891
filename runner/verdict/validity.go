package verdict

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"ordeal/runner/evidence"
)

// validity judges the run itself, before any check: whether it can carry
// claims. Its verdicts are Pass or Inconclusive, and say on which checks they bear.
func validity(run *evidence.Run, checks []Check, w *witness) []finding {
	found := []finding{completed(run)}
	found = append(found, loadValidity(run, checks, w)...)
	found = append(found, sampleSizes(run, checks)...)
	found = append(found, faultValidity(run)...)
	found = append(found, health(run)...)
	// Last, because damage inside a file is found only when it is read.
	return append(found, intact(run))
}

// completed looks whether the timeline was gone through. Checks that rest on
// phases that were look to that themselves.
func completed(run *evidence.Run) finding {
	v := Verdict{Kind: "completed", Name: "the run came to its end"}
	var cut []string
	for _, m := range run.Meta.Phases {
		if s, ok := run.Phase(m.Name); !ok || !s.Complete || neverBegan(run) {
			cut = append(cut, m.Name)
		}
	}
	v.Measured = string(run.Meta.Outcome)
	switch outcome := run.Meta.Outcome; {
	case outcome == evidence.Running:
		v = v.unknown("the run did not end: it is still going on, or was killed")
	case outcome == evidence.Interrupted:
		v = v.unknown("the run was interrupted")
	case outcome == evidence.Failed:
		v = v.unknown("the run failed: %s", firstLine(run.Meta.Error))
	case outcome != evidence.Completed:
		v = v.unknown("the outcome %q is not known", outcome)
	case len(run.Meta.Phases) == 0:
		v = v.unknown("the run has no phases")
	}
	if len(cut) > 0 {
		if v.Why == "" {
			v = v.unknown("the run is said to be complete")
		}
		v.Why += fmt.Sprintf("; not gone through: %s", strings.Join(cut, ", "))
	}
	touches := func(b basis) bool {
		if len(b.phases) == 0 {
			return true
		}
		return slices.ContainsFunc(b.phases, func(p string) bool { return slices.Contains(cut, p) })
	}
	return finding{verdict: v, touches: touches}
}

// intact looks whether all evidence is there and as it was written.
func intact(run *evidence.Run) finding {
	v := Verdict{Kind: "evidence", Name: "the evidence is whole"}
	var wrong []string
	for _, what := range slices.Sorted(maps.Keys(run.Meta.Lost)) {
		if n := run.Meta.Lost[what]; n > 0 {
			wrong = append(wrong, fmt.Sprintf("%d %s could not be kept", n, what))
		}
	}
	if summary, err := run.Summary(); err != nil {
		wrong = append(wrong, fmt.Sprintf("the samples cannot be read: %v", err))
	} else if summary.Outside > 0 {
		wrong = append(wrong, several(summary.Outside, "call")+" outside the timeline")
	}
	wrong = append(wrong, run.Warnings()...)
	if !run.Killed() { // else there are no hashes, which "completed" stands for
		differing, err := run.Verify()
		if err != nil {
			wrong = append(wrong, fmt.Sprintf("the files cannot be verified: %v", err))
		}
		wrong = append(wrong, differing...)
	}
	if len(wrong) > 0 {
		v = v.unknown("%s", wrong[0])
		if len(wrong) > 1 {
			v.Why += fmt.Sprintf(" (and %d more: %s)", len(wrong)-1, strings.Join(wrong[1:min(len(wrong), 4)], "; "))
		}
	}
	// What is missing of a killed run is its tail; what failed before it did fail.
	return finding{verdict: v, touches: func(basis) bool { return true }, failStands: run.Killed()}
}

// health looks whether the targets were well before the load, and again after
// it and after each heal.
func health(run *evidence.Run) []finding {
	before := finding{
		verdict: Verdict{Kind: "health", Name: "the targets were healthy before the load"},
		touches: func(b basis) bool { return !b.firm },
	}
	after := finding{
		verdict:    Verdict{Kind: "health", Name: "the targets were healthy at the end"},
		touches:    func(b basis) bool { return !b.firm },
		failStands: true, // that it does not get well may be just what a check found
	}
	looked := false
	last := map[string]evidence.Event{}
	for _, e := range run.Events {
		if e.Kind != evidence.HealthChecked {
			continue
		}
		if !strings.HasPrefix(e.Text, "before-load") {
			last[e.Target] = e
			continue
		}
		looked = true
		if !e.OK {
			before.verdict = before.verdict.unknown("%s was not healthy before the load: %s", e.Target, firstLine(e.Text))
		}
	}
	for _, target := range slices.Sorted(maps.Keys(last)) {
		if e := last[target]; !e.OK {
			after.verdict = after.verdict.unknown("%s was not healthy at %s: %s", target, formatDuration(e.At), firstLine(e.Text))
		}
	}
	managed := slices.ContainsFunc(run.Meta.Targets, func(t evidence.TargetMeta) bool { return t.Kind != "external" })
	if managed && !looked && len(run.Phases()) > 0 {
		before.verdict = before.verdict.unknown("nobody looked at the targets' health before the load")
	}
	if managed && len(last) == 0 && run.Meta.Outcome == evidence.Completed {
		after.verdict = after.verdict.unknown("nobody looked at the targets' health after the load")
	}
	return []finding{before, after}
}

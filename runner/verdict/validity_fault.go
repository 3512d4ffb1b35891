package verdict

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"ordeal/runner/evidence"
)

// faultValidity looks, for each fault, whether it was injected, whether it
// acted on any traffic, and whether it was healed.
func faultValidity(run *evidence.Run) []finding {
	var found []finding
	for _, f := range run.Faults() {
		if v, bad := healed(run, f); bad {
			found = append(found, finding{verdict: v, touches: sincePhase(run, f.Phase)})
			continue // and so it is not known how much it acted on
		}
		v, bad := bit(run, f)
		one := finding{verdict: v}
		if bad {
			one.touches = inPhase(run, f.Phase)
		}
		found = append(found, one)
	}
	return append(found, neverTried(run)...)
}

func inPhase(run *evidence.Run, name string) func(basis) bool {
	s, ok := run.Phase(name)
	return func(b basis) bool { return ok && b.concerns(s) && !b.firm }
}

// sincePhase touches what rests on a phase or a later one: a fault that was not
// healed goes on.
func sincePhase(run *evidence.Run, name string) func(basis) bool {
	from, known := run.Phase(name)
	return func(b basis) bool {
		return slices.ContainsFunc(run.Phases(), func(s evidence.Span) bool {
			return (!known || s.Start >= from.Start) && b.concerns(s)
		})
	}
}

// bit looks whether a fault acted on anything.
func bit(run *evidence.Run, f evidence.FaultSpan) (v Verdict, bad bool) {
	v = Verdict{Kind: "fault", Name: f.Fault + " acted on traffic", Phase: f.Phase, Target: f.Target}
	switch {
	case !f.WasInjected:
		return v.unknown("%s could not be injected: %s", f.Fault, firstLine(f.Failed)), true
	case !f.WasHealed:
		return v.unknown("how much traffic %s acted on is not known: there is no record of its heal", f.Fault), true
	case !f.Touched.Any():
		if n := refusals(run, f); n > 0 {
			v.Measured = several(n, "call") + " refused, as the load saw it"
			return v, false
		}
		v.Measured = "no traffic"
		return v.unknown("%s acted on no traffic, so nothing can be said of what it does; %s", f.Fault, giveTraffic(f)), true
	}
	t := f.Touched
	switch {
	case onPods(f):
		v.Measured = several(t.Connections, "Pod")
		return v, false
	case f.Link == "":
		v.Measured = strconv.FormatInt(t.Connections, 10) + " of its processes"
		return v, false
	}
	v.Measured = several(t.Connections, "connection") + ", " + several(t.Bytes, "byte")
	if t.Calls > 0 {
		v.Measured += ", " + several(t.Calls, "call")
	}
	return v, false
}

// onPods reports whether a fault acts on the Pods of a cluster.
func onPods(f evidence.FaultSpan) bool {
	kind, _, _ := strings.Cut(f.Fault, " ")
	return slices.Contains([]string{"pod_kill", "pod_unready", "pod_stuck", "crash_loop", "drain"}, kind)
}

// giveTraffic says what to do about a fault that found nothing to act on.
func giveTraffic(f evidence.FaultSpan) string {
	switch {
	case onPods(f):
		return "it struck no Pod in " + f.Phase
	case f.Link == "":
		return fmt.Sprintf("%s had no process to act on in %s", f.Target, f.Phase)
	}
	return fmt.Sprintf("take a load whose calls go over %s in %s, or put the fault where they go", f.Link, f.Phase)
}

// refusals counts the calls that found the port of a link closed. The kernel
// refuses them, out of the link's sight, but those of the load itself are seen.
func refusals(run *evidence.Run, f evidence.FaultSpan) (n int64) {
	to, ok := strings.CutPrefix(f.Link, "client->")
	if !ok || !strings.HasPrefix(f.Fault, "refuse") {
		return 0
	}
	summary, err := run.Summary()
	if err != nil {
		return 0 // "evidence" says so
	}
	for _, l := range summary.Loads {
		if s := l.Over(f.Phase); s != nil && l.Meta.Target == to {
			n += s.Class[evidence.Refused]
		}
	}
	return n
}

// healed looks whether things were mended again.
func healed(run *evidence.Run, f evidence.FaultSpan) (v Verdict, bad bool) {
	v = Verdict{Kind: "heal", Name: f.Fault + " was healed", Phase: f.Phase, Target: f.Target}
	switch {
	case f.WasInjected && f.Failed != "":
		return v.unknown("%s may still act: healing it failed: %s", f.Fault, firstLine(f.Failed)), true
	case f.WasInjected && !f.WasHealed && !run.Killed():
		return v.unknown("%s may still act: there is no record of its heal", f.Fault), true
	}
	return v, false
}

// neverTried finds faults that were planned in a phase that was gone through,
// and of which the events know nothing.
func neverTried(run *evidence.Run) []finding {
	var found []finding
	for _, p := range run.Meta.Phases {
		s, ok := run.Phase(p.Name)
		if !ok || !s.Complete {
			continue
		}
		for _, planned := range p.Faults {
			known := slices.ContainsFunc(s.Faults, func(f evidence.FaultSpan) bool { return f.Fault == planned.Fault })
			if !known {
				v := inconclusive("fault", planned.Fault+" acted on traffic", planned.Fault+" was never injected")
				v.Phase, v.Target = p.Name, planned.Target
				found = append(found, finding{verdict: v, touches: inPhase(run, p.Name)})
			}
		}
	}
	return found
}

package verdict

import (
	"fmt"
	"strings"
	"time"

	"ordeal/runner/evidence"
)

// Recovery bounds the time from the heal of a fault until a load is back at
// its steady level, and stays there: the share of bad calls and a percentile of
// the response time, over a sliding second, near those of a phase without
// faults.
type Recovery struct {
	Load           string        `yaml:"load" ref:"load" required:"true" doc:"the load that must recover"`
	After          string        `yaml:"after" ref:"phase" doc:"the phase whose faults it recovers from; the last phase with a fault where absent"`
	Within         time.Duration `yaml:"within" required:"true" doc:"the longest time that recovery may take, from the heal of the last fault of that phase"`
	Steady         string        `yaml:"steady" ref:"phase" doc:"the phase that shows the steady level; the last complete phase without faults before the fault where absent"`
	Hold           time.Duration `yaml:"hold" default:"3s" doc:"how long it must stay at the steady level to count as recovered"`
	ErrorsAbove    *Share        `yaml:"errors_above" default:"1%" doc:"how much the share of bad calls may lie above the steady phase's"`
	LatencyFactor  float64       `yaml:"latency_factor" default:"2" doc:"how many times the steady phase's percentile the response time may be"`
	LatencyAbove   time.Duration `yaml:"latency_above" default:"50ms" doc:"how much the response time may lie above the steady phase's percentile, where that is more than the factor allows"`
	AcceptDegraded bool          `yaml:"accept_degraded" doc:"a degraded answer, such as a fallback, counts as recovered"`
}

// Validate reports what is wrong with the expectation.
func (r *Recovery) Validate(bad func(field, format string, args ...any)) {
	if r.Within <= 0 {
		bad("within", "want a duration above zero, such as 8s")
	}
	if r.Hold < 0 {
		bad("hold", "want a duration of at least 1s")
	} else if r.Hold > 0 && r.Hold < time.Second {
		bad("hold", "%s is too short to tell a level: want at least 1s", r.Hold)
	}
	if r.LatencyFactor != 0 && r.LatencyFactor < 1 {
		bad("latency_factor", "%g is below 1: the recovered level would have to be better than the steady one", r.LatencyFactor)
	}
	if r.LatencyAbove < 0 {
		bad("latency_above", "want a duration that is not negative")
	}
	if r.After != "" && r.After == r.Steady {
		bad("steady", "phase %s cannot show the level that it must recover to itself", r.After)
	}
}

// String is the expectation in one line.
func (r *Recovery) String() string {
	after := ""
	if r.After != "" {
		after = " after " + r.After
	}
	return fmt.Sprintf("%s recovers within %s%s", r.Load, r.Within, after)
}

// rests: the load is looked at in the steady phase and after the heal; while
// the fault acted, only that it did.
func (r *Recovery) rests(run *evidence.Run) basis {
	b := basis{load: r.Load, timed: true}
	after, steady, why := r.places(run)
	if why != "" {
		return b
	}
	b.faults = Phases{after.Name}
	b.phases = Phases{steady.Name}
	for _, s := range run.Phases() {
		if s.Start >= after.End {
			b.phases = append(b.phases, s.Name)
		}
	}
	return b
}

// places finds the phase to recover from and the one that shows the steady level.
func (r *Recovery) places(run *evidence.Run) (after, steady evidence.Span, why string) {
	all := run.Phases()
	found := false
	for _, s := range all {
		if s.Name == r.After || r.After == "" && len(s.Faults) > 0 {
			after, found = s, true
		}
	}
	switch {
	case !found && r.After != "":
		return after, steady, fmt.Sprintf("phase %s was not reached", r.After)
	case !found:
		return after, steady, "no fault was injected, so there is nothing to recover from"
	case !after.Complete:
		return after, steady, fmt.Sprintf("phase %s was cut short", after.Name)
	case len(after.Faults) == 0:
		return after, steady, fmt.Sprintf("no fault was injected during %s, so there is nothing to recover from", after.Name)
	}
	found = false
	for _, s := range all {
		candidate := s.Start < after.Start && s.Complete && !s.Warmup && len(s.Faults) == 0
		if s.Name == r.Steady || r.Steady == "" && candidate {
			steady, found = s, true
		}
	}
	switch {
	case !found && r.Steady != "":
		return after, steady, fmt.Sprintf("phase %s was not reached", r.Steady)
	case !found:
		return after, steady, fmt.Sprintf("no phase before %s shows the steady level", after.Name)
	case !steady.Complete:
		return after, steady, fmt.Sprintf("phase %s was cut short", steady.Name)
	}
	return after, steady, ""
}

// Judge finds the first instant after the heal from which on the load is at
// its steady level.
func (r *Recovery) Judge(run *evidence.Run) Verdict { return r.judge(run, newWitness(run)) }

func (r *Recovery) judge(run *evidence.Run, w *witness) Verdict {
	v := Verdict{Kind: "recovery", Name: r.String() + closedNote(run, r.Load), Load: r.Load, Phase: r.After}
	after, steady, why := r.places(run)
	if why != "" {
		return v.unknown("%s", why)
	}
	v.Phase, v.Limit = after.Name, "<= "+r.Within.String()
	heal, why := lastHeal(run, after)
	if why != "" {
		return v.unknown("%s", why)
	}
	_, stats, why := Phases{steady.Name}.calls(run, r.Load)
	if why != "" {
		return v.unknown("%s", why)
	}
	level, why := r.level(stats, steady)
	if why != "" {
		return v.unknown("%s", why)
	}
	seen, err := r.observe(run, heal, watchedUntil(run, heal), level)
	switch {
	case err != nil:
		return v.unknown("the samples cannot be read: %v", err)
	case len(seen) == 0:
		return v.unknown("there is no call of %s after the heal at %s", r.Load, formatDuration(heal))
	}
	found := level.back(seen, responseTime, r.hold(), r.Within)
	byResponse := r.conclude(v, found, level)
	if byResponse.Status != Fail {
		return byResponse
	}
	if r.conclude(v, level.back(seen, serviceTime, r.hold(), r.Within), level).Status != Pass {
		return byResponse
	}
	late := r.late(run, w, heal)
	if late.byTarget() {
		return byResponse
	}
	// Only the lag of the generator makes the difference.
	if found.found && found.after <= r.Within {
		at := found.relapse
		found.relapse = 0
		v = r.conclude(v, found, level)
		v.Why = fmt.Sprintf("calls were late again %s after the heal, but that was the generator: by service time %s stayed at its steady level", formatDuration(at), r.Load)
		return v
	}
	return byResponse.unknown("the generator, not the target, was late after the heal: by service time %s is back in time: %s", r.Load, late.because())
}

func (r *Recovery) hold() time.Duration {
	if r.Hold > 0 {
		return r.Hold
	}
	return 3 * time.Second
}

// late tells of the calls after the heal.
func (r *Recovery) late(run *evidence.Run, w *witness, heal time.Duration) late {
	var phases Phases
	for _, s := range run.Phases() {
		if s.End > heal {
			phases = append(phases, s.Name)
		}
	}
	return w.late(r.Load, phases)
}

// conclude puts what was found into words.
func (r *Recovery) conclude(v Verdict, b back, level steadyLevel) Verdict {
	limit := limit{text: "<= " + r.Within.String(), low: 0, lowIn: true, high: r.Within.Seconds(), highIn: true, unit: durations}
	switch {
	case b.found && b.relapse > 0:
		v = v.against(limit, b.after.Seconds())
		v.Status, v.Margin = Fail, ""
		v.Why = fmt.Sprintf("%s was back after %s but did not stay there: it left the steady level again %s after the heal", r.Load, v.Measured, formatDuration(b.relapse))
	case b.found:
		v = v.against(limit, b.after.Seconds()).failing("it took %s from the heal until %s was back at its steady level (%s)", formatDuration(b.after), r.Load, level)
	case b.tooShort:
		v.Limit = limit.String()
		v = v.unknown("%s was watched for %s after the heal only, too short to tell whether it is back within %s for at least %s",
			r.Load, formatDuration(b.watched), r.Within, r.hold())
	default:
		v.Limit, v.Status = limit.String(), Fail
		v.Measured = "> " + formatDuration(b.watched)
		v.Why = fmt.Sprintf("%s was not back at its steady level (%s) in the %s that followed the heal", r.Load, level, formatDuration(b.watched))
	}
	return v
}

// lastHeal is when the last fault of a phase was healed.
func lastHeal(run *evidence.Run, s evidence.Span) (heal time.Duration, why string) {
	for _, f := range s.Faults {
		if !f.WasHealed {
			return 0, fmt.Sprintf("there is no record of the heal of %s", f.Fault)
		}
		heal = max(heal, backAgain(run, f))
	}
	return heal, ""
}

// backAgain is when what a fault broke was there again. A fault on a target may
// mend itself before its phase ends: a killed process that was started again is
// back when it is ready.
func backAgain(run *evidence.Run, f evidence.FaultSpan) time.Duration {
	if strings.HasPrefix(f.Fault, "pod_kill") {
		return podsAgain(run, f)
	}
	back := time.Duration(-1)
	for _, e := range run.Events {
		replica := e.Target == f.Target || strings.HasPrefix(e.Target, f.Target+"/")
		within := e.At >= f.Injected && e.At <= f.Healed
		if f.Target != "" && replica && within && (e.Kind == evidence.TargetReady || e.Kind == evidence.TargetResumed) {
			back = e.At
		}
	}
	if back < 0 {
		return f.Healed
	}
	return back
}

// watchedUntil is when the next fault comes after a time, or the timeline ends.
func watchedUntil(run *evidence.Run, from time.Duration) time.Duration {
	var end time.Duration
	for _, s := range run.Phases() {
		end = max(end, s.End)
	}
	for _, f := range run.Faults() {
		if f.WasInjected && f.Injected > from {
			end = min(end, f.Injected)
		}
	}
	return end
}

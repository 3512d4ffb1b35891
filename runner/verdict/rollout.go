package verdict

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"ordeal/runner/evidence"
)

// Rollout verifies what a change did to the calls of a load, and that the
// Deployment kept to its own strategy: a rolling update, a way back, or a Service
// that is switched from one version to another. Each property is a part of the
// verdict. For the way back, another Rollout speaks of the phase that goes back.
//
// Which version answered is known from the name of the Pod in the answer
// (X-Served-By) or of the Pod that the call was sent to; which Pods are of which
// version, from the ReplicaSets of the Deployment, or from what the Service
// selects. That a Deployment comes to its end and keeps to its bounds is always
// due.
type Rollout struct {
	Deployment string `yaml:"deployment" oneof:"object" doc:"the Deployment that is changed in the phase"`
	Service    string `yaml:"service" oneof:"object" doc:"the Service that is switched in the phase"`
	Load       string `yaml:"load" ref:"load" required:"true" doc:"the load whose calls the change must not disturb"`
	During     string `yaml:"during" ref:"phase" required:"true" doc:"the phase at whose start the change is made"`

	Failed         *CountLimit   `yaml:"failed" doc:"limit on the calls of the phase that fail, such as \"= 0\""`
	CompleteWithin time.Duration `yaml:"complete_within" doc:"longest time from the change until every Pod of the Deployment is of the new version and available; until the next change unless given"`
	MixedWithin    time.Duration `yaml:"mixed_within" doc:"longest time from the first answer of the new version to the last of the old; for a Deployment also for which Pods of both are Ready"`
	SwitchWithin   time.Duration `yaml:"switch_within" doc:"longest time from the change to the last call that the old version answers"`
	MaxUnavailable *PodShare     `yaml:"max_unavailable" doc:"how many Pods fewer than wanted may be Ready, as 1 or 25%; what the Deployment's strategy says unless given"`
	MaxSurge       *PodShare     `yaml:"max_surge" doc:"how many Pods more than wanted there may be, as 1 or 25%; what the Deployment's strategy says unless given"`
}

// Validate reports what is wrong with the expectation.
func (r *Rollout) Validate(bad func(field, format string, args ...any)) {
	for _, d := range []struct {
		field string
		v     time.Duration
	}{{"complete_within", r.CompleteWithin}, {"mixed_within", r.MixedWithin}, {"switch_within", r.SwitchWithin}} {
		if d.v < 0 {
			bad(d.field, "%s is negative", d.v)
		}
	}
	if r.Service == "" {
		return
	}
	for _, f := range []struct {
		field string
		set   bool
	}{{"complete_within", r.CompleteWithin > 0}, {"max_unavailable", r.MaxUnavailable != nil}, {"max_surge", r.MaxSurge != nil}} {
		if f.set {
			bad(f.field, "a Service that is switched has no %s: want it with a deployment", f.field)
		}
	}
	if r.Failed == nil && r.MixedWithin == 0 && r.SwitchWithin == 0 {
		bad("", "nothing to judge: want at least one of failed, mixed_within and switch_within")
	}
}

// Object is the kind and the name of what is changed.
func (r *Rollout) Object() (kind, name string) {
	if r.Service != "" {
		return "Service", r.Service
	}
	return "Deployment", r.Deployment
}

// String is the expectation in one line.
func (r *Rollout) String() string {
	var parts []string
	add := func(asked bool, format string, args ...any) {
		if asked {
			parts = append(parts, fmt.Sprintf(format, args...))
		}
	}
	add(r.Failed != nil, "failed calls of %s %s", r.Load, r.Failed)
	add(r.CompleteWithin > 0, "complete within %s", r.CompleteWithin)
	add(r.MixedWithin > 0, "both versions for at most %s", r.MixedWithin)
	add(r.SwitchWithin > 0, "switched within %s", r.SwitchWithin)
	add(r.MaxUnavailable != nil, "at most %s unavailable", r.MaxUnavailable)
	add(r.MaxSurge != nil, "at most %s surge", r.MaxSurge)
	kind, name := r.Object()
	if len(parts) == 0 {
		parts = []string{"complete, within the bounds of its strategy"}
	}
	return fmt.Sprintf("change of %s %s during %s: %s", kind, name, r.During, strings.Join(parts, ", "))
}

func (r *Rollout) rests(*evidence.Run) basis {
	return basis{load: r.Load, phases: Phases{r.During}, timed: r.MixedWithin > 0 || r.SwitchWithin > 0}
}

// shift is a change that is under judgement, with everything known of it.
type shift struct {
	*Rollout
	run   *evidence.Run
	stage *stage

	at, until time.Duration // from the change to the next of the same object, or the end of the timeline
	versions  versions
	noSides   string // why it is not known which Pods are of which version
	calls     answers
}

// Judge verifies the change property by property.
func (r *Rollout) Judge(run *evidence.Run) Verdict {
	v := Verdict{Kind: "rollout", Name: r.String() + closedNote(run, r.Load), Load: r.Load, Phase: r.During}
	if _, why := (Phases{r.During}).spans(run); why != "" {
		return v.unknown("%s", why)
	}
	s := &shift{Rollout: r, run: run}
	var why string
	if s.at, s.until, why = r.change(run); why != "" {
		return v.unknown("%s", why)
	}
	if s.stage, why = readStage(run, s.until); why != "" {
		return v.unknown("%s", why)
	}
	s.versions, s.noSides = s.sides()
	if s.noSides == "" && (r.MixedWithin > 0 || r.SwitchWithin > 0) {
		var err error
		if s.calls, err = s.answers(); err != nil {
			return v.unknown("%v", err)
		}
	}
	v = v.compose(s.parts())
	v.excess = slices.ContainsFunc(v.Parts, func(p Part) bool { return p.Status == Fail && slices.Contains(overshoots, p.Name) })
	if v.Status == Pass {
		v.Measured = s.summary()
	}
	return v
}

// overshoots are the properties that a change lacks by more of something than may
// be, which it did whatever calls were not sent.
var overshoots = []string{"failed calls", "max unavailable", "max surge"}

// parts judges every property that was asked for, and those that are always due.
func (s *shift) parts() []Part {
	var parts []Part
	add := func(asked bool, judge func() Part) {
		if asked {
			parts = append(parts, judge())
		}
	}
	deployed := s.Service == ""
	add(s.Failed != nil, s.failed)
	add(deployed, s.complete)
	add(s.MixedWithin > 0, s.mixedCalls)
	add(s.MixedWithin > 0 && deployed, s.mixedPods)
	add(s.SwitchWithin > 0, s.switched)
	add(deployed, s.unavailable)
	add(deployed, s.surge)
	return parts
}

// summary is what was measured of a change that passes.
func (s *shift) summary() string {
	var parts []string
	if s.Service == "" {
		if at, _, ok := s.completed(); ok {
			parts = append(parts, "complete after "+formatDuration(at-s.at))
		}
	}
	if s.SwitchWithin > 0 {
		parts = append(parts, "switched after "+formatDuration(max(0, s.calls.lastOld-s.at)))
	}
	if s.Failed != nil {
		if _, stats, why := (Phases{s.During}).calls(s.run, s.Load); why == "" {
			parts = append(parts, fmt.Sprintf("%d of %d calls failed", outcomes{}.count(stats), stats.Calls))
		}
	}
	return strings.Join(parts, ", ")
}

// change finds when the change was made in the phase, and until when nothing else
// was made of the same object, be it by a fault.
func (r *Rollout) change(run *evidence.Run) (at, until time.Duration, why string) {
	kind, name := r.Object()
	found := false
	if p := run.Phases(); len(p) > 0 {
		until = p[len(p)-1].End
	}
	for _, e := range run.Events {
		if found && e.Kind == evidence.FaultInjected && strings.HasPrefix(e.Fault, "crash_loop") && e.Phase != r.During {
			phase, _ := run.Phase(e.Phase) // it acted before it was said to
			return at, phase.Start, ""     // and brought a template of its own
		}
		if e.Kind != evidence.Changed || e.Object == nil || e.Object.Kind != kind || e.Object.Name != name {
			continue
		}
		switch {
		case !found && e.Phase == r.During:
			at, found = e.At, true
		case found:
			return at, e.At, ""
		}
	}
	if !found {
		return 0, 0, fmt.Sprintf("no change of %s %s was made in phase %s", kind, name, r.During)
	}
	return at, until, ""
}

package verdict

import (
	"fmt"
	"strings"
	"time"

	"ordeal/runner/evidence"
)

// HPA verifies a HorizontalPodAutoscaler of Kubernetes from the outside: from
// the replicas that its Deployment was told to have, from the Pods, and from
// the metrics that the autoscaler could see. Each property is a part of the
// verdict.
//
// Some properties are looked at where they are asked for. Always due are its
// bounds, the rate that its behavior allows, an Event for every step, and that
// a recomputation of its algorithm from the recorded metrics explains every
// step, and every time in which it made none.
//
// Whether calls were fast and well while it scaled is for latency and errors
// to say, of the same phases.
type HPA struct {
	Name   string `yaml:"name" required:"true" doc:"the autoscaler's name"`
	Load   string `yaml:"load" ref:"load" doc:"the load that it follows; all of them where absent"`
	During string `yaml:"during" ref:"phase" required:"true" doc:"the phase whose load needs more replicas"`
	Calm   string `yaml:"calm" ref:"phase" doc:"a later phase, whose load needs fewer again"`

	Min           int           `yaml:"min" doc:"fewest replicas that it may lead to; its own minReplicas where absent"`
	Max           int           `yaml:"max" doc:"most replicas that it may lead to; its own maxReplicas where absent"`
	FirstWithin   time.Duration `yaml:"first_scale_within" doc:"longest time from the start of the phase until it asks for more replicas"`
	EnoughWithin  time.Duration `yaml:"enough_within" doc:"longest time from the start of the phase until as many Pods are Ready, for good, as the load needs"`
	Overshoot     *CountLimit   `yaml:"overshoot" doc:"limit on the replicas beyond those that the load of the phase asks for, at the most, such as \"<= 2\""`
	Undershoot    *CountLimit   `yaml:"undershoot" doc:"limit on the replicas that are missing in the calm phase, at the most, from those that its load needs"`
	Steps         *CountLimit   `yaml:"steps" doc:"limit on the steps in the phase, up and down; \"= 0\" where it is to stand still, as without metrics"`
	Flaps         *CountLimit   `yaml:"flaps" doc:"limit on the changes of direction from the start of the phase on; up and down again is one"`
	Stabilization time.Duration `yaml:"stabilization" doc:"the window on the way down: fewer replicas no sooner after the metrics asked for more, and soon after that"`
	BackWithin    time.Duration `yaml:"back_to_min_within" doc:"longest time from the start of the calm phase until it is at its minimum, for good"`
	Sync          time.Duration `yaml:"sync" doc:"how often the controller looks; where absent what the run recorded of the cluster, else 15s"`
}

// Validate reports what is wrong with the expectation.
func (h *HPA) Validate(bad func(field, format string, args ...any)) {
	for _, d := range []struct {
		field string
		v     time.Duration
	}{
		{"first_scale_within", h.FirstWithin}, {"enough_within", h.EnoughWithin}, {"stabilization", h.Stabilization},
		{"back_to_min_within", h.BackWithin}, {"sync", h.Sync},
	} {
		if d.v < 0 {
			bad(d.field, "%s is negative", d.v)
		}
	}
	if h.Min < 0 {
		bad("min", "%d is negative", h.Min)
	}
	if h.Max < 0 || h.Max > 0 && h.Max < h.Min {
		bad("max", "%d is less than min, %d", h.Max, h.Min)
	}
	if h.Calm != "" && h.Calm == h.During {
		bad("calm", "want a phase after %s, whose load needs fewer replicas", h.During)
	}
	for _, f := range []struct {
		field string
		asked bool
	}{{"undershoot", h.Undershoot != nil}, {"stabilization", h.Stabilization > 0}, {"back_to_min_within", h.BackWithin > 0}} {
		if f.asked && h.Calm == "" {
			bad(f.field, "want calm: the phase whose load needs fewer replicas")
		}
	}
}

// String is the expectation in one line.
func (h *HPA) String() string {
	var parts []string
	add := func(asked bool, format string, args ...any) {
		if asked {
			parts = append(parts, fmt.Sprintf(format, args...))
		}
	}
	add(h.Min > 0, "at least %d", h.Min)
	add(h.Max > 0, "at most %d", h.Max)
	add(h.FirstWithin > 0, "scales within %s of %s", h.FirstWithin, h.During)
	add(h.EnoughWithin > 0, "enough within %s", h.EnoughWithin)
	add(h.Overshoot != nil, "overshoot %s", h.Overshoot)
	add(h.Steps != nil, "steps %s during %s", h.Steps, h.During)
	add(h.Flaps != nil, "changes of direction %s", h.Flaps)
	add(h.Stabilization > 0, "stabilized for %s", h.Stabilization)
	add(h.Undershoot != nil, "undershoot %s", h.Undershoot)
	add(h.BackWithin > 0, "at its minimum within %s of %s", h.BackWithin, h.Calm)
	if len(parts) == 0 {
		parts = []string{"every step explained, during " + h.During}
	}
	return fmt.Sprintf("autoscaler %s: %s", h.Name, strings.Join(parts, ", "))
}

func (h *HPA) phases() Phases {
	if h.Calm == "" {
		return Phases{h.During}
	}
	return Phases{h.During, h.Calm}
}

// rests: on a load as far as one was given.
func (h *HPA) rests(*evidence.Run) basis {
	b := basis{load: h.Load, phases: h.phases()}
	if h.Load == "" {
		b.load = anyLoad
	}
	return b
}

// What the run records of a cluster's Pods, as series of this target.
const cluster = "kubernetes"

func (h *HPA) reads() []evidence.SeriesName {
	var names []evidence.SeriesName
	for _, name := range []string{podCPU, podMemory, podAge, podMetric, available} {
		names = append(names, evidence.SeriesName{Target: cluster, Name: name})
	}
	return names
}

// Judge verifies the autoscaler property by property.
func (h *HPA) Judge(run *evidence.Run) Verdict {
	v := Verdict{Kind: "hpa", Name: h.String(), Load: h.Load, Phase: h.During}
	spans, why := h.phases().spans(run)
	if why != "" {
		return v.unknown("%s", why)
	}
	s, why := h.readScaling(run)
	if why != "" {
		return v.unknown("%s", why)
	}
	for _, span := range spans {
		switch span.Name {
		case h.During:
			s.during = span
		case h.Calm:
			s.calm = span
		}
	}
	if h.Calm != "" && s.calm.Start < s.during.End {
		return v.unknown("phase %s does not come after %s", h.Calm, h.During)
	}
	if v = v.compose(s.parts()); v.Status == Pass {
		v.Measured = s.summary()
	}
	return v
}

// parts judges every property that was asked for, and those that are always due.
func (s *scaling) parts() []Part {
	var parts []Part
	add := func(asked bool, judge func() Part) {
		if asked {
			parts = append(parts, judge())
		}
	}
	add(true, s.bounds)
	add(s.FirstWithin > 0, s.firstScale)
	add(s.EnoughWithin > 0, s.enough)
	add(s.Overshoot != nil, s.overshoot)
	add(s.Steps != nil, s.stepped)
	add(s.Flaps != nil, s.flaps)
	add(s.Stabilization > 0, s.stabilized)
	add(s.Undershoot != nil, s.undershoot)
	add(s.BackWithin > 0, s.backToMin)
	add(true, s.rateKept)
	add(true, s.explained)
	add(true, s.announced)
	return parts
}

// summary is what was measured of an autoscaler that passes.
func (s *scaling) summary() string {
	var parts []string
	if up, ok := s.firstUp(); ok {
		parts = append(parts, "first step after "+formatDuration(up.at-s.during.Start))
	}
	if need, ok := s.need(s.during); ok {
		if at, ok := s.readyFrom(need, s.during); ok {
			parts = append(parts, fmt.Sprintf("enough (%d) after %s", need, formatDuration(at-s.during.Start)))
		}
	}
	if at, ok := s.minFrom(); ok && s.Calm != "" {
		parts = append(parts, fmt.Sprintf("back to %d after %s", s.spec(at).Min, formatDuration(at-s.calm.Start)))
	}
	return strings.Join(parts, ", ")
}

package oracle

import (
	"math"
	"slices"
	"time"

	"ordeal/runner/verdict/autoscaler"
)

// played is a trace with the real controller's steps on it.
type played struct {
	set   autoscaler.Settings
	spec  autoscaler.Spec
	steps []step
}

// variant is a recomputation that is wrong on purpose: the negative control of
// the comparison. At least so many traces must catch it.
type variant struct {
	name  string
	least int
	// change spoils what the recomputation is given; wrong, what it makes of it.
	change func(*autoscaler.Settings, *autoscaler.Spec, *autoscaler.State)
	wrong  func(autoscaler.State, *autoscaler.Decision)
}

// caught counts the traces in which a variant differs from the controller.
func (v variant) caught(all []played) int {
	n := 0
	for _, p := range all {
		var m autoscaler.Memory
		for _, s := range p.steps {
			var d autoscaler.Decision
			if d, m = v.step(p.set, p.spec, s.state, m); d.Replicas != s.left {
				n++
				break
			}
		}
	}
	return n
}

func (v variant) step(set autoscaler.Settings, spec autoscaler.Spec, s autoscaler.State, m autoscaler.Memory) (autoscaler.Decision, autoscaler.Memory) {
	if v.change != nil {
		spec.Metrics, s.Pods, s.Readings = slices.Clone(spec.Metrics), slices.Clone(s.Pods), slices.Clone(s.Readings)
		if spec.Behavior != nil {
			b := *spec.Behavior
			spec.Behavior = &b
		}
		v.change(&set, &spec, &s)
	}
	if v.wrong == nil || s.Wanted == 0 || s.Wanted > spec.Max || s.Wanted < spec.Min {
		return autoscaler.Step(set, spec, s, m)
	}
	d := autoscaler.Recommend(set, spec, s)
	if d.Reason == autoscaler.Blind {
		return d, m
	}
	v.wrong(s, &d)
	return autoscaler.Limit(set, spec, s, d, m)
}

// behavior changes both directions.
func behavior(change func(*autoscaler.Rules)) func(*autoscaler.Settings, *autoscaler.Spec, *autoscaler.State) {
	return func(_ *autoscaler.Settings, spec *autoscaler.Spec, _ *autoscaler.State) {
		if spec.Behavior != nil {
			change(&spec.Behavior.Up)
			change(&spec.Behavior.Down)
		}
	}
}

// pods changes every Pod.
func pods(change func(*autoscaler.Pod)) func(*autoscaler.Settings, *autoscaler.Spec, *autoscaler.State) {
	return func(_ *autoscaler.Settings, _ *autoscaler.Spec, s *autoscaler.State) {
		for i := range s.Pods {
			change(&s.Pods[i])
		}
	}
}

var variants = []variant{
	{name: "rounded down", least: 100, wrong: func(_ autoscaler.State, d *autoscaler.Decision) {
		if p := d.Proposals[d.Metric]; p.Over > 0 {
			d.Proposed = int32(math.Floor(p.Ratio * p.Over))
		}
	}},
	{name: "current replicas for ready pods", least: 50, wrong: func(s autoscaler.State, d *autoscaler.Decision) {
		if p := d.Proposals[d.Metric]; p.Over > 0 {
			d.Proposed = int32(math.Ceil(p.Ratio * float64(s.Wanted)))
		}
	}},
	{name: "no window", least: 60, change: func(set *autoscaler.Settings, spec *autoscaler.Spec, _ *autoscaler.State) {
		none := time.Duration(0)
		set.DownscaleStabilization = -1
		if spec.Behavior != nil {
			spec.Behavior.Up.Window, spec.Behavior.Down.Window = &none, &none
		}
	}},
	{name: "a window of one synchronisation more", least: 10, change: func(set *autoscaler.Settings, spec *autoscaler.Spec, _ *autoscaler.State) {
		if spec.Behavior == nil {
			set.DownscaleStabilization += time.Second
		}
	}},
	{name: "no tolerance", least: 60, change: func(set *autoscaler.Settings, spec *autoscaler.Spec, _ *autoscaler.State) {
		set.Tolerance = 0
		if spec.Behavior != nil {
			spec.Behavior.Up.Tolerance, spec.Behavior.Down.Tolerance = nil, nil
		}
	}},
	{name: "tolerances of the autoscaler ignored", least: 10, change: behavior(func(r *autoscaler.Rules) { r.Tolerance = nil })},
	{name: "every pod ready", least: 30, change: pods(func(p *autoscaler.Pod) {
		if p.Phase == "Pending" || p.Ready != "True" {
			p.Phase, p.Ready = "Running", "True"
		}
	})},
	{name: "deleted and failed pods counted", least: 30, change: pods(func(p *autoscaler.Pod) {
		if p.Deleting || p.Phase == "Failed" {
			p.Deleting, p.Phase = false, "Running"
		}
	})},
	{name: "no CPU initialisation period", least: 10, change: func(set *autoscaler.Settings, _ *autoscaler.Spec, _ *autoscaler.State) {
		set.CPUInitializationPeriod = 0
	}},
	{name: "no delay of readiness", least: 5, change: func(set *autoscaler.Settings, _ *autoscaler.Spec, _ *autoscaler.State) {
		set.InitialReadinessDelay = 0
	}},
	{name: "pods without a metric left out", least: 30, change: func(_ *autoscaler.Settings, spec *autoscaler.Spec, s *autoscaler.State) {
		s.Pods = slices.DeleteFunc(s.Pods, func(p autoscaler.Pod) bool {
			return p.Phase == "Running" && slices.ContainsFunc(s.Readings, func(r autoscaler.Reading) bool {
				_, ok := r.Pods[p.Name]
				return len(r.Pods) > 0 && !ok
			})
		})
	}},
	{name: "only the first metric", least: 60, change: func(_ *autoscaler.Settings, spec *autoscaler.Spec, s *autoscaler.State) {
		spec.Metrics, s.Readings = spec.Metrics[:1], s.Readings[:1]
	}},
	{name: "missing metrics do not block", least: 10, change: func(_ *autoscaler.Settings, spec *autoscaler.Spec, s *autoscaler.State) {
		for i := len(s.Readings) - 1; i >= 0 && len(s.Readings) > 1; i-- {
			if s.Readings[i].Missing != "" {
				s.Readings = slices.Delete(s.Readings, i, i+1)
				spec.Metrics = slices.Delete(spec.Metrics, i, i+1)
			}
		}
	}},
	{name: "no policies", least: 30, change: behavior(func(r *autoscaler.Rules) {
		if r.Select != autoscaler.Disabled {
			r.Policies = []autoscaler.Policy{{Value: 1000, Period: time.Second}}
		}
	})},
	{name: "Min taken for Max", least: 20, change: behavior(func(r *autoscaler.Rules) {
		if r.Select == autoscaler.Least {
			r.Select = autoscaler.Greatest
		}
	})},
	{name: "Disabled taken for Max", least: 10, change: behavior(func(r *autoscaler.Rules) {
		if r.Select == autoscaler.Disabled {
			r.Select = autoscaler.Greatest
		}
	})},
	{name: "no cap without behavior", least: 15, change: func(set *autoscaler.Settings, spec *autoscaler.Spec, _ *autoscaler.State) {
		if spec.Behavior == nil {
			window := set.DownscaleStabilization + 1 // what is as old as the window counts there
			free := autoscaler.Rules{Policies: []autoscaler.Policy{{Value: 1000, Period: time.Second}}}
			spec.Behavior = &autoscaler.Behavior{Up: free, Down: free}
			spec.Behavior.Down.Window = &window
		}
	}},
	{name: "no bounds", least: 60, change: func(_ *autoscaler.Settings, spec *autoscaler.Spec, _ *autoscaler.State) {
		spec.Min, spec.Max = 1, 1000
	}},
	{name: "periods of policies twice as long", least: 15, change: behavior(func(r *autoscaler.Rules) {
		r.Policies = slices.Clone(r.Policies)
		for i := range r.Policies {
			r.Policies[i].Period *= 2
		}
	})},
}

package oracle

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"ordeal/runner/verdict/autoscaler"
)

// feature is a thing of the algorithm that must have made itself felt.
type feature string

// wanted is how many traces must show each feature.
var wanted = map[feature]int{
	"scaled up": 150, "scaled down": 150, "kept within tolerance": 100, "tolerance of its own": 20,
	"unready pods": 80, "pods without a metric": 80, "deleted or failed pods": 80, "starting pods": 30,
	"all metrics missing": 30, "a missing metric blocks": 15, "scaled up with a metric missing": 10,
	"a later metric wins": 60, "window on the way up": 20, "window on the way down": 60,
	"policy limits up": 30, "policy limits down": 30, "policy Min": 30, "policy Max": 30, "scaling disabled": 10,
	"cap without behavior": 20, "held at the maximum": 50, "held at the minimum": 40, "min = max": 20,
	"brought back from above": 20, "brought back from below": 20, "switched off": 3,
	"source Resource": 100, "source ContainerResource": 20, "source Pods": 50, "source Object": 20, "source External": 20,
	"utilisation": 80, "average": 80, "value": 15,
}

// coverage counts the traces that showed a feature.
type coverage map[feature]int

func (c coverage) add(seen map[feature]bool) {
	for f := range seen {
		c[f]++
	}
}

func (c coverage) enough(t *testing.T) {
	for f, n := range wanted {
		if c[f] < n {
			t.Errorf("%q occurs in %d traces, want at least %d", f, c[f], n)
		}
	}
	for f := range c {
		if _, ok := wanted[f]; !ok {
			t.Errorf("no number is wanted of %q", f)
		}
	}
}

func (c coverage) String() string {
	var b strings.Builder
	for _, f := range slices.Sorted(maps.Keys(c)) {
		fmt.Fprintf(&b, "%4d traces: %s\n", c[f], f)
	}
	return b.String()
}

// look notes what one decision shows.
func look(seen map[feature]bool, set autoscaler.Settings, spec autoscaler.Spec, s autoscaler.State, d autoscaler.Decision) {
	note := func(f feature, is bool) {
		if is {
			seen[f] = true
		}
	}
	note("scaled up", d.Replicas > s.Wanted)
	note("scaled down", d.Replicas < s.Wanted)
	note("min = max", spec.Min == spec.Max)
	note("brought back from above", d.Reason == autoscaler.TooMany)
	note("brought back from below", d.Reason == autoscaler.TooFew)
	note("switched off", d.Reason == autoscaler.SwitchedOff)
	if d.Proposals == nil {
		return
	}
	invalid := d.Err != nil
	one := slices.ContainsFunc(d.Proposals, func(p autoscaler.Proposal) bool { return p != autoscaler.Proposal{} })
	note("all metrics missing", d.Reason == autoscaler.Blind && !one)
	note("a missing metric blocks", d.Reason == autoscaler.Blind && one)
	if d.Reason == autoscaler.Blind {
		return
	}
	note("scaled up with a metric missing", invalid && d.Replicas > s.Wanted)
	note("a later metric wins", d.Metric > 0)
	m, p := spec.Metrics[d.Metric], d.Proposals[d.Metric]
	note(feature("source "+string(m.Source)), true)
	note("utilisation", m.Utilization != 0)
	note("average", m.Average != 0)
	note("value", m.Value != 0)
	note("kept within tolerance", p.Over == 0 && p.Ratio != 1)
	lookAtPods(note, set, m, s)
	lookAtLimits(note, spec, s, d)
}

func lookAtPods(note func(feature, bool), set autoscaler.Settings, m autoscaler.Metric, s autoscaler.State) {
	if m.Source == autoscaler.Object || m.Source == autoscaler.External {
		return
	}
	i := s.Readings[0]
	for _, r := range s.Readings {
		if len(r.Pods) > 0 {
			i = r
		}
	}
	for _, p := range s.Pods {
		_, measured := i.Pods[p.Name]
		note("deleted or failed pods", p.Deleting || p.Phase == "Failed")
		note("unready pods", p.Ready == "False" || p.Phase == "Pending")
		note("pods without a metric", p.Phase == "Running" && !measured)
		note("starting pods", m.Name == autoscaler.CPU && p.Phase == "Running" && p.Started.Add(set.CPUInitializationPeriod).After(s.At))
	}
}

func lookAtLimits(note func(feature, bool), spec autoscaler.Spec, s autoscaler.State, d autoscaler.Decision) {
	note("held at the maximum", d.Replicas == spec.Max && d.Stable > spec.Max)
	note("held at the minimum", d.Replicas == spec.Min && d.Stable < spec.Min)
	note("window on the way down", d.Proposed < s.Wanted && d.Stable > d.Proposed)
	note("window on the way up", d.Proposed > s.Wanted && d.Stable < d.Proposed)
	b := spec.Behavior
	if b == nil {
		note("cap without behavior", d.Replicas < min(d.Stable, spec.Max))
		return
	}
	note("tolerance of its own", b.Up.Tolerance != nil || b.Down.Tolerance != nil)
	up, down := d.Replicas < min(d.Stable, spec.Max), d.Replicas > max(d.Stable, spec.Min)
	note("policy limits up", up)
	note("policy limits down", down)
	rules := b.Up
	if down {
		rules = b.Down
	}
	if up || down {
		note("policy Min", len(rules.Policies) > 1 && rules.Select == autoscaler.Least)
		note("policy Max", len(rules.Policies) > 1 && rules.Select == autoscaler.Greatest)
		note("scaling disabled", rules.Select == autoscaler.Disabled)
	}
}

package autoscaler

import (
	"errors"
	"fmt"
)

// Reason is what decided the number of replicas.
type Reason string

// The reasons.
const (
	ByMetrics   Reason = "metrics"
	TooMany     Reason = "above the maximum"
	TooFew      Reason = "below the minimum"
	SwitchedOff Reason = "scaled to zero by hand"
	Blind       Reason = "metrics are missing"
)

// Decision is the outcome of one synchronisation.
type Decision struct {
	Replicas  int32
	Reason    Reason
	Proposed  int32      // by the metrics, before windows and limits
	Metric    int        // the metric that asked for most; -1 where none was looked at
	Stable    int32      // after the windows
	Proposals []Proposal // one a metric; the zero value of one that was invalid
	Err       error      // why metrics were invalid, even where the others sufficed
}

// Step is one synchronisation: what the controller decides, and what it will
// remember of it, taken that its decision came to be.
func Step(set Settings, spec Spec, s State, m Memory) (Decision, Memory) {
	m = m.begin(s)
	d := Decision{Replicas: s.Wanted, Metric: -1}
	switch {
	case s.Wanted == 0:
		d.Reason = SwitchedOff
	case s.Wanted > spec.Max:
		d.Replicas, d.Reason = spec.Max, TooMany
	case s.Wanted < spec.Min:
		d.Replicas, d.Reason = spec.Min, TooFew
	default:
		if d = Recommend(set, spec, s); d.Reason != Blind {
			return Limit(set, spec, s, d, m)
		}
	}
	return d, m.Scaled(spec, s, d.Replicas)
}

// Recommend is what the metrics ask for together: the greatest proposal. A
// metric that is invalid forbids fewer replicas, and all of them any change.
func Recommend(set Settings, spec Spec, s State) Decision {
	d := Decision{Replicas: s.Wanted, Reason: ByMetrics, Metric: -1, Proposals: make([]Proposal, len(spec.Metrics))}
	var bad []error
	for i, m := range spec.Metrics {
		p, err := Propose(set, spec, s, i)
		if err != nil {
			bad = append(bad, fmt.Errorf("metric %s: %w", m.Name, err))
			continue
		}
		d.Proposals[i] = p
		if d.Proposed == 0 || p.Replicas > d.Proposed {
			d.Proposed, d.Metric = p.Replicas, i
		}
	}
	d.Err = errors.Join(bad...)
	if len(bad) == len(spec.Metrics) || len(bad) > 0 && d.Proposed < s.Wanted {
		d.Reason, d.Proposed, d.Metric = Blind, s.Wanted, -1
	}
	return d
}

// Limit brings a recommendation within the windows, the policies and the
// bounds, and remembers it.
func Limit(set Settings, spec Spec, s State, d Decision, m Memory) (Decision, Memory) {
	m = m.begin(s)
	if spec.Behavior != nil {
		d.Stable = m.steady(set, *spec.Behavior, s, d.Proposed)
	} else {
		d.Stable = max(d.Proposed, m.highest(s.At.Add(-set.DownscaleStabilization), true))
	}
	least, most := spec.Range(s, m)
	d.Replicas = max(d.Stable, least)
	if d.Stable > s.Wanted {
		d.Replicas = min(d.Stable, most)
	}
	return d, m.recommend(set, s.At, d.Proposed).Scaled(spec, s, d.Replicas)
}

// Range is the fewest and the most replicas that one step may lead to, from
// replicas that are within the bounds: by the policies, and by the bounds.
func (spec Spec) Range(s State, m Memory) (least, most int32) {
	b := spec.Behavior
	if b == nil {
		return spec.Min, min(spec.Max, max(2*s.Wanted, 4))
	}
	return max(spec.Min, min(s.Wanted, b.Down.least(s, m))), min(spec.Max, max(s.Wanted, b.Up.most(s, m)))
}

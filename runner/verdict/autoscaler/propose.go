package autoscaler

import (
	"errors"
	"fmt"
	"math"
)

// Proposal is the number of replicas that one metric asks for.
type Proposal struct {
	Replicas int32
	Ratio    float64 // of the metric to its target, after Pods without a measured value were made up for
	Over     float64 // what the ratio was multiplied with; 0 where the replicas stay as they are
	Load     float64 // how many Pods the target would have carry what was measured
	Reading  int64   // the measured mean: percent of the request, or thousandths
}

// Errors for which a metric is invalid.
var (
	errNoPods    = errors.New("the selector finds no pod")
	errNoSamples = errors.New("no pod that counts has a value")
	errNoTarget  = errors.New("the metric has no target of its kind")
)

// tolerances are how far below and above 1 a ratio may be.
type tolerances struct{ down, up float64 }

func (s Spec) tolerances(set Settings) tolerances {
	t := tolerances{set.Tolerance, set.Tolerance}
	if s.Behavior != nil {
		if v := s.Behavior.Down.Tolerance; v != nil {
			t.down = *v
		}
		if v := s.Behavior.Up.Tolerance; v != nil {
			t.up = *v
		}
	}
	return t
}

func (t tolerances) cover(ratio float64) bool { return 1-t.down <= ratio && ratio <= 1+t.up }

// Propose computes what metric i of the spec asks for.
func Propose(set Settings, spec Spec, s State, i int) (Proposal, error) {
	m := spec.Metrics[i]
	if i >= len(s.Readings) {
		return Proposal{}, errors.New("it was not read")
	}
	r, t := s.Readings[i], spec.tolerances(set)
	if r.Missing != "" {
		return Proposal{}, errors.New(r.Missing)
	}
	switch m.Source {
	case Resource, ContainerResource, Pods:
		return s.fromPods(set, t, m, r.Pods)
	case Object, External:
		return s.fromSum(t, m, r.Value)
	}
	return Proposal{}, fmt.Errorf("a metric of kind %s is not known", m.Source)
}

// keep proposes no change.
func (s State) keep(ratio, of float64, reading int64) Proposal {
	return Proposal{Replicas: s.Wanted, Ratio: ratio, Load: ratio * of, Reading: reading}
}

// multiplied proposes a ratio of a number of Pods, rounded up.
func multiplied(ratio, over float64, reading int64) Proposal {
	return Proposal{Replicas: ceiling(ratio * over), Ratio: ratio, Over: over, Load: ratio * over, Reading: reading}
}

func ceiling(v float64) int32 { return int32(min(math.Ceil(v), math.MaxInt32)) }

// fromSum proposes replicas for a metric that is not a Pod's.
func (s State) fromSum(t tolerances, m Metric, sum int64) (Proposal, error) {
	switch {
	case m.Average != 0:
		share := float64(m.Average)
		ratio := float64(sum) / (share * float64(s.Replicas))
		mean := int64(math.Ceil(float64(sum) / float64(max(1, s.Replicas))))
		if t.cover(ratio) {
			p := s.keep(ratio, float64(s.Replicas), mean)
			p.Replicas = s.Replicas
			return p, nil
		}
		load := float64(sum) / share
		return Proposal{Replicas: ceiling(load), Ratio: ratio, Over: float64(s.Replicas), Load: load, Reading: mean}, nil
	case m.Value == 0:
		return Proposal{}, errNoTarget
	}
	ratio := float64(sum) / float64(m.Value)
	if t.cover(ratio) {
		return s.keep(ratio, float64(s.serving()), sum), nil
	}
	if len(s.Pods) == 0 {
		return Proposal{}, errNoPods
	}
	return multiplied(ratio, float64(s.serving()), sum), nil
}

// fromPods proposes replicas for a metric of the Pods.
func (s State) fromPods(set Settings, t tolerances, m Metric, samples map[string]Sample) (Proposal, error) {
	if len(s.Pods) == 0 {
		return Proposal{}, errNoPods
	}
	resource := m.Name
	if m.Source == Pods {
		resource = ""
	}
	g := s.group(set, resource, samples)
	if len(g.samples) == 0 {
		return Proposal{}, errNoSamples
	}
	scale, err := s.scale(m)
	if err != nil {
		return Proposal{}, err
	}
	ratio, reading, err := scale.ratio(g.samples)
	if err != nil {
		return Proposal{}, err
	}
	idle := len(g.unready) > 0 && ratio > 1 // Pods to come will take their share
	if !idle && len(g.missing) == 0 {
		if t.cover(ratio) {
			return s.keep(ratio, float64(g.ready), reading), nil
		}
		return multiplied(ratio, float64(g.ready), reading), nil
	}
	g.fill(ratio, idle, scale)
	filled, _, err := scale.ratio(g.samples)
	if err != nil {
		return Proposal{}, err
	}
	p := multiplied(filled, float64(len(g.samples)), reading)
	turned := ratio < 1 && filled > 1 || ratio > 1 && filled < 1
	against := filled < 1 && p.Replicas > s.Wanted || filled > 1 && p.Replicas < s.Wanted
	if t.cover(filled) || turned || against {
		return s.keep(filled, float64(len(g.samples)), reading), nil
	}
	return p, nil
}

// fill makes up values for Pods that have none, such that they hold back the
// change: nothing on the way up, much on the way down.
func (g *groups) fill(ratio float64, idle bool, scale podScale) {
	for _, name := range g.missing {
		switch {
		case ratio < 1:
			g.samples[name] = Sample{Value: scale.busy(name)}
		case ratio > 1:
			g.samples[name] = Sample{}
		}
	}
	if idle {
		for _, name := range g.unready {
			g.samples[name] = Sample{}
		}
	}
}

// podScale compares the values of Pods with the target.
type podScale struct {
	target   Metric
	requests map[string]int64 // nil: the target is not a share of what they request
}

func (s State) scale(m Metric) (podScale, error) {
	switch {
	case m.Average != 0:
		return podScale{target: m}, nil
	case m.Utilization == 0 || m.Source == Pods:
		return podScale{}, errNoTarget
	}
	requests, err := s.requests(m)
	return podScale{m, requests}, err
}

// ratio is rounded down twice on its way: the mean is a whole number.
func (c podScale) ratio(samples map[string]Sample) (ratio float64, reading int64, err error) {
	var sum, requested int64
	for name, v := range samples {
		if c.requests == nil {
			sum += v.Value
			continue
		}
		if r, known := c.requests[name]; known {
			sum, requested = sum+v.Value, requested+r
		}
	}
	if c.requests == nil {
		mean := sum / int64(len(samples))
		return float64(mean) / float64(c.target.Average), mean, nil
	}
	if requested == 0 {
		return 0, 0, errNoSamples
	}
	percent := int32(sum * 100 / requested)
	return float64(percent) / float64(c.target.Utilization), int64(percent), nil
}

// busy is what a Pod without a value is taken to use when fewer are wanted.
func (c podScale) busy(name string) int64 {
	if c.requests == nil {
		return c.target.Average
	}
	return c.requests[name] * int64(max(100, c.target.Utilization)) / 100
}

package verdict

import (
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"ordeal/runner/verdict/autoscaler"
)

// What of the API's objects the judgement of an autoscaler reads, and how it is
// put in the terms of the recomputation.

// hpaObject is a HorizontalPodAutoscaler of autoscaling/v2.
type hpaObject struct {
	Spec struct {
		ScaleTargetRef struct{ Kind, Name string }
		MinReplicas    *int32
		MaxReplicas    int32
		Metrics        []hpaMetric
		Behavior       *struct{ ScaleUp, ScaleDown *hpaRules }
	}
}

type hpaMetric struct {
	Type              autoscaler.Source
	Resource          *hpaSource
	ContainerResource *hpaSource
	Pods              *hpaSource
	Object            *hpaSource
	External          *hpaSource
}

type hpaSource struct {
	Name, Container string
	Metric          struct{ Name string }
	Target          struct {
		AverageUtilization  int32
		AverageValue, Value quantity
	}
}

type hpaRules struct {
	StabilizationWindowSeconds *int32
	SelectPolicy               autoscaler.Select
	Tolerance                  *quantity
	Policies                   []struct {
		Type          string
		Value         int32
		PeriodSeconds int32
	}
}

// spec is the autoscaler in the terms of the recomputation.
func (o hpaObject) spec() autoscaler.Spec {
	s := autoscaler.Spec{Min: 1, Max: o.Spec.MaxReplicas}
	if o.Spec.MinReplicas != nil {
		s.Min = *o.Spec.MinReplicas
	}
	for _, m := range o.Spec.Metrics {
		s.Metrics = append(s.Metrics, m.metric())
	}
	if b := o.Spec.Behavior; b != nil {
		both := autoscaler.Usual()
		b.ScaleUp.onto(&both.Up)
		b.ScaleDown.onto(&both.Down)
		s.Behavior = &both
	}
	return s
}

func (m hpaMetric) metric() autoscaler.Metric {
	out := autoscaler.Metric{Source: m.Type}
	for _, s := range []*hpaSource{m.Resource, m.ContainerResource, m.Pods, m.Object, m.External} {
		if s != nil {
			out.Name, out.Container = s.Name+s.Metric.Name, s.Container
			out.Utilization, out.Average, out.Value = s.Target.AverageUtilization, s.Target.AverageValue.milli(), s.Target.Value.milli()
		}
	}
	return out
}

// onto puts what is said of a direction in the place of what is usual.
func (r *hpaRules) onto(rules *autoscaler.Rules) {
	if r == nil {
		return
	}
	if r.StabilizationWindowSeconds != nil {
		window := time.Duration(*r.StabilizationWindowSeconds) * time.Second
		rules.Window = &window
	}
	if r.SelectPolicy != "" {
		rules.Select = r.SelectPolicy
	}
	if r.Tolerance != nil {
		share := float64(*r.Tolerance)
		rules.Tolerance = &share
	}
	if r.Policies != nil {
		rules.Policies = nil
	}
	for _, p := range r.Policies {
		rules.Policies = append(rules.Policies, autoscaler.Policy{Percent: p.Type == "Percent", Value: p.Value, Period: time.Duration(p.PeriodSeconds) * time.Second})
	}
}

// hpaPod is a Pod of v1.
type hpaPod struct {
	Metadata struct {
		Name              string
		Labels            map[string]string
		DeletionTimestamp *time.Time
	}
	Spec struct {
		Containers, InitContainers []struct {
			Name, RestartPolicy string
			Resources           hpaRequests
		}
		Resources *hpaRequests
	}
	Status struct {
		Phase      string
		StartTime  time.Time
		Conditions []struct {
			Type, Status       string
			LastTransitionTime time.Time
		}
	}
}

type hpaRequests struct{ Requests map[string]quantity }

func (r hpaRequests) milli() map[string]int64 {
	all := make(map[string]int64, len(r.Requests))
	for name, q := range r.Requests {
		all[name] = q.milli()
	}
	return all
}

// pod is the Pod in the terms of the recomputation.
func (o hpaPod) pod() autoscaler.Pod {
	p := autoscaler.Pod{Name: o.Metadata.Name, Phase: o.Status.Phase, Deleting: o.Metadata.DeletionTimestamp != nil, Started: o.Status.StartTime}
	for _, c := range o.Status.Conditions {
		if c.Type == "Ready" {
			p.Ready, p.ReadyChanged = c.Status, c.LastTransitionTime
		}
	}
	for i, c := range append(o.Spec.Containers[:len(o.Spec.Containers):len(o.Spec.Containers)], o.Spec.InitContainers...) {
		if i < len(o.Spec.Containers) || c.RestartPolicy == "Always" {
			p.Containers = append(p.Containers, autoscaler.Container{Name: c.Name, Requests: c.Resources.milli()})
		}
	}
	if o.Spec.Resources != nil && len(o.Spec.Resources.Requests) > 0 {
		p.Requests = o.Spec.Resources.milli()
	}
	return p
}

// hpaTarget is a Deployment, or another object that can be scaled.
type hpaTarget struct {
	Spec struct {
		Replicas *int32
		Selector struct {
			MatchLabels      map[string]string
			MatchExpressions []json.RawMessage
		}
	}
	Status struct{ Replicas, ReadyReplicas int32 }
}

// hpaEvent is an Event of core/v1.
type hpaEvent struct {
	Metadata       struct{ UID string }
	InvolvedObject struct{ Kind, Name string }
	Reason         string
	Message        string
	Count          int
	Series         *struct{ Count int }
}

// times is how often it happened so far.
func (e hpaEvent) times() int {
	if e.Series != nil {
		return max(1, e.Count, e.Series.Count)
	}
	return max(1, e.Count)
}

var newSize = regexp.MustCompile(`^New size: (\d+)`)

// size is the number of replicas that a step led to.
func (e hpaEvent) size() (int32, bool) {
	m := newSize.FindStringSubmatch(e.Message)
	if m == nil || e.Reason != "SuccessfulRescale" {
		return 0, false
	}
	n, err := strconv.ParseInt(m[1], 10, 32)
	return int32(n), err == nil
}

// quantity is an amount as the API writes it: "500m", "2Gi", "1.5", "100".
type quantity float64

var suffixes = map[string]float64{
	"n": 1e-9, "u": 1e-6, "m": 1e-3, "": 1, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18,
	"Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30, "Ti": 1 << 40, "Pi": 1 << 50, "Ei": 1 << 60,
}

// UnmarshalJSON reads a text, or a plain number.
func (q *quantity) UnmarshalJSON(b []byte) error {
	text := strings.Trim(string(b), `"`)
	digits := strings.TrimRight(text, "numkMGTPEi")
	factor, known := suffixes[text[len(digits):]]
	v, err := strconv.ParseFloat(digits, 64)
	if !known || err != nil {
		return fmt.Errorf("%q is no amount of the API", text)
	}
	*q = quantity(v * factor)
	return nil
}

// milli is the amount in thousandths, rounded up as the API does.
func (q quantity) milli() int64 { return thousandths(float64(q)) }

// thousandths rounds up; what arithmetic alone adds is left out.
func thousandths(v float64) int64 { return int64(math.Ceil(v*1000 - 1e-6)) }

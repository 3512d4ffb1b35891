package reports

import (
	"encoding/json"
	"strconv"
	"strings"

	"ordeal/runner/evidence"
)

// seenObject is what reports read of an object, whatever its kind.
type seenObject struct {
	Metadata struct {
		Labels            map[string]string `json:"labels"`
		DeletionTimestamp *string           `json:"deletionTimestamp"`
		Grace             *int              `json:"deletionGracePeriodSeconds"`
		OwnerReferences   []struct{ Kind, Name string }
	} `json:"metadata"`
	Spec struct {
		Replicas       *int `json:"replicas"`
		MinReplicas    *int `json:"minReplicas"`
		MaxReplicas    int  `json:"maxReplicas"`
		ScaleTargetRef struct{ Name string }
		Metrics        []metricEntry `json:"metrics"`
	} `json:"spec"`
	Status struct {
		Replicas          int           `json:"replicas"`
		ReadyReplicas     int           `json:"readyReplicas"`
		UpdatedReplicas   int           `json:"updatedReplicas"`
		Phase             string        `json:"phase"`
		CurrentMetrics    []metricEntry `json:"currentMetrics"`
		Conditions        []struct{ Type, Status string }
		ContainerStatuses []struct{ RestartCount int }
	} `json:"status"`
}

// condition is the status of a condition; "" where it has none.
func (o *seenObject) condition(kind string) string {
	for _, c := range o.Status.Conditions {
		if c.Type == kind {
			return c.Status
		}
	}
	return ""
}

// deployment is the Deployment that made a Pod by way of a ReplicaSet; "" where it
// is not known.
func (o *seenObject) deployment() string {
	for _, owner := range o.Metadata.OwnerReferences {
		if hash := o.Metadata.Labels["pod-template-hash"]; owner.Kind == "ReplicaSet" && hash != "" {
			return strings.TrimSuffix(owner.Name, "-"+hash)
		}
	}
	return ""
}

// metricEntry is a metric in the spec of an autoscaler, or in its status.
type metricEntry struct {
	Resource, ContainerResource, Pods, Object, External *metricSource
}

type metricSource struct {
	Name            string
	Metric          struct{ Name string }
	Target, Current struct {
		AverageUtilization  *float64
		AverageValue, Value *string
	}
}

func (m metricEntry) source() (s *metricSource) {
	for _, s := range []*metricSource{m.Resource, m.ContainerResource, m.Pods, m.Object, m.External} {
		if s != nil {
			return s
		}
	}
	return &metricSource{}
}

func (s *metricSource) name() string {
	if s.Name != "" {
		return s.Name
	}
	return s.Metric.Name
}

// quantity reads an amount as Kubernetes writes it: "250m", "1500", "2Gi".
func quantity(s *string) (v float64, ok bool) {
	if s == nil {
		return 0, false
	}
	for _, u := range []struct {
		suffix string
		factor float64
	}{
		{"Ki", 1 << 10}, {"Mi", 1 << 20}, {"Gi", 1 << 30}, {"Ti", 1 << 40},
		{"n", 1e-9}, {"u", 1e-6}, {"m", 1e-3}, {"k", 1e3}, {"M", 1e6}, {"G", 1e9}, {"T", 1e12}, {"", 1},
	} {
		if digits, has := strings.CutSuffix(*s, u.suffix); has {
			v, err := strconv.ParseFloat(digits, 64)
			return v * u.factor, err == nil
		}
	}
	return 0, false
}

// see takes up what an event says of an object. What cannot be read is left out:
// events.jsonl has it.
func (b *clusterBuilder) see(e evidence.Event) {
	var o seenObject
	if err := json.Unmarshal(e.Object.Data, &o); err != nil {
		return
	}
	switch e.Object.Kind {
	case "Deployment":
		b.deployment(e, &o)
	case "HorizontalPodAutoscaler":
		b.autoscaler(e, &o)
	case "Pod":
		b.pod(e, &o)
	}
}

func (b *clusterBuilder) deployment(e evidence.Event, o *seenObject) {
	d := first(b, b.deployments, e.Object.Name, Deployment{Name: e.Object.Name})
	now := Replicas{At: e.At, Wanted: 1, There: o.Status.Replicas, Ready: o.Status.ReadyReplicas, OfNew: o.Status.UpdatedReplicas}
	if o.Spec.Replicas != nil {
		now.Wanted = *o.Spec.Replicas
	}
	if e.Object.Action == "deleted" {
		now = Replicas{At: e.At}
	}
	if n := len(d.Points); n > 0 {
		before := d.Points[n-1]
		if before.At = now.At; before == now {
			return
		}
	}
	d.Points = append(d.Points, now)
}

func (b *clusterBuilder) autoscaler(e evidence.Event, o *seenObject) {
	a := first(b, b.autoscalers, e.Object.Name, Autoscaler{Name: e.Object.Name, Metrics: []Metric{}})
	a.Of, a.Min, a.Max = o.Spec.ScaleTargetRef.Name, 1, o.Spec.MaxReplicas
	if o.Spec.MinReplicas != nil {
		a.Min = *o.Spec.MinReplicas
	}
	blind := o.condition("ScalingActive") == "False"
	for i, m := range o.Spec.Metrics {
		wanted := m.source()
		if i == len(a.Metrics) {
			a.Metrics = append(a.Metrics, Metric{Name: wanted.name()})
		}
		metric := &a.Metrics[i]
		metric.Target, metric.Percent = wanted.target()
		fact := MetricFact{At: e.At}
		for _, s := range o.Status.CurrentMetrics {
			if now := s.source(); now.name() == wanted.name() && !blind {
				fact.Value = now.current(metric.Percent)
			}
		}
		if n := len(metric.Points); n == 0 || !sameValue(metric.Points[n-1].Value, fact.Value) {
			metric.Points = append(metric.Points, fact)
		}
	}
}

func sameValue(a, b *float64) bool { return a == nil && b == nil || a != nil && b != nil && *a == *b }

func (s *metricSource) target() (v float64, percent bool) {
	if s.Target.AverageUtilization != nil {
		return *s.Target.AverageUtilization, true
	}
	if v, ok := quantity(s.Target.AverageValue); ok {
		return v, false
	}
	v, _ = quantity(s.Target.Value)
	return v, false
}

func (s *metricSource) current(percent bool) *float64 {
	if percent {
		return s.Current.AverageUtilization
	}
	for _, q := range []*string{s.Current.AverageValue, s.Current.Value} {
		if v, ok := quantity(q); ok {
			return &v
		}
	}
	return nil
}

func (b *clusterBuilder) pod(e evidence.Event, o *seenObject) {
	p := first(b, b.pods, e.Object.UID, Pod{Name: e.Object.Name, Of: o.deployment()})
	was := podStarting
	if n := len(p.States); n > 0 {
		was = p.States[n-1].State
	}
	state := stateOf(o, was)
	if len(p.States) == 0 || state != was {
		p.States = append(p.States, PodState{e.At, state})
	}
	restarts := 0
	for _, c := range o.Status.ContainerStatuses {
		restarts += c.RestartCount
	}
	for len(p.Restarts) < restarts {
		p.Restarts = append(p.Restarts, e.At)
	}
	gone := e.Object.Action == "deleted"
	if gone {
		p.Gone = e.At
	}
	if at := o.Metadata.Grace; was != podEnding && (at != nil && *at == 0 || gone) {
		p.Killed = true // a Pod that gets time to end gets none but at its end
	}
}

func stateOf(o *seenObject, was string) string {
	switch {
	case o.Metadata.DeletionTimestamp != nil, o.Status.Phase == "Succeeded", o.Status.Phase == "Failed":
		return podEnding
	case o.condition("Ready") == "True":
		return podReady
	case was == podReady:
		return podUnready
	}
	return was
}

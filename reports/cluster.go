package reports

import (
	"slices"
	"time"

	"ordeal/runner/evidence"
)

// Cluster is what was seen of a Kubernetes cluster in the course of a run. Each
// list of points has one where something changed, and holds until the next.
type Cluster struct {
	About       string       `json:"about,omitempty"` // which cluster it is, and what a run on it cannot show
	Deployments []Deployment `json:"deployments"`
	Autoscalers []Autoscaler `json:"autoscalers"`
	Pods        []Pod        `json:"pods"`
}

// Deployment is one Deployment with how many Pods it had.
type Deployment struct {
	Name   string     `json:"name"`
	Points []Replicas `json:"points"`
}

// Replicas is how many Pods there were from a time on.
type Replicas struct {
	At     time.Duration `json:"at_ns"`
	Wanted int           `json:"wanted"`
	There  int           `json:"there"`   // also those that are not ready
	Ready  int           `json:"ready"`   // that take calls
	OfNew  int           `json:"updated"` // of the latest template
}

// Autoscaler is one HorizontalPodAutoscaler with its metrics.
type Autoscaler struct {
	Name    string   `json:"name"`
	Of      string   `json:"of"` // the Deployment that it scales
	Min     int      `json:"min"`
	Max     int      `json:"max"`
	Metrics []Metric `json:"metrics"`
}

// Metric is a metric of an autoscaler, as the autoscaler itself says it.
type Metric struct {
	Name    string       `json:"name"`
	Percent bool         `json:"percent,omitempty"` // of what the Pods request; else an average over the Pods, in the metric's unit
	Target  float64      `json:"target"`
	Points  []MetricFact `json:"points"`
}

// MetricFact is the value of a metric from a time on.
type MetricFact struct {
	At    time.Duration `json:"at_ns"`
	Value *float64      `json:"value"` // null where the autoscaler had none
}

// Pod is one Pod with what became of it.
type Pod struct {
	Name   string        `json:"name"`
	Of     string        `json:"of,omitempty"` // the Deployment that made it; "" where it is not known
	States []PodState    `json:"states"`
	Gone   time.Duration `json:"gone_ns,omitempty"` // 0 where it was there to the end
	Killed bool          `json:"killed,omitempty"`  // it got no time to end
	// Restarts are the times when a container of it was started again.
	Restarts []time.Duration `json:"restarts_ns,omitempty"`
}

// PodState is what a Pod was from a time on: "starting", "ready", "unready" after
// it had been ready, or "ending" after it was asked to end.
type PodState struct {
	At    time.Duration `json:"at_ns"`
	State string        `json:"state"`
}

// The states of a Pod.
const (
	podStarting = "starting"
	podReady    = "ready"
	podUnready  = "unready"
	podEnding   = "ending"
)

// Change is something that was changed on purpose.
type Change struct {
	At     time.Duration `json:"at_ns"`
	Phase  string        `json:"phase"`
	Change string        `json:"change"`
}

// changes lists what was changed on purpose.
func changes(run *evidence.Run) []Change {
	var out []Change
	for _, e := range run.Events {
		if e.Kind == evidence.Changed {
			out = append(out, Change{e.At, e.Phase, e.Text})
		}
	}
	return out
}

// besidesObjects are the events but what was seen of objects of a cluster: of
// those there are many, and Cluster says what they tell.
func besidesObjects(events []evidence.Event) []evidence.Event {
	isObject := func(e evidence.Event) bool { return e.Kind == evidence.ObjectSeen }
	if !slices.ContainsFunc(events, isObject) {
		return events
	}
	return slices.DeleteFunc(slices.Clone(events), isObject)
}

// cluster follows the objects of a cluster through the run; nil where none was
// seen.
func cluster(run *evidence.Run) *Cluster {
	b := &clusterBuilder{deployments: map[string]*Deployment{}, autoscalers: map[string]*Autoscaler{}, pods: map[string]*Pod{}}
	for _, e := range run.Events {
		if e.Kind == evidence.ObjectSeen && e.Object != nil {
			b.see(e)
		}
	}
	if len(b.order) == 0 {
		return nil
	}
	c := &Cluster{About: aboutCluster(run.Meta.Cluster), Deployments: []Deployment{}, Autoscalers: []Autoscaler{}, Pods: []Pod{}}
	for _, o := range b.order {
		switch o := o.(type) {
		case *Deployment:
			c.Deployments = append(c.Deployments, *o)
		case *Autoscaler:
			c.Autoscalers = append(c.Autoscalers, *o)
		case *Pod:
			c.Pods = append(c.Pods, *o)
		}
	}
	return c
}

// clusterBuilder gathers what was seen, object by object.
type clusterBuilder struct {
	deployments map[string]*Deployment // by name
	autoscalers map[string]*Autoscaler
	pods        map[string]*Pod // by UID: a name may come again
	order       []any           // all of them as they came
}

// first gives what is known of an object, and makes it known where it is new.
func first[T any](b *clusterBuilder, known map[string]*T, key string, fresh T) *T {
	o, ok := known[key]
	if !ok {
		o = &fresh
		known[key], b.order = o, append(b.order, o)
	}
	return o
}

// wentUpAndDown reports whether the number of Pods, wanted or ready, changed.
func (d Deployment) wentUpAndDown(from, to time.Duration) bool {
	return slices.ContainsFunc(d.Points, func(p Replicas) bool { return p.At > from && p.At < to })
}

// lived reports whether something became of a Pod in a time.
func (p Pod) lived(from, to time.Duration) bool {
	in := func(at time.Duration) bool { return at > from && at < to }
	return in(p.Gone) || slices.ContainsFunc(p.States, func(s PodState) bool { return in(s.At) }) || slices.ContainsFunc(p.Restarts, in)
}

// Package autoscaler computes what a HorizontalPodAutoscaler of Kubernetes 1.36
// must do: a second opinion, written from its documented behaviour, to compare
// the real controller with.
//
// Everything is a pure function of a State with its time given. Step is one
// synchronisation; what the controller remembers from one to the next is a
// Memory, which is never changed, so that several courses can be followed from
// one point. Amounts are in thousandths, as the controller counts them.
package autoscaler

import "time"

// Settings are the controller's flags that change what it decides.
type Settings struct {
	DownscaleStabilization  time.Duration // how long the highest recommendation counts on the way down
	Tolerance               float64       // how far from 1 the ratio to the target may be before anything is done
	CPUInitializationPeriod time.Duration // how long after its start a Pod's CPU counts only while it is ready
	InitialReadinessDelay   time.Duration // a Pod unready since this soon after its start was never ready
}

// Defaults are the settings of a controller that was given no flags.
func Defaults() Settings {
	return Settings{
		DownscaleStabilization: 5 * time.Minute, Tolerance: 0.1,
		CPUInitializationPeriod: 5 * time.Minute, InitialReadinessDelay: 30 * time.Second,
	}
}

// Spec is what an autoscaler was told.
type Spec struct {
	Min, Max int32
	Metrics  []Metric
	Behavior *Behavior // nil: it was told nothing of how fast to scale
}

// Source is where a metric comes from.
type Source string

// The sources of metrics.
const (
	Resource          Source = "Resource"
	ContainerResource Source = "ContainerResource"
	Pods              Source = "Pods"
	Object            Source = "Object"
	External          Source = "External"
)

// CPU is the resource for which Pods that are starting do not count.
const CPU = "cpu"

// Metric is a metric and its target. One of the targets is not zero.
type Metric struct {
	Source    Source
	Name      string // the resource's or the metric's
	Container string // of a ContainerResource

	Utilization int32 // target: percent of what the Pods request
	Average     int64 // target: a Pod's share, in thousandths
	Value       int64 // target: the whole, in thousandths
}

// Behavior says how fast it may scale.
type Behavior struct{ Up, Down Rules }

// Rules are the rules of one direction.
type Rules struct {
	Window    *time.Duration // nil: none on the way up, the controller's own on the way down
	Select    Select
	Policies  []Policy
	Tolerance *float64 // nil: the controller's own
}

// Select says which of several policies counts.
type Select string

// The choices; the empty one is Greatest.
const (
	Greatest Select = "Max"
	Least    Select = "Min"
	Disabled Select = "Disabled"
)

// Policy is one limit on the change within a period.
type Policy struct {
	Percent bool // Value is percent of the replicas at the period's start, not a number of Pods
	Value   int32
	Period  time.Duration
}

// Usual gives the rules that hold where a direction was told nothing, but the
// other was.
func Usual() Behavior {
	none := time.Duration(0)
	all := Policy{Percent: true, Value: 100, Period: 15 * time.Second}
	return Behavior{
		Up:   Rules{Window: &none, Select: Greatest, Policies: []Policy{{Value: 4, Period: 15 * time.Second}, all}},
		Down: Rules{Select: Greatest, Policies: []Policy{all}},
	}
}

// State is what the controller sees in one synchronisation.
type State struct {
	At       time.Time
	Wanted   int32     // replicas that the scaled object is told to have
	Replicas int32     // replicas that it says to have
	Pods     []Pod     // those that its selector finds
	Readings []Reading // one a metric of the Spec, in its order
}

// Reading is what was known of a metric. Where it could not be read, Missing says why.
type Reading struct {
	Missing string
	Pods    map[string]Sample // by the Pod's name, of Resource, ContainerResource and Pods
	Value   int64             // the sum, of Object and External, in thousandths
}

// Sample is one Pod's value in thousandths: the mean of a window that ended at a time.
type Sample struct {
	Value  int64
	At     time.Time
	Window time.Duration
}

// Pod is what the controller looks at in a Pod.
type Pod struct {
	Name         string
	Phase        string // Pending, Running, Succeeded, Failed
	Deleting     bool
	Started      time.Time // the zero time where it is not known
	Ready        string    // status of the condition Ready: True, False, Unknown, or empty where there is none
	ReadyChanged time.Time // when that last changed
	Containers   []Container
	Requests     map[string]int64 // requested for the Pod as a whole, in thousandths; nil where only its containers request
}

// Container is a container of a Pod, and what it requests in thousandths.
type Container struct {
	Name     string
	Requests map[string]int64
}

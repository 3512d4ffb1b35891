package oracle

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"ordeal/runner/verdict/autoscaler"
)

// trace is a generated world: what the controller is told, and what happens
// around it between two synchronisations.
type trace struct {
	rng   *rand.Rand
	sync  time.Duration
	syncs int
	set   autoscaler.Settings
	spec  autoscaler.Spec

	mu      sync.Mutex // of what follows, while the controller runs: its times are virtual, and order nothing
	wanted  int32      // replicas that the scaled object is told to have
	pods    []autoscaler.Pod
	due     map[string]time.Time // when a starting Pod gets on
	made    int
	demand  float64 // replicas' worth of load, at the targets
	reading []autoscaler.Reading
}

// newTrace makes the trace of a seed.
func newTrace(seed uint64) *trace {
	r := rand.New(rand.NewPCG(seed, 36))
	t := &trace{rng: r, sync: pick(r, time.Second, 5*time.Second, 15*time.Second), syncs: 40 + r.IntN(40), due: map[string]time.Time{}}
	t.set = autoscaler.Settings{
		DownscaleStabilization:  time.Duration(r.IntN(12)) * t.sync,
		Tolerance:               pick(r, 0, 0.05, 0.1, 0.1, 0.25),
		CPUInitializationPeriod: time.Duration(r.IntN(10)) * t.sync,
		InitialReadinessDelay:   time.Duration(r.IntN(4)) * t.sync,
	}
	t.spec.Min = 1 + r.Int32N(4)
	t.spec.Max = t.spec.Min + pick[int32](r, 0, 3, 8, 15, 30, 30)
	for range pick(r, 1, 1, 2, 2, 3) {
		m := t.metric()
		same := func(o autoscaler.Metric) bool {
			return o.Source == m.Source && o.Name == m.Name && o.Container == m.Container
		}
		if !slices.ContainsFunc(t.spec.Metrics, same) {
			t.spec.Metrics = append(t.spec.Metrics, m)
		}
	}
	if r.IntN(5) < 3 {
		t.spec.Behavior = &autoscaler.Behavior{Up: t.rules(), Down: t.rules()}
		if r.IntN(2) == 0 {
			t.spec.Behavior.Down.Window = nil
		}
	}
	t.wanted = t.spec.Min + r.Int32N(t.spec.Max-t.spec.Min+1)
	if r.IntN(8) == 0 {
		t.wanted = pick(r, 1, t.spec.Max+1+r.Int32N(4))
	}
	t.demand = float64(t.wanted) * (0.3 + 1.5*r.Float64())
	return t
}

func pick[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

func (t *trace) metric() autoscaler.Metric {
	r := t.rng
	share := int64(50+r.IntN(2000)) * 10
	switch r.IntN(10) {
	case 0, 1, 2:
		return autoscaler.Metric{Source: autoscaler.Resource, Name: autoscaler.CPU, Utilization: pick[int32](r, 30, 50, 80, 120)}
	case 3:
		return autoscaler.Metric{Source: autoscaler.Resource, Name: autoscaler.CPU, Average: share}
	case 4:
		return autoscaler.Metric{Source: autoscaler.Resource, Name: "memory", Utilization: pick[int32](r, 40, 70, 130)}
	case 5:
		return autoscaler.Metric{Source: autoscaler.ContainerResource, Name: autoscaler.CPU, Container: "main", Utilization: pick[int32](r, 50, 75)}
	case 6, 7:
		return autoscaler.Metric{Source: autoscaler.Pods, Name: fmt.Sprintf("pods-%d", r.IntN(100)), Average: share}
	case 8:
		m := autoscaler.Metric{Source: autoscaler.Object, Name: fmt.Sprintf("object-%d", r.IntN(100)), Average: share}
		if r.IntN(2) == 0 {
			m.Average, m.Value = 0, share*8
		}
		return m
	}
	m := autoscaler.Metric{Source: autoscaler.External, Name: fmt.Sprintf("external-%d", r.IntN(100)), Average: share}
	if r.IntN(2) == 0 {
		m.Average, m.Value = 0, share*8
	}
	return m
}

func (t *trace) rules() autoscaler.Rules {
	r := t.rng
	window := time.Duration(r.IntN(8)) * t.sync
	rules := autoscaler.Rules{Window: &window, Select: pick(r, autoscaler.Greatest, autoscaler.Greatest, autoscaler.Least, autoscaler.Least, autoscaler.Disabled)}
	if rules.Select == autoscaler.Disabled && r.IntN(2) == 0 {
		rules.Select = autoscaler.Greatest
	}
	for range 1 + r.IntN(3) {
		p := autoscaler.Policy{Period: time.Duration(1+r.IntN(6)) * t.sync, Percent: r.IntN(2) == 0, Value: 1 + r.Int32N(5)}
		if p.Percent {
			p.Value = pick[int32](r, 10, 25, 33, 50, 100)
		}
		rules.Policies = append(rules.Policies, p)
	}
	if r.IntN(3) == 0 {
		v := pick(r, 0.02, 0.15, 0.4)
		rules.Tolerance = &v
	}
	return rules
}

// advance is what happens between two synchronisations.
func (t *trace) advance(now time.Time) {
	r := t.rng
	switch r.IntN(12) {
	case 0:
		t.demand *= 1.5 + 2*r.Float64()
	case 1, 2:
		t.demand *= 0.2 + 0.5*r.Float64()
	default:
		t.demand *= 0.97 + 0.06*r.Float64()
	}
	t.demand = min(max(t.demand, 0.2), 1.5*float64(t.spec.Max))
	if r.IntN(60) == 0 { // somebody scales by hand
		t.wanted = pick(r, t.wanted+1, t.spec.Max+1+r.Int32N(3), max(0, t.spec.Min-1))
	}
	t.live(now)
	t.measure(now)
}

// live moves Pods on: as many as wanted, with starts, failures and ends.
func (t *trace) live(now time.Time) {
	r := t.rng
	kept := t.pods[:0]
	for _, p := range t.pods {
		if (p.Deleting || p.Phase == "Failed") && r.IntN(3) == 0 {
			continue
		}
		if at, starting := t.due[p.Name]; starting && !now.Before(at) {
			if p.Phase == "Pending" {
				p.Phase, p.Started, p.Ready, p.ReadyChanged = "Running", now.Truncate(time.Second), "False", now.Truncate(time.Second)
				t.due[p.Name] = now.Add(time.Duration(r.IntN(4)) * t.sync)
			} else {
				p.Ready, p.ReadyChanged = "True", now.Truncate(time.Second)
				delete(t.due, p.Name)
			}
		}
		switch r.IntN(150) {
		case 0:
			p.Phase = "Failed"
		case 1, 2:
			if p.Phase == "Running" {
				p.Ready, p.ReadyChanged = "False", now.Truncate(time.Second)
				t.due[p.Name] = now.Add(time.Duration(1+r.IntN(4)) * t.sync)
			}
		case 3:
			if p.Phase == "Running" {
				p.Ready = ""
			}
		case 4:
			p.Phase = "Succeeded"
		}
		kept = append(kept, p)
	}
	t.pods = kept
	alive := int32(0)
	for i := range t.pods {
		p := &t.pods[i]
		if p.Deleting || p.Phase == "Failed" {
			continue
		}
		if alive++; alive > t.wanted {
			p.Deleting = true
		}
	}
	for ; alive < t.wanted; alive++ {
		t.pods = append(t.pods, t.start(now))
	}
}

// start makes a Pod.
func (t *trace) start(now time.Time) autoscaler.Pod {
	r := t.rng
	t.made++
	p := autoscaler.Pod{Name: fmt.Sprintf("pod-%d", t.made), Phase: "Pending", Containers: []autoscaler.Container{
		{Name: "main", Requests: map[string]int64{"cpu": 500, "memory": 4000}},
		{Name: "side", Requests: map[string]int64{"cpu": 100, "memory": 1000}},
	}}
	if r.IntN(40) == 0 {
		p.Requests = map[string]int64{"cpu": 700, "memory": 6000}
	}
	if r.IntN(400) == 0 {
		delete(p.Containers[1].Requests, "cpu")
	}
	t.due[p.Name] = now.Add(time.Duration(r.IntN(3)) * t.sync)
	return p
}

// measure gives every metric its values: the load's share of each Pod that runs.
func (t *trace) measure(now time.Time) {
	r := t.rng
	running := 0
	for _, p := range t.pods {
		if p.Phase == "Running" && p.Ready == "True" {
			running++
		}
	}
	load := t.demand / float64(max(1, running))
	t.reading = t.reading[:0]
	for _, m := range t.spec.Metrics {
		v := autoscaler.Reading{Pods: map[string]autoscaler.Sample{}}
		if r.IntN(25) == 0 {
			v.Missing = "the metrics API does not answer"
		}
		if target := float64(max(m.Value, m.Average)); m.Source == autoscaler.Object || m.Source == autoscaler.External {
			total := t.demand
			if m.Value != 0 {
				total = load
			}
			v.Value = int64(total * target * (0.9 + 0.2*r.Float64()))
		} else {
			t.measurePods(now, m, load, &v)
		}
		t.reading = append(t.reading, v)
	}
}

func (t *trace) measurePods(now time.Time, m autoscaler.Metric, load float64, v *autoscaler.Reading) {
	r := t.rng
	patchy := r.IntN(6) == 0
	for _, p := range t.pods {
		if p.Phase == "Pending" || patchy && r.IntN(3) == 0 {
			continue
		}
		target := float64(m.Average)
		if m.Utilization != 0 {
			request := int64(600)
			switch {
			case m.Name == "memory":
				request = 5000
			case m.Container != "":
				request = 500
			}
			target = float64(request) * float64(m.Utilization) / 100
		}
		use := load
		if p.Ready != "True" {
			use = 0.05
		}
		v.Pods[p.Name] = autoscaler.Sample{
			Value: int64(use * target * (0.8 + 0.4*r.Float64())), At: now.Add(-time.Duration(r.IntN(1500)) * t.sync / 1000), Window: t.sync,
		}
	}
	if r.IntN(50) == 0 { // a value of a Pod that is gone
		v.Pods["gone"] = autoscaler.Sample{Value: m.Average, At: now, Window: t.sync}
	}
}

package verdict

import (
	"fmt"
	"math"
	"slices"
	"time"

	"ordeal/runner/evidence"
	"ordeal/runner/verdict/autoscaler"
)

// hpaModel writes the evidence of a Deployment "gateway" that an autoscaler
// scales by its load. What is not set about it is sound.
type hpaModel struct {
	phases   []phase
	demand   map[string]float64 // millicores that the load of a phase takes
	min, max int32
	behavior fields        // of the autoscaler; nil for none
	metrics  []any         // of the autoscaler
	sync     time.Duration // of the controller
	start    time.Duration // a Pod until it is Ready
	set      autoscaler.Settings

	// How it is broken.
	told      func(o *hpaObject)                                 // the controller was told something else than is recorded
	decide    func(at time.Duration, from, to int32) int32       // what becomes of a decision
	asleep    func(at time.Duration) bool                        // it does not look
	down      func(at time.Duration) bool                        // the metrics API does not answer
	unseen    func(e *evidence.Event) bool                       // events that are left out
	unpolled  func(at time.Duration) bool                        // metrics that are left out
	unmetered func(pod string, at time.Duration) bool            // Pods whose metrics are missing
	hand      func(at time.Duration, wanted int32) (int32, bool) // somebody scales by hand
}

func soundHPA() hpaModel {
	return hpaModel{
		phases: []phase{{"warmup", time.Second}, {"steady", 9 * time.Second}, {"surge", 30 * time.Second}, {"calm", 40 * time.Second}},
		demand: map[string]float64{"warmup": 90, "steady": 90, "surge": 390, "calm": 60},
		min:    2, max: 10, sync: time.Second, start: 1500 * ms,
		behavior: fields{
			"scaleUp":   fields{"stabilizationWindowSeconds": 0, "selectPolicy": "Max", "policies": []any{fields{"type": "Percent", "value": 100, "periodSeconds": 3}}},
			"scaleDown": fields{"stabilizationWindowSeconds": 10, "selectPolicy": "Max", "policies": []any{fields{"type": "Percent", "value": 100, "periodSeconds": 3}}},
		},
		metrics: []any{fields{"type": "Resource", "resource": fields{"name": "cpu", "target": fields{"type": "Utilization", "averageUtilization": 50}}}},
		set: autoscaler.Settings{DownscaleStabilization: 10 * time.Second, Tolerance: 0.1,
			CPUInitializationPeriod: 3 * time.Second, InitialReadinessDelay: time.Second},
	}
}

// hpaCheckOf asks for everything of the sound model.
func hpaCheckOf(s *script) *HPA {
	return &HPA{
		Name: "gateway", During: "surge", Calm: "calm", Min: 2, Max: 10, FirstWithin: 6 * time.Second, EnoughWithin: 15 * time.Second,
		Overshoot: of[CountLimit](s.t, "<= 2"), Undershoot: of[CountLimit](s.t, "= 0"), Flaps: of[CountLimit](s.t, "<= 1"),
		Stabilization: 10 * time.Second, BackWithin: 20 * time.Second,
	}
}

// meteredPod is a Pod of the model.
type meteredPod struct {
	autoscaler.Pod
	made   time.Duration
	sample autoscaler.Sample
	has    bool
	shown  string // as it was last told
}

// autoscaled is the model as it goes on.
type autoscaled struct {
	*hpaModel
	s      *script
	pods   []*meteredPod
	wanted int32
	made   int
	spec   autoscaler.Spec
	memory autoscaler.Memory
	events map[string]int
	shown  string
}

const hpaStep = 100 * ms

// play writes all of it.
func (m hpaModel) play(s *script) *script {
	s.meta.Cluster = &evidence.ClusterMeta{Kind: "local", Settings: map[string]string{
		"sync_period": m.sync.String(), "tolerance": fmt.Sprint(m.set.Tolerance), "downscale_stabilization": m.set.DownscaleStabilization.String(),
		"cpu_initialization_period": m.set.CPUInitializationPeriod.String(), "initial_readiness_delay": m.set.InitialReadinessDelay.String(),
	}}
	s.meta.Base = s.meta.Base.Truncate(time.Second)
	object := fields{"metadata": fields{"name": "gateway"}, "spec": fields{
		"scaleTargetRef": fields{"apiVersion": "apps/v1", "kind": "Deployment", "name": "gateway"},
		"minReplicas":    m.min, "maxReplicas": m.max, "metrics": m.metrics,
	}}
	if m.behavior != nil {
		object["spec"].(fields)["behavior"] = m.behavior
	}
	s.see("found", "HorizontalPodAutoscaler", "gateway", 500*ms, object, m.unseen)
	var o hpaObject
	if err := seen(&evidence.Run{Events: s.events}, "HorizontalPodAutoscaler", "", func(_ evidence.Event, h hpaObject) { o = h }); err != nil {
		s.t.Fatal(err)
	}
	if m.told != nil {
		m.told(&o)
	}
	a := &autoscaled{hpaModel: &m, s: s, wanted: m.min, spec: o.spec(), events: map[string]int{}}
	for range a.wanted {
		p := a.make(-time.Hour)
		p.Phase, p.Ready, p.Started, p.ReadyChanged = "Running", "True", a.wall(-time.Hour), a.wall(-time.Hour)
	}
	for at := 600 * ms; at < s.meta.Took; at += hpaStep {
		a.live(at)
		if at%time.Second == 0 {
			a.meter(at)
		}
		if at%(500*ms) == 0 {
			a.poll(at)
		}
		if at%m.sync == 300*ms && (m.asleep == nil || !m.asleep(at)) {
			a.look(at + 20*ms)
		}
		if m.hand != nil {
			if to, yes := m.hand(at, a.wanted); yes {
				a.wanted = to
			}
		}
		a.tell(at + 40*ms)
	}
	return s
}

func (m hpaModel) runs(s *script) *evidence.Run { return m.play(s).end() }

func (a *autoscaled) wall(at time.Duration) time.Time { return a.s.meta.Base.Add(at) }

func (a *autoscaled) make(at time.Duration) *meteredPod {
	a.made++
	p := &meteredPod{made: at, Pod: autoscaler.Pod{Name: fmt.Sprintf("gateway-%d", a.made), Phase: "Pending",
		Containers: []autoscaler.Container{{Name: "gateway", Requests: map[string]int64{"cpu": 100}}}}}
	a.pods = append(a.pods, p)
	return p
}

// live moves the Pods on.
func (a *autoscaled) live(at time.Duration) {
	alive := int32(0)
	for _, p := range a.pods {
		now := a.wall(at).Truncate(time.Second)
		switch {
		case p.Deleting:
		case p.Phase == "Pending" && at >= p.made+200*ms:
			p.Phase, p.Started, p.Ready, p.ReadyChanged = "Running", now, "False", now
		case p.Ready == "False" && at >= p.made+a.start:
			p.Ready, p.ReadyChanged = "True", now
		}
		if !p.Deleting {
			if alive++; alive > a.wanted {
				p.Deleting, p.made = true, at
			}
		}
	}
	for ; alive < a.wanted; alive++ {
		a.make(at)
	}
	a.pods = slices.DeleteFunc(a.pods, func(p *meteredPod) bool {
		if gone := p.Deleting && at >= p.made+500*ms; gone {
			a.see("deleted", p, at)
			return true
		}
		return false
	})
}

// meter measures the Pods: the load is shared by those that are Ready, and no
// more than a Pod can do.
func (a *autoscaled) meter(at time.Duration) {
	ready := 0.0
	for _, p := range a.pods {
		if p.Ready == "True" && !p.Deleting {
			ready++
		}
	}
	each := math.Min(a.demand[a.s.phaseAt(max(at-ms, timelineStart))]/ready, 200)
	for i, p := range a.pods {
		if p.Phase != "Running" || at < p.made+time.Second {
			continue
		}
		use := 3.0
		if p.Ready == "True" && !p.Deleting {
			use = each * (1 + 0.02*float64(i%3-1))
		}
		p.has, p.sample = true, autoscaler.Sample{Value: int64(use), At: a.wall(at), Window: time.Second}
	}
}

func (a *autoscaled) metered(p *meteredPod, at time.Duration) bool {
	return p.has && (a.unmetered == nil || !a.unmetered(p.Name, at))
}

// poll records what the metrics API says.
func (a *autoscaled) poll(at time.Duration) {
	if a.unpolled != nil && a.unpolled(at) {
		return
	}
	point := func(name, labels string, v float64) {
		a.s.points = append(a.s.points, evidence.Point{At: at, Target: "kubernetes", Name: name, Labels: labels, Value: v})
	}
	up := a.down == nil || !a.down(at)
	for _, api := range []string{resourceAPI, customAPI} {
		point(available, fmt.Sprintf("api=%q", api), map[bool]float64{true: 1}[up])
	}
	if up { // a Pod that its selector does not find
		point(podCPU, `namespace="ordeal",pod="users-1"`, 0.9)
	}
	for _, p := range a.pods {
		if up && a.metered(p, at) {
			labels := fmt.Sprintf("namespace=%q,pod=%q", "ordeal", p.Name)
			point(podCPU, labels, float64(p.sample.Value)/1000)
			point(podAge, labels, a.wall(at).Sub(p.sample.At).Seconds())
			point(podMetric, `metric="requests",`+labels, float64(p.sample.Value))
		}
	}
}

// look is a synchronisation of the controller.
func (a *autoscaled) look(at time.Duration) {
	state := autoscaler.State{At: a.wall(at), Wanted: a.wanted}
	r := autoscaler.Reading{Pods: map[string]autoscaler.Sample{}}
	if a.down != nil && a.down(at) {
		r.Missing = "down"
	}
	for _, p := range a.pods {
		state.Pods, state.Replicas = append(state.Pods, p.Pod), state.Replicas+1
		if a.metered(p, at) {
			r.Pods[p.Name] = p.sample
		}
	}
	custom := autoscaler.Reading{Missing: r.Missing, Pods: map[string]autoscaler.Sample{}}
	for name, v := range r.Pods {
		v.Value *= 1000
		custom.Pods[name] = v
	}
	for _, m := range a.spec.Metrics {
		if m.Source == autoscaler.Pods {
			state.Readings = append(state.Readings, custom)
		} else {
			state.Readings = append(state.Readings, r)
		}
	}
	var d autoscaler.Decision
	d, a.memory = autoscaler.Step(a.set, a.spec, state, a.memory)
	to := d.Replicas
	if a.decide != nil {
		to = a.decide(at, a.wanted, to)
	}
	if to == a.wanted {
		return
	}
	a.wanted = to
	a.tell(at)
	message := fmt.Sprintf("New size: %d; reason: cpu resource utilization (percentage of request) above target", to)
	a.events[message]++
	a.s.see("changed", "Event", fmt.Sprintf("gateway.%d", to), at+30*ms, fields{
		"involvedObject": fields{"kind": "HorizontalPodAutoscaler", "name": "gateway"}, "reason": "SuccessfulRescale",
		"message": message, "count": a.events[message],
	}, a.unseen)
}

// tell writes what has changed.
func (a *autoscaled) tell(at time.Duration) {
	ready := 0
	for _, p := range a.pods {
		a.see("changed", p, at)
		if p.Ready == "True" && !p.Deleting {
			ready++
		}
	}
	now := fmt.Sprint(a.wanted, len(a.pods), ready)
	if now == a.shown {
		return
	}
	a.shown = now
	a.s.see("changed", "Deployment", "gateway", at, fields{
		"spec":   fields{"replicas": a.wanted, "selector": fields{"matchLabels": fields{"app": "gateway"}}},
		"status": fields{"replicas": len(a.pods), "readyReplicas": ready},
	}, a.unseen)
}

func (a *autoscaled) see(action string, p *meteredPod, at time.Duration) {
	now := action + fmt.Sprint(p.Phase, p.Ready, p.Deleting)
	if now == p.shown {
		return
	}
	p.shown = now
	meta := fields{"name": p.Name, "labels": fields{"app": "gateway"}}
	if p.Deleting {
		meta["deletionTimestamp"] = a.wall(at).UTC().Format(time.RFC3339)
	}
	status := fields{"phase": p.Phase}
	if !p.Started.IsZero() {
		status["startTime"] = p.Started.UTC().Format(time.RFC3339)
		status["conditions"] = []any{fields{"type": "Ready", "status": p.Ready, "lastTransitionTime": p.ReadyChanged.UTC().Format(time.RFC3339)}}
	}
	a.s.see(action, "Pod", p.Name, at, fields{"metadata": meta, "status": status, "spec": fields{"containers": []any{
		fields{"name": "gateway", "resources": fields{"requests": fields{"cpu": "100m", "memory": "64Mi"}}},
	}}}, a.unseen)
}

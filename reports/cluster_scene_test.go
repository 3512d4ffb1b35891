package reports

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"ordeal/runner/evidence"
	"ordeal/runner/verdict"
)

// scene is a cluster that a run of 60 s is played on: a Deployment of two Pods
// that an autoscaler makes six of under load, which is then rolled out anew, loses
// a Pod, and is scaled down again.
type scene struct {
	out    evidence.Sink
	t      testing.TB
	hash   string
	made   int
	pods   []*scenePod
	wanted int
	cpu    *float64
}

type scenePod struct {
	name, hash string
	ready      bool
	ending     bool
	killed     bool
	restarts   int
}

func (s *scene) see(seconds float64, action, kind, name string, data map[string]any) {
	text, err := json.Marshal(data)
	if err != nil {
		s.t.Fatal(err)
	}
	s.out.Event(evidence.Event{At: at(seconds), Kind: evidence.ObjectSeen, Object: &evidence.Object{
		Action: action, Kind: kind, Namespace: "ordeal", Name: name, UID: "uid-" + name, Data: text}})
}

func (s *scene) pod(seconds float64, action string, p *scenePod) {
	meta := map[string]any{"name": p.name, "labels": map[string]any{"pod-template-hash": p.hash},
		"ownerReferences": []any{map[string]any{"kind": "ReplicaSet", "name": "gateway-" + p.hash}}}
	if p.ending {
		meta["deletionTimestamp"], meta["deletionGracePeriodSeconds"] = "2026-01-02T15:04:05Z", 30
		if action == "deleted" || p.killed { // which the node says at last of every Pod
			meta["deletionGracePeriodSeconds"] = 0
		}
	}
	ready := map[bool]string{true: "True", false: "False"}[p.ready && !p.ending]
	s.see(seconds, action, "Pod", p.name, map[string]any{"metadata": meta, "status": map[string]any{"phase": "Running",
		"conditions":        []any{map[string]any{"type": "Ready", "status": ready}},
		"containerStatuses": []any{map[string]any{"restartCount": p.restarts}}}})
}

func (s *scene) deployment(seconds float64) {
	ready, there := 0, 0
	for _, p := range s.pods {
		if !p.ending {
			there++
			if p.ready {
				ready++
			}
		}
	}
	s.see(seconds, "changed", "Deployment", "gateway", map[string]any{"spec": map[string]any{"replicas": s.wanted},
		"status": map[string]any{"replicas": there, "readyReplicas": ready, "updatedReplicas": there}})
}

func (s *scene) autoscaler(seconds float64) {
	current := []any{}
	if s.cpu != nil {
		current = []any{
			map[string]any{"type": "Resource", "resource": map[string]any{"name": "cpu", "current": map[string]any{"averageUtilization": *s.cpu, "averageValue": "100m"}}},
			map[string]any{"type": "Pods", "pods": map[string]any{"metric": map[string]any{"name": "http_requests_per_second"}, "current": map[string]any{"averageValue": fmt.Sprintf("%.0fm", *s.cpu*1500)}}},
		}
	}
	s.see(seconds, "changed", "HorizontalPodAutoscaler", "gateway", map[string]any{
		"spec": map[string]any{"scaleTargetRef": map[string]any{"kind": "Deployment", "name": "gateway"}, "minReplicas": 2, "maxReplicas": 10, "metrics": []any{
			map[string]any{"type": "Resource", "resource": map[string]any{"name": "cpu", "target": map[string]any{"type": "Utilization", "averageUtilization": 50}}},
			map[string]any{"type": "Pods", "pods": map[string]any{"metric": map[string]any{"name": "http_requests_per_second"}, "target": map[string]any{"type": "AverageValue", "averageValue": "60"}}},
		}},
		"status": map[string]any{"currentMetrics": current, "conditions": []any{map[string]any{"type": "ScalingActive", "status": map[bool]string{true: "True", false: "False"}[s.cpu != nil]}}},
	})
}

func (s *scene) make(seconds float64) *scenePod {
	s.made++
	p := &scenePod{name: fmt.Sprintf("gateway-%s-x%dk7%c", s.hash, s.made, 'a'+rune(s.made%26)), hash: s.hash}
	s.pods = append(s.pods, p)
	s.pod(seconds, "added", p)
	s.deployment(seconds)
	return p
}

func (s *scene) ready(seconds float64, p *scenePod) {
	p.ready = true
	s.pod(seconds, "changed", p)
	s.deployment(seconds)
}

func (s *scene) end(seconds float64, p *scenePod) {
	p.ending = true
	s.pod(seconds, "changed", p)
	s.deployment(seconds)
	s.gone(seconds+1.2, p)
}

func (s *scene) gone(seconds float64, p *scenePod) {
	s.pods = slices.DeleteFunc(s.pods, func(q *scenePod) bool { return p == q })
	s.pod(seconds, "deleted", p)
	s.deployment(seconds)
}

// play tells the story.
func (s *scene) play() {
	s.hash, s.wanted = "5c9f8", 2
	for range 2 {
		s.ready(-0.8, s.make(-1))
	}
	users := map[string]any{"spec": map[string]any{"replicas": 1}, "status": map[string]any{"replicas": 1, "readyReplicas": 1, "updatedReplicas": 1}}
	s.see(-0.5, "found", "Deployment", "users", users)
	for i := range 60 {
		seconds := float64(i)
		cpu := math.Round(30 + 5*math.Sin(seconds))
		switch {
		case i >= 12 && i < 20:
			cpu = math.Round(95 - 4*(seconds-12))
		case i >= 20 && i < 45:
			cpu = math.Round(48 + 4*math.Sin(seconds))
		}
		s.cpu = &cpu
		if i >= 33 && i < 38 {
			s.cpu = nil // blind
		}
		s.autoscaler(seconds)
		switch i {
		case 14, 17:
			s.wanted += 2
			for range 2 {
				s.ready(seconds+1.6, s.make(seconds+0.2))
			}
		case 24:
			s.out.Event(evidence.Event{At: at(seconds), Kind: evidence.Changed, Phase: "rollout", Text: "rollout of Deployment gateway: env VERSION=2"})
			s.hash = "77d4b"
		case 26, 27, 28, 29, 30, 31:
			if old := s.pods[0]; old.hash != s.hash {
				p := s.make(seconds)
				s.ready(seconds+0.4, p)
				s.end(seconds+0.5, old)
			}
		case 40:
			lost := s.pods[2]
			lost.ending, lost.killed = true, true
			s.pod(seconds, "changed", lost)
			s.gone(seconds+0.01, lost)
			s.ready(seconds+1.8, s.make(seconds+0.1))
			s.pods[0].restarts++
			s.pods[0].ready = false
			s.pod(seconds+2, "changed", s.pods[0])
			s.deployment(seconds + 2)
			s.ready(seconds+3.2, s.pods[0])
		case 52:
			s.wanted = 2
			for len(s.pods) > 2 {
				s.end(seconds, s.pods[0])
			}
		}
	}
}

func secs(n int) time.Duration { return time.Duration(n) * time.Second }

func clusterMeta() evidence.Meta {
	m := breakerMeta()
	m.Scenario, m.About, m.Links = "hpa-under-load", "An autoscaler follows the load, through a rollout and the loss of a Pod.", nil
	fault := evidence.FaultMeta{Fault: "pod_kill 1 on gateway", Target: "gateway"}
	m.Phases = []evidence.PhaseMeta{
		{Name: "warmup", Start: at(0), For: secs(4), Warmup: true}, {Name: "load", Start: at(4), For: secs(20)},
		{Name: "rollout", Start: at(24), For: secs(14), Changes: []string{"rollout of Deployment gateway: env VERSION=2"}},
		{Name: "kill", Start: at(38), For: secs(8), Faults: []evidence.FaultMeta{fault}}, {Name: "calm", Start: at(46), For: secs(14)},
	}
	m.Targets = []evidence.TargetMeta{{Name: "gateway", Kind: "service", Replicas: 1, Addrs: []string{"127.21.0.3:8080"}}}
	m.Loads = m.Loads[:1]
	m.Loads[0].Planned = map[string]int64{"warmup": 400, "load": 2000, "rollout": 1400, "kill": 800, "calm": 1400}
	return m
}

// writeClusterRun writes a run on a cluster.
func writeClusterRun(t testing.TB) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	m := clusterMeta()
	w, err := evidence.Create(dir, m, []byte("ordeal: v1\nname: hpa-under-load\n"))
	if err != nil {
		t.Fatal(err)
	}
	(&scene{out: w, t: t}).play()
	for _, p := range m.Phases {
		w.Event(evidence.Event{At: p.Start, Kind: evidence.PhaseStart, Phase: p.Name})
		for _, f := range p.Faults {
			w.Event(evidence.Event{At: at(40), Kind: evidence.FaultInjected, Phase: p.Name, Fault: f.Fault, Target: f.Target})
			w.Event(evidence.Event{At: at(46), Kind: evidence.FaultHealed, Phase: p.Name, Fault: f.Fault, Target: f.Target, Touched: &evidence.Touched{Connections: 1}})
		}
		w.Event(evidence.Event{At: p.Start + p.For, Kind: evidence.PhaseEnd, Phase: p.Name})
	}
	for i := range 6000 {
		c := evidence.Sample{Seq: uint64(i), Intended: at(float64(i) / 100), Code: 200, Backend: "gateway-5c9f8-x1k7b"}
		c.Sent = c.Intended + 20_000
		c.Done = c.Sent + 2*ms + time.Duration(i*7919%40)*ms/10
		w.Sample(c)
	}
	for i := range 240 { // of two breakers in Pods, one opens
		seconds := float64(i) / 4
		for pod, open := range map[string]bool{"gateway-5c9f8-x1k7b": false, "gateway-5c9f8-x2k7c": true} {
			state := map[bool]float64{true: 1}[open && seconds > 10 && seconds < 15]
			w.Point(evidence.Point{At: at(seconds), Target: "gateway/" + pod, Name: "breaker_state", Labels: `breaker="users"`, Value: state})
		}
	}
	harnessPoints(w)
	if err := w.Update(func(m *evidence.Meta) { m.Took = at(60) }); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(evidence.Completed, nil); err != nil {
		t.Fatal(err)
	}
	if to := os.Getenv("ORDEAL_KEEP_PAGE"); to != "" {
		run := open(t, dir)
		if err := os.WriteFile(to, []byte(render(t, HTML, run, verdict.Judgement{})), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

package reports

import (
	"math"
	"slices"
	"strings"
	"testing"

	"ordeal/runner/evidence"
	"ordeal/runner/verdict"
)

func TestClusterInThePage(t *testing.T) {
	page := render(t, HTML, open(t, writeClusterRun(t)), verdict.Judgement{})
	for _, want := range []string{
		"Replicas of gateway", "Autoscaler gateway: cpu", "Autoscaler gateway: http_requests_per_second", "2 to 10 Pods", "Pods of gateway",
		"starting", "unready", ">killed</text>", ">restarted</text>", ">change</text>", ">rollout of Deployment gateway: env VERSION=2</text>",
		">wanted</text>", ">ready</text>", ">target</text>", ">100%</text>", "1 Pod", "pod_kill 1 on gateway",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not show %q", want)
		}
	}
	_, breakers, found := strings.Cut(page, "Breaker state")
	breakers, _, _ = strings.Cut(breakers, "</svg>")
	if !found || !strings.Contains(breakers, ">x2k7c</text>") || strings.Contains(breakers, ">x1k7b</text>") {
		t.Error("of the breakers in Pods, want the one that opened and no other")
	}
	for _, not := range []string{"Replicas of users", "Pods of users", "deletionTimestamp", "currentMetrics"} {
		if strings.Contains(page, not) {
			t.Errorf("the page shows %q", not)
		}
	}
}

func TestClusterInTheDocument(t *testing.T) {
	d := build(t, open(t, writeClusterRun(t)), verdict.Judgement{})
	c := d.Cluster
	if len(c.Deployments) != 2 || len(c.Autoscalers) != 1 || len(c.Pods) != 13 {
		t.Fatalf("%d Deployments, %d autoscalers, %d Pods", len(c.Deployments), len(c.Autoscalers), len(c.Pods))
	}
	var wanted []int
	for _, p := range c.Deployments[0].Points {
		if n := len(wanted); n == 0 || wanted[n-1] != p.Wanted {
			wanted = append(wanted, p.Wanted)
		}
	}
	if !slices.Equal(wanted, []int{2, 4, 6, 2}) {
		t.Errorf("wanted %v", wanted)
	}
	cpu := c.Autoscalers[0].Metrics[0]
	if cpu.Name != "cpu" || !cpu.Percent || cpu.Target != 50 || !slices.ContainsFunc(cpu.Points, func(f MetricFact) bool { return f.Value == nil }) {
		t.Errorf("%+v", cpu)
	}
	if rate := c.Autoscalers[0].Metrics[1]; rate.Percent || rate.Target != 60 || rate.Points[0].Value == nil || *rate.Points[0].Value != 45 {
		t.Errorf("%+v", rate)
	}
	killed, restarted := 0, 0
	for _, p := range c.Pods {
		if p.Killed {
			killed++
		}
		restarted += len(p.Restarts)
		if p.Of != "gateway" || p.States[0].State != podStarting {
			t.Errorf("%+v", p)
		}
	}
	if killed != 1 || restarted != 1 {
		t.Errorf("%d killed, %d restarted", killed, restarted)
	}
	for _, e := range d.Events {
		if e.Kind == evidence.ObjectSeen {
			t.Fatal("what was seen of objects is among the events")
		}
	}
	if len(d.Changes) != 1 || d.Changes[0].Phase != "rollout" {
		t.Errorf("changes %+v", d.Changes)
	}
	want := []string{"change in rollout, at +24.00s: rollout of Deployment gateway: env VERSION=2", "replicas of gateway: wanted 2, then 4, then 6, then 2; ready 2 to 7"}
	if got := d.clusterWords(); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if d := build(t, open(t, writeBreakerRun(t, breakerMeta())), verdict.Judgement{}); d.Cluster != nil || len(d.clusterWords()) > 0 {
		t.Error("a run without a cluster has one")
	}
}

func TestQuantities(t *testing.T) {
	for text, want := range map[string]float64{"250m": 0.25, "1500": 1500, "2Gi": 2 << 30, "1.5k": 1500, "100n": 1e-7, "0": 0} {
		if v, ok := quantity(&text); !ok || math.Abs(v-want) > 1e-12*math.Max(1, want) {
			t.Errorf("%s: %g, %t", text, v, ok)
		}
	}
	for _, text := range []string{"", "m", "ten", "1x"} {
		if v, ok := quantity(&text); ok {
			t.Errorf("%q: %g", text, v)
		}
	}
}

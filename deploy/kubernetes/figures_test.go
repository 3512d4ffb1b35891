package kubernetes

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// timing is how a probe waits: initial delay, period, time-out, in seconds, and failures.
type timing [4]int32

func timingOf(p *corev1.Probe) timing {
	return timing{p.InitialDelaySeconds, p.PeriodSeconds, p.TimeoutSeconds, p.FailureThreshold}
}

func TestClusterHasTheGuidesFigures(t *testing.T) {
	for _, overlay := range []string{"cluster", "cluster-monitored", "cluster-hpa-custom", "cluster-blue-green"} {
		o := build(t, "overlays/"+overlay)
		for _, d := range o.deployments {
			c := d.Spec.Template.Spec.Containers[0]
			for kind, p := range map[string]*corev1.Probe{"readiness": c.ReadinessProbe, "liveness": c.LivenessProbe} {
				if got := timingOf(p); got != (timing{30, 10, 5, 3}) {
					t.Errorf("%s, %s of %s: %v", overlay, kind, d.Name, got)
				}
			}
			r := c.Resources
			if r.Requests.Cpu().String() != "500m" || r.Requests.Memory().String() != "2Gi" || r.Limits.Cpu().String() != "1" || r.Limits.Memory().String() != "4Gi" {
				t.Errorf("%s, resources of %s: %v", overlay, d.Name, r)
			}
		}
	}
}

// On a laptop a Pod is ready, ejected and restarted within seconds, and ten of them need one processor.
func TestLocalIsQuickAndSmall(t *testing.T) {
	for _, d := range build(t, "overlays/local").deployments {
		c := d.Spec.Template.Spec.Containers[0]
		for kind, p := range map[string]*corev1.Probe{"startup": c.StartupProbe, "readiness": c.ReadinessProbe, "liveness": c.LivenessProbe} {
			got := timingOf(p)
			if got[0] != 0 || got[1] != 1 || (kind != "startup" && got[1]*got[3] > 3) {
				t.Errorf("%s of %s: %v", kind, d.Name, got)
			}
		}
		if cpu := c.Resources.Requests.Cpu().MilliValue(); cpu != 100 {
			t.Errorf("%s requests %dm of a processor, want 100m", d.Name, cpu)
		}
		if sleep := c.Lifecycle.PreStop.Sleep.Seconds; sleep < 2 {
			t.Errorf("%s serves on for %d s: too short for those who follow the Service", d.Name, sleep)
		}
	}
}

func TestAutoscalers(t *testing.T) {
	for overlay, want := range map[string]struct {
		cpu     int32  // target, percent of the request
		calls   string // target, calls per second of a Pod
		window  int32  // of scaling down, seconds
		highest int32
	}{
		"local-hpa-cpu":            {cpu: 50, window: 10, highest: 10},
		"local-hpa-custom":         {calls: "20", window: 10, highest: 10},
		"cluster":                  {cpu: 50, window: 300, highest: 10},
		"cluster-hpa-custom":       {calls: "500", window: 300, highest: 10},
		"negative/hpa-fixed":       {cpu: 50, window: 10, highest: 2},
		"negative/hpa-slow-window": {cpu: 50, window: 300, highest: 10},
	} {
		list := build(t, "overlays/"+overlay).autoscalers
		if len(list) != 1 || len(list[0].Spec.Metrics) != 1 {
			t.Errorf("%s: %d autoscalers", overlay, len(list))
			continue
		}
		h := list[0].Spec
		if *h.MinReplicas != 2 || h.MaxReplicas != want.highest || *h.Behavior.ScaleDown.StabilizationWindowSeconds != want.window || *h.Behavior.ScaleUp.StabilizationWindowSeconds != 0 {
			t.Errorf("%s: %d to %d replicas, window %d s", overlay, *h.MinReplicas, h.MaxReplicas, *h.Behavior.ScaleDown.StabilizationWindowSeconds)
		}
		switch m := h.Metrics[0]; m.Type {
		case autoscalingv2.ResourceMetricSourceType:
			if m.Resource.Name != "cpu" || *m.Resource.Target.AverageUtilization != want.cpu {
				t.Errorf("%s: %+v", overlay, m.Resource)
			}
		case autoscalingv2.PodsMetricSourceType:
			if m.Pods.Target.AverageValue.String() != want.calls {
				t.Errorf("%s: %+v", overlay, m.Pods)
			}
		default:
			t.Errorf("%s: metric of type %s", overlay, m.Type)
		}
	}
}

func TestBlueGreenHasOneLiveSide(t *testing.T) {
	for _, overlay := range []string{"local-blue-green", "cluster-blue-green"} {
		o := build(t, "overlays/"+overlay)
		if got := o.service("gateway").Spec.Selector["version"]; got != "blue" {
			t.Errorf("%s: live is %q", overlay, got)
		}
		for _, side := range []string{"blue", "green"} {
			d := o.deployment("gateway-" + side)
			if d == nil {
				t.Errorf("%s has no gateway-%s", overlay, side)
				continue
			}
			version := slices.IndexFunc(d.Spec.Template.Spec.Containers[0].Env, func(e corev1.EnvVar) bool { return e.Name == "GATEWAY_VERSION" })
			if d.Spec.Template.Labels["version"] != side || d.Spec.Template.Spec.Containers[0].Env[version].Value != side {
				t.Errorf("%s: %s is labelled %v", overlay, d.Name, d.Spec.Template.Labels)
			}
		}
		if o.deployment("gateway") != nil {
			t.Errorf("%s has a third gateway", overlay)
		}
	}
}

// A twin that is broken on purpose is broken in that one thing: it differs from the sound one in few lines.
func TestNegativeTwinsDifferInOneThing(t *testing.T) {
	for _, twin := range []struct {
		name, sound  string
		gone, gained []string
	}{
		{"hpa-fixed", "local-hpa-cpu", []string{"maxReplicas: 10"}, []string{"maxReplicas: 2"}},
		{"hpa-slow-window", "local-hpa-cpu", []string{"stabilizationWindowSeconds: 10"}, []string{"stabilizationWindowSeconds: 300"}},
		{"lying-readiness", "local", []string{"GATEWAY_WARM_UP: 500ms", "path: /readyz"}, []string{"GATEWAY_WARM_UP: 3s", "path: /livez"}},
		{"without-drain", "local-slow", []string{"sleep:", "GATEWAY_DRAIN_DELAY: 500ms", "GATEWAY_SHUTDOWN_TIMEOUT: 5s"},
			[]string{"GATEWAY_DRAIN_DELAY: 0s", "GATEWAY_SHUTDOWN_TIMEOUT: 1ms"}},
		{"single", "local", []string{"replicas: 3"}, []string{"replicas: 1"}},
		{"patient-liveness", "local", []string{"failureThreshold: 3"}, []string{"failureThreshold: 60"}},
		{"green-astray", "local-blue-green", []string{"value: $(USERS_SERVICE_HOST):$(USERS_SERVICE_PORT)"}, []string{"value: 127.0.0.1:1"}},
	} {
		sound, broken := count(t, "overlays/"+twin.sound), count(t, "overlays/negative/"+twin.name)
		for _, line := range twin.gone {
			if broken[line] >= sound[line] {
				t.Errorf("%s still has %q", twin.name, line)
			}
		}
		for _, line := range twin.gained {
			if broken[line] <= sound[line] {
				t.Errorf("%s does not have %q", twin.name, line)
			}
		}
		changed := 0
		for line, n := range broken {
			if n > sound[line] && !strings.Contains(line, "name: gateway-") { // the hash of the configuration follows it
				changed++
			}
		}
		if changed != len(twin.gained) {
			t.Errorf("%s has %d lines that %s has not, want %d", twin.name, changed, twin.sound, len(twin.gained))
		}
	}
}

// count says how often each line is there.
func count(t *testing.T, overlay string) map[string]int {
	t.Helper()
	text, err := Build(overlay)
	if err != nil {
		t.Fatal(err)
	}
	lines := map[string]int{}
	for line := range bytes.Lines(text) {
		lines[strings.TrimSpace(string(line))]++
	}
	return lines
}

// A budget that a rolling update of the smallest Deployment would break is none: with maxUnavailable 1 and two
// replicas at least one Pod serves. The overlay that is broken in just that is found.
func TestSomethingServesWhatHappens(t *testing.T) {
	var may []string // be gone altogether
	for _, overlay := range Overlays() {
		o := build(t, overlay)
		for _, d := range o.deployments {
			replicas := int32(2) // an autoscaler's least
			if d.Spec.Replicas != nil {
				replicas = *d.Spec.Replicas
			}
			if *d.Spec.Strategy.RollingUpdate.MaxUnavailable != intstr.FromInt32(1) || replicas < 2 {
				may = append(may, overlay+": "+d.Name)
			}
		}
	}
	if want := []string{"overlays/negative/single: gateway"}; !slices.Equal(may, want) {
		t.Errorf("may be gone altogether: %q, want %q", may, want)
	}
}

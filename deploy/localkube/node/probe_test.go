package node

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

func intOrString(s string) intstr.IntOrString { return intstr.FromString(s) }

// every is a probe as the API server completes it: every second, and one result is enough.
func every(h corev1.ProbeHandler) *corev1.Probe {
	return &corev1.Probe{ProbeHandler: h, PeriodSeconds: 1, TimeoutSeconds: 1, SuccessThreshold: 1, FailureThreshold: 1}
}

func execProbe(script string) *corev1.Probe {
	return every(corev1.ProbeHandler{Exec: &corev1.ExecAction{Command: []string{"sh", "-c", script}}})
}

func handlers() map[string]corev1.ProbeHandler {
	return map[string]corev1.ProbeHandler{
		"httpGet":   {HTTPGet: &corev1.HTTPGetAction{Path: "/healthz", Port: intOrString("http")}},
		"tcpSocket": {TCPSocket: &corev1.TCPSocketAction{Port: intstr.FromInt32(9000)}},
		"grpc":      {GRPC: &corev1.GRPCAction{Port: 9000}},
		"exec":      {Exec: &corev1.ExecAction{Command: []string{"sh", "-c", "test ! -e unwell"}}},
	}
}

// setUnwell makes the server of a Pod unwell, or well again.
func setUnwell(w *world, p *corev1.Pod, unwell bool) {
	w.Helper()
	file := filepath.Join(w.dir, "pods", "default_"+p.Name+"_"+string(p.UID), "unwell")
	err := os.Remove(file)
	if unwell {
		err = os.WriteFile(file, nil, 0o600)
	}
	if err != nil {
		w.Fatal(err)
	}
}

func TestReadinessFollowsItsProbe(t *testing.T) {
	t.Parallel()
	for kind, h := range handlers() {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			name := w.create(nil, server(func(c *corev1.Container) { c.ReadinessProbe = every(h) }))
			p := w.until(name, "is ready", ready)
			if kind == "tcpSocket" { // the port is there, well or not
				return
			}
			setUnwell(w, p, true)
			p = w.until(name, "is not ready", unready)
			w.untilEvent("Unhealthy", "Readiness probe failed: ")
			setUnwell(w, p, false)
			p = w.until(name, "is ready again", ready)
			if n := first(p).RestartCount; n != 0 {
				t.Errorf("%d restarts, want none: the container lived", n)
			}
		})
	}
}

func TestReadinessNeedsAServer(t *testing.T) {
	t.Parallel()
	for kind, h := range handlers() {
		if kind == "exec" {
			continue
		}
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			nobody := sh("main", "sleep 1000")
			nobody.Ports = []corev1.ContainerPort{{Name: "http", ContainerPort: 8080}}
			nobody.ReadinessProbe = every(h)
			name := w.create(nil, nobody)
			w.untilEvent("Unhealthy", "Readiness probe failed: ")
			w.until(name, "is not ready", unready)
		})
	}
}

func TestReadinessReachesTheAPIServerAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := sh("main", "sleep 1000")
	c.ReadinessProbe = execProbe(`if test -e unwell; then date +%s%N >failed; exit 1; fi`)
	name := w.create(nil, c)
	p := w.until(name, "is ready", ready)
	setUnwell(w, p, true)
	p = w.until(name, "is not ready", unready)
	told := time.Now()
	info, err := os.Stat(filepath.Join(w.dir, "pods", "default_"+p.Name+"_"+string(p.UID), "failed"))
	if err != nil {
		t.Fatal(err)
	}
	took := told.Sub(info.ModTime())
	t.Logf("from the probe to the API server: %v", took)
	if took > 2*time.Second { // some 10 ms on a quiet machine
		t.Errorf("it took %v from the probe to the API server", took)
	}
}

func TestThresholdsCount(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := sh("main", "sleep 1000")
	// Fails the second time alone, and is well before and after: two failures in a row are never reached.
	c.ReadinessProbe = execProbe(`echo >>n; test $(wc -l <n) != 3`)
	c.ReadinessProbe.FailureThreshold, c.ReadinessProbe.SuccessThreshold = 2, 2
	name := w.create(nil, c)
	began := time.Now()
	p := w.until(name, "is ready", ready)
	if took := time.Since(began); took < 900*time.Millisecond {
		t.Errorf("it was ready after %v, want two successes a second apart", took)
	}
	count := func() int {
		text, _ := os.ReadFile(filepath.Join(w.dir, "pods", "default_"+p.Name+"_"+string(p.UID), "n"))
		return len(text)
	}
	w.until(name, "ready while one probe fails", func(p *corev1.Pod) bool {
		if !ready(p) {
			t.Fatalf("it is not ready after one failure of two")
		}
		return count() >= 4
	})
}

func TestLivenessRestarts(t *testing.T) {
	t.Parallel()
	for kind, h := range handlers() {
		if kind == "tcpSocket" {
			continue
		}
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			name := w.create(nil, server(func(c *corev1.Container) {
				c.LivenessProbe = every(h)
				c.LivenessProbe.InitialDelaySeconds, c.LivenessProbe.FailureThreshold = 1, 2
			}))
			p := w.until(name, "is ready", ready)
			awaitLog(w, p, "server", "serving")
			setUnwell(w, p, true)
			w.untilEvent("Unhealthy", "Liveness probe failed: ")
			w.untilEvent("Killing", "Container server failed liveness probe, will be restarted")
			w.until(name, "was restarted", func(p *corev1.Pod) bool { return first(p).RestartCount == 1 })
			setUnwell(w, p, false)
			p = w.until(name, "is ready again", func(p *corev1.Pod) bool { return ready(p) && first(p).State.Running != nil })
			if ended := first(p).LastTerminationState.Terminated; ended == nil || ended.ExitCode != 0 {
				t.Errorf("it ended with %+v, want well, by SIGTERM", ended)
			}
		})
	}
}

func TestStartupProbeGatesTheOthers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := sh("main", "sleep 1000")
	c.StartupProbe, c.LivenessProbe = execProbe("test -e up"), execProbe("test -e up")
	c.StartupProbe.FailureThreshold = 1000
	name := w.create(nil, c)
	w.untilEvent("Unhealthy", "Startup probe failed: ")
	p := w.until(name, "runs", func(p *corev1.Pod) bool { return first(p).State.Running != nil })
	if ready(p) || *first(p).Started || first(p).RestartCount > 0 {
		t.Errorf("before it has started: %+v", first(p))
	}
	if err := os.WriteFile(filepath.Join(w.dir, "pods", "default_"+p.Name+"_"+string(p.UID), "up"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	p = w.until(name, "is ready", ready)
	if n := first(p).RestartCount; n > 0 {
		t.Errorf("%d restarts: liveness was asked before the start", n)
	}
	c.StartupProbe = execProbe("false")
	c.StartupProbe.FailureThreshold = 2
	name = w.create(nil, c)
	w.untilEvent("Killing", "Container main failed startup probe, will be restarted")
	w.until(name, "was restarted", func(p *corev1.Pod) bool { return first(p).RestartCount == 1 })
}

func TestSlowProbesFail(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := sh("main", "sleep 1000")
	c.ReadinessProbe = execProbe("sleep 60")
	name := w.create(nil, c)
	w.untilEvent("Unhealthy", "Readiness probe failed: sh was killed")
	// The end of the process is not held up by a probe that is under way.
	at := time.Now()
	w.delete(name, 0)
	if took := w.untilGone(name); took > 10*time.Second {
		t.Errorf("the Pod was gone after %v", time.Since(at))
	}
}

func TestReadinessGates(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	name := w.create(func(p *corev1.Pod) {
		p.Spec.ReadinessGates = []corev1.PodReadinessGate{{ConditionType: "example.com/gate"}}
	}, sh("main", "sleep 1000"))
	set := func(s corev1.ConditionStatus) {
		t.Helper()
		p := w.until(name, "has ready containers", func(p *corev1.Pod) bool { return condition(p, corev1.ContainersReady) })
		p.Status.Conditions = append([]corev1.PodCondition{{Type: "example.com/gate", Status: s}}, p.Status.Conditions...)
		if len(p.Status.Conditions) > 2 && p.Status.Conditions[1].Type == "example.com/gate" {
			p.Status.Conditions = append(p.Status.Conditions[:1], p.Status.Conditions[2:]...)
		}
		if _, err := w.client.CoreV1().Pods("default").UpdateStatus(t.Context(), p, metav1.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	p := w.until(name, "has ready containers", func(p *corev1.Pod) bool { return condition(p, corev1.ContainersReady) })
	if ready(p) {
		t.Error("it is ready with a closed gate")
	}
	set(corev1.ConditionTrue)
	w.until(name, "is ready with an open gate", ready)
	set(corev1.ConditionFalse)
	w.until(name, "is not ready with a closed gate", unready)
}

func TestWhatOthersSayOfReadinessIsCorrected(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	name := w.create(nil, sh("main", "sleep 1000"))
	p := w.until(name, "is ready", ready)
	for i := range p.Status.Conditions {
		if p.Status.Conditions[i].Type == corev1.PodReady { // as of a node that was not heard of
			p.Status.Conditions[i].Status = corev1.ConditionFalse
		}
	}
	if _, err := w.client.CoreV1().Pods("default").UpdateStatus(t.Context(), p, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	w.until(name, "is ready again", ready)
}

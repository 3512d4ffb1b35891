package node

import (
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

func TestPodRunsAndIsRemoved(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	name := w.create(nil, server(func(*corev1.Container) {}))
	p := w.until(name, "is ready", ready)
	if p.Status.Phase != corev1.PodRunning || p.Status.PodIP == "" || p.Status.HostIP == "" || p.Status.PodIP == p.Status.HostIP {
		t.Errorf("phase %s, Pod at %q, node at %q", p.Status.Phase, p.Status.PodIP, p.Status.HostIP)
	}
	if pid(first(p)) == 0 || first(p).State.Running == nil || !*first(p).Started {
		t.Errorf("container: %+v", first(p))
	}
	if p.Status.ObservedGeneration != 1 {
		t.Errorf("observed generation %d, want 1", p.Status.ObservedGeneration)
	}
	w.untilEvent("Started", "server")
	awaitLog(w, p, "server", "serving")
	w.delete(name, 10)
	w.untilGone(name)
	w.untilEvent("Killing", "Stopping container server")
	if log := w.log(p, "server"); log != "serving\nSIGTERM\n" {
		t.Errorf("it wrote %q, want to have got SIGTERM", log)
	}
	w.untilNothingRuns()
}

func TestUnreadyIsToldBeforeSIGTERM(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	name := w.create(nil, sh("main", `trap 'date +%s%N; exit 0' TERM; echo up; while :; do sleep 0.01; done`))
	p := w.until(name, "is ready", ready)
	awaitLog(w, p, "main", "up")
	w.client.ClearActions()
	w.delete(name, 10)
	w.untilGone(name)
	var patches []string
	for _, a := range w.client.Actions() {
		if a, ok := a.(interface{ GetPatch() []byte }); ok && strings.Contains(string(a.GetPatch()), `"reason":"Terminating"`) {
			patches = append(patches, string(a.GetPatch()))
		}
	}
	if len(patches) == 0 {
		t.Fatal("nobody was told that the Pod is terminating")
	}
	if strings.Contains(patches[0], `"terminated"`) || !strings.Contains(patches[0], `"running"`) {
		t.Errorf("the container had ended before: %s", patches[0])
	}
	if log := w.log(p, "main"); log == "up\n" {
		t.Error("it got no SIGTERM")
	}
}

func TestGraceEndsWithSIGKILL(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	script := `trap 'echo got SIGTERM' TERM; echo up; while :; do sleep 0.05; done`
	name := w.create(nil, sh("main", script))
	p := w.until(name, "is ready", ready)
	awaitLog(w, p, "main", "up")
	w.delete(name, 1)
	took := w.untilGone(name)
	if took < 900*time.Millisecond || took > 8*time.Second {
		t.Errorf("it took %v, want the grace of 1s", took)
	}
	if log := w.log(p, "main"); !strings.Contains(log, "got SIGTERM") {
		t.Errorf("it wrote %q", log)
	}
	// A grace that is cut short while it lasts.
	name = w.create(nil, sh("main", script))
	awaitLog(w, w.until(name, "is ready", ready), "main", "up")
	w.delete(name, 600)
	w.until(name, "is terminating", unready)
	w.delete(name, 1)
	w.untilGone(name)
}

func awaitLog(w *world, p *corev1.Pod, container, text string) {
	w.Helper()
	w.until(p.Name, "has written "+text, func(p *corev1.Pod) bool { return strings.Contains(w.log(p, container), text) })
}

func TestPreStopComesBeforeSIGTERM(t *testing.T) {
	t.Parallel()
	hooks := map[string]*corev1.LifecycleHandler{
		"exec":  {Exec: &corev1.ExecAction{Command: []string{"sh", "-c", "echo noted >>server.log; sleep 0.3"}}},
		"http":  {HTTPGet: &corev1.HTTPGetAction{Path: "/note", Port: intOrString("http")}},
		"sleep": {Sleep: &corev1.SleepAction{Seconds: 1}},
	}
	for kind, hook := range hooks {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			name := w.create(nil, server(func(c *corev1.Container) { c.Lifecycle = &corev1.Lifecycle{PreStop: hook} }))
			p := w.until(name, "is ready", ready)
			awaitLog(w, p, "server", "serving")
			w.delete(name, 10)
			took := w.untilGone(name)
			want := "serving\nnoted\nSIGTERM\n"
			if kind == "sleep" {
				want = "serving\nSIGTERM\n"
				if took < 900*time.Millisecond {
					t.Errorf("it was gone after %v, want 1s of sleep", took)
				}
			}
			if log := w.log(p, "server"); log != want {
				t.Errorf("it wrote %q, want %q", log, want)
			}
		})
	}
}

func TestPreStopThatNeverEndsLeavesALastChance(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	name := w.create(nil, server(func(c *corev1.Container) {
		c.Lifecycle = &corev1.Lifecycle{PreStop: &corev1.LifecycleHandler{Exec: &corev1.ExecAction{Command: []string{"sleep", "60"}}}}
	}))
	p := w.until(name, "is ready", ready)
	awaitLog(w, p, "server", "serving")
	w.delete(name, 1)
	w.untilGone(name)
	w.untilEvent("FailedPreStopHook", "sleep was killed")
	if log := w.log(p, "server"); log != "serving\nSIGTERM\n" {
		t.Errorf("it wrote %q, want to have got SIGTERM", log)
	}
}

func TestKilledProcessIsSeenAtOnceAndRestarted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	name := w.create(nil, sh("main", `sleep 1000 & wait`))
	p := w.until(name, "is ready", ready)
	before := pid(first(p))
	at := time.Now()
	if err := syscall.Kill(before, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	p = w.until(name, "runs again", func(p *corev1.Pod) bool {
		c := first(p)
		return c.RestartCount == 1 && c.State.Running != nil && ready(p)
	})
	took := time.Since(at)
	t.Logf("from the kill until it ran again: %v", took)
	if took > 5*time.Second { // some 20 ms on a quiet machine
		t.Errorf("the end was seen and the container restarted after %v", took)
	}
	ended := first(p).LastTerminationState.Terminated
	if ended == nil || ended.ExitCode != 137 || ended.Signal != 9 || ended.Reason != "Error" {
		t.Errorf("the last state is %+v, want code 137", ended)
	}
	for _, line := range w.marked() { // of the first life's group nothing may be left: one shell and one sleep run
		if n := len(w.marked()); n > 2 {
			t.Fatalf("%d processes run, of which %s", n, line)
		}
	}
}

func TestContainerThatFailsBacksOff(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	name := w.create(nil, sh("main", `echo "no luck"; exit 3`))
	p := w.until(name, "is in CrashLoopBackOff", func(p *corev1.Pod) bool {
		s := first(p).State.Waiting
		return s != nil && s.Reason == "CrashLoopBackOff"
	})
	c := first(p)
	if t := c.LastTerminationState.Terminated; t == nil || t.ExitCode != 3 || t.Message != "no luck\n" {
		w.Errorf("it ended with %+v, want code 3 and what it wrote", t)
	}
	if c.RestartCount != 1 || p.Status.Phase != corev1.PodRunning || ready(p) {
		t.Errorf("%d restarts, phase %s, ready %v; want 1 at once, Running and not ready", c.RestartCount, p.Status.Phase, ready(p))
	}
	w.untilEvent("BackOff", "Back-off restarting failed container main")
	w.until(name, "was restarted again", func(p *corev1.Pod) bool { return first(p).RestartCount == 2 })
	w.delete(name, 10)
	w.untilGone(name) // also out of a back-off
}

func TestRestartPolicies(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, c := range []struct {
		policy corev1.RestartPolicy
		script string
		phase  corev1.PodPhase
		times  int32
	}{
		{corev1.RestartPolicyNever, "exit 0", corev1.PodSucceeded, 0},
		{corev1.RestartPolicyNever, "exit 1", corev1.PodFailed, 0},
		{corev1.RestartPolicyOnFailure, "test -e again || { touch again; exit 1; }", corev1.PodSucceeded, 1},
	} {
		name := w.create(func(p *corev1.Pod) { p.Spec.RestartPolicy = c.policy }, sh("main", c.script))
		p := w.until(name, "has ended", phase(c.phase))
		if first(p).RestartCount != c.times || ready(p) {
			t.Errorf("%s, %s: %d restarts, want %d; ready %v", c.policy, c.script, first(p).RestartCount, c.times, ready(p))
		}
		w.delete(name, 10)
		w.untilGone(name)
	}
}

func TestInitContainersRunInOrderAndSidecarsStay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	always := corev1.ContainerRestartPolicyAlways
	side := sh("side", `trap 'echo side ended >>../order; exit 0' TERM; echo side >>../order; while :; do sleep 0.01; done`)
	side.RestartPolicy = &always
	side.StartupProbe = execProbe("grep -q side ../order")
	side.StartupProbe.FailureThreshold = 100
	order := func(p *corev1.Pod) []string {
		text, _ := os.ReadFile(w.dir + "/pods/order")
		return strings.Fields(strings.ReplaceAll(string(text), "side ended", "side-ended"))
	}
	name := w.create(func(p *corev1.Pod) {
		p.Spec.InitContainers = []corev1.Container{sh("one", "sleep 0.2; echo one >>../order"), side, sh("two", "echo two >>../order")}
	}, sh("main", `trap 'sleep 0.2; echo main-ended >>../order; exit 0' TERM; echo main >>../order; while :; do sleep 0.01; done`))
	w.until(name, "is pending", phase(corev1.PodPending))
	p := w.until(name, "is ready", ready)
	w.until(name, "has begun", func(p *corev1.Pod) bool { return len(order(p)) == 4 })
	if got, want := order(p), []string{"one", "side", "two", "main"}; !slices.Equal(got, want) {
		t.Errorf("they ran as %v, want %v", got, want)
	}
	if !condition(p, corev1.PodInitialized) || len(p.Status.InitContainerStatuses) != 3 || !p.Status.InitContainerStatuses[0].Ready {
		t.Errorf("status of init containers: %+v", p.Status.InitContainerStatuses)
	}
	w.delete(name, 10)
	w.untilGone(name)
	if got := order(p); !slices.Equal(got[4:], []string{"main-ended", "side-ended"}) {
		t.Errorf("they ended as %v, want the sidecar last", got[4:])
	}
	name = w.create(func(p *corev1.Pod) {
		p.Spec.RestartPolicy = corev1.RestartPolicyNever
		p.Spec.InitContainers = []corev1.Container{sh("one", "exit 1")}
	}, sh("main", "touch ../never"))
	w.until(name, "has failed", phase(corev1.PodFailed))
	if _, err := os.Stat(w.dir + "/pods/never"); err == nil {
		t.Error("the container ran although the one before it had failed")
	}
}

func TestPodsOfOthersAndOfThePast(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other := w.create(func(p *corev1.Pod) { p.Spec.NodeName = "elsewhere" }, sh("main", "sleep 1000"))
	past := w.create(func(p *corev1.Pod) { p.Status.Phase = corev1.PodSucceeded }, sh("main", "sleep 1000"))
	late := w.create(func(p *corev1.Pod) { now := metav1.Now(); p.DeletionTimestamp = &now }, sh("main", "sleep 1000"))
	w.untilGone(late)
	name := w.create(nil, sh("main", "sleep 1000"))
	w.until(name, "is ready", ready)
	for _, n := range []string{other, past} {
		w.until(n, "is left alone", func(p *corev1.Pod) bool { return len(p.Status.ContainerStatuses) == 0 })
	}
	if n := len(w.marked()); n > 2 { // the shell may or may not have become the sleep
		t.Errorf("%d processes run, want those of one Pod", n)
	}
	w.delete(past, 10)
	w.untilGone(past)
	// Another Pod takes a name that is still being used: the old one must not touch it.
	if err := w.client.Tracker().Delete(corev1.SchemeGroupVersion.WithResource("pods"), "default", name); err != nil {
		t.Fatal(err)
	}
	w.create(func(p *corev1.Pod) { p.Name, p.UID = name, types.UID("another") }, sh("main", "sleep 1000"))
	w.until(name, "is ready as another", func(p *corev1.Pod) bool { return ready(p) && p.UID == "another" })
}

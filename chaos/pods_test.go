package chaos

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

func hitCluster(t *testing.T, c *fakeCluster, spec Spec) (Injection, error) {
	t.Helper()
	if spec.Node == "" {
		spec.Target = "gateway"
	}
	f, err := spec.Fault(Env{Cluster: c, Seed: 7})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second) // an injection's context may well end with it
	defer cancel()
	return f.Inject(ctx)
}

func mustHit(t *testing.T, c *fakeCluster, spec Spec) Injection {
	t.Helper()
	in, err := hitCluster(t, c, spec)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

// healsNever gives the error of a heal that waits in vain.
func healsNever(t *testing.T, in Injection) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	return in.Heal(ctx)
}

func serves(t *testing.T, c *fakeCluster) int {
	t.Helper()
	pods, err := c.Pods(context.Background(), "gateway")
	if err != nil {
		t.Fatal(err)
	}
	return len(serving(pods))
}

func wantTouched(t *testing.T, in Injection, want int64) {
	t.Helper()
	if got := in.Touched().Connections; got != want {
		t.Errorf("touched %d Pods, want %d", got, want)
	}
}

func TestPodKillDeletesAndWaitsForOthers(t *testing.T) {
	c := newFakeCluster(4)
	in := mustHit(t, c, Spec{PodKill: &PodKill{Count: 2}})
	if got := serves(t, c); got != 2 {
		t.Errorf("%d Pods serve after two were killed, want 2", got)
	}
	heal(t, in)
	if got := serves(t, c); got != 4 {
		t.Errorf("%d Pods serve after the heal, want 4", got)
	}
	wantTouched(t, in, 2)
	if got := c.calls(); len(got) != 2 || !strings.HasSuffix(got[0], " 0s") {
		t.Errorf("calls: %q", got)
	}
}

func TestPodKillOfAllWithGrace(t *testing.T) {
	c := newFakeCluster(3)
	in := mustHit(t, c, Spec{PodKill: &PodKill{Count: All, Grace: 2 * time.Second}})
	heal(t, in)
	wantTouched(t, in, 3)
	if got := c.calls(); !slices.Equal(got, []string{"delete gateway-1 2s", "delete gateway-2 2s", "delete gateway-3 2s"}) {
		t.Errorf("calls: %q", got)
	}
}

func TestPodsAreDrawnByTheSeed(t *testing.T) {
	struck := func(seed uint64) string {
		c := newFakeCluster(8)
		spec := Spec{Target: "gateway", PodKill: &PodKill{Count: 3}}
		f, err := spec.Fault(Env{Cluster: c, Seed: seed})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Inject(context.Background()); err != nil {
			t.Fatal(err)
		}
		return strings.Join(c.calls(), ",")
	}
	if a, b := struck(1), struck(1); a != b {
		t.Errorf("one seed draws %s and %s", a, b)
	}
	draws := map[string]bool{}
	for seed := range uint64(10) {
		draws[struck(seed)] = true
	}
	if len(draws) < 5 {
		t.Errorf("ten seeds make only %d draws", len(draws))
	}
}

func TestPodFaultsNeedReadyPods(t *testing.T) {
	for want, spec := range map[string]Spec{
		"only 2 Ready of the 3": {PodKill: &PodKill{Count: 3}},
		"has only 2 Ready":      {PodUnready: &PodUnready{Count: 5}},
	} {
		c := newFakeCluster(2)
		if _, err := hitCluster(t, c, spec); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
		if len(c.calls()) > 0 {
			t.Errorf("something was done all the same: %q", c.calls())
		}
	}
	c := newFakeCluster(0)
	if _, err := hitCluster(t, c, Spec{PodKill: &PodKill{}}); err == nil || !strings.Contains(err.Error(), "no Pod that is Ready") {
		t.Errorf("got %v", err)
	}
}

func TestPodKillHealFailsWhereNoneTakesTheirPlace(t *testing.T) {
	c := newFakeCluster(3)
	in := mustHit(t, c, Spec{PodKill: &PodKill{Count: 1}})
	c.lazy = true
	if err := healsNever(t, in); err == nil || !strings.Contains(err.Error(), "3 Pods of gateway are Ready again") {
		t.Errorf("got %v", err)
	}
}

// An autoscaler that scales down meanwhile does not let a heal wait for ever.
func TestPodKillHealTakesFewerIfFewerAreWanted(t *testing.T) {
	c := newFakeCluster(4)
	in := mustHit(t, c, Spec{PodKill: &PodKill{Count: 2}})
	c.replicas = 3
	heal(t, in)
}

func TestPodKillUndoesWhatItDidWhenItFails(t *testing.T) {
	c := newFakeCluster(2)
	c.afterCall = func(string) { c.fail = "delete" }
	if _, err := hitCluster(t, c, Spec{PodKill: &PodKill{Count: 2}}); err == nil || !strings.Contains(err.Error(), "delete went wrong") {
		t.Errorf("got %v", err)
	}
	if got := serves(t, c); got != 2 {
		t.Errorf("%d Pods serve after an injection that failed, want 2", got)
	}
}

func TestPodUnreadyTakesPodsOutOfRotation(t *testing.T) {
	c := newFakeCluster(3)
	in := mustHit(t, c, Spec{PodUnready: &PodUnready{Count: 2}})
	if got := serves(t, c); got != 1 {
		t.Errorf("%d Pods serve while two are out of rotation, want 1", got)
	}
	heal(t, in)
	if got := serves(t, c); got != 3 {
		t.Errorf("%d Pods serve after the heal, want 3", got)
	}
	wantTouched(t, in, 2)
	for _, call := range c.calls() {
		if !strings.Contains(call, RotationGate) {
			t.Errorf("call %q is about another condition", call)
		}
	}
}

func TestPodUnreadyIsRefusedWithoutAGate(t *testing.T) {
	c := newFakeCluster(2)
	c.pods[1].Gates = nil
	_, err := hitCluster(t, c, Spec{PodUnready: &PodUnready{Count: All}})
	if err == nil || !strings.Contains(err.Error(), "pod gateway-2 cannot be made unready: it has no readiness gate") {
		t.Errorf("got %v", err)
	}
	if len(c.calls()) > 0 {
		t.Errorf("something was done all the same: %q", c.calls())
	}
}

// A gate that nobody follows is no fault: it fails, and is taken back.
func TestPodUnreadyFailsWhereTheGateIsNotFollowed(t *testing.T) {
	c := newFakeCluster(2)
	c.gateless = true
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	spec := Spec{Target: "gateway", PodUnready: &PodUnready{Count: 1}}
	f, err := spec.Fault(Env{Cluster: c})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Inject(ctx); err == nil || !strings.Contains(err.Error(), "1 Pods of gateway are no longer Ready") {
		t.Errorf("got %v", err)
	}
	if got := c.calls(); len(got) != 2 || !strings.HasSuffix(got[1], "true") {
		t.Errorf("it was not taken back: %q", got)
	}
}

func TestCrashLoopBreaksNewPodsAndRestores(t *testing.T) {
	c := newFakeCluster(3)
	in := mustHit(t, c, Spec{CrashLoop: &CrashLoop{}})
	if got := serves(t, c); got != 2 {
		t.Errorf("%d Pods serve, want the two old ones", got)
	}
	heal(t, in)
	if got := serves(t, c); got != 3 {
		t.Errorf("%d Pods serve after the heal, want 3", got)
	}
	wantTouched(t, in, 1)
	if got := c.calls(); !slices.Equal(got, []string{"break gateway", "restore gateway"}) {
		t.Errorf("calls: %q", got)
	}
}

func TestCrashLoopHealFailsLoudly(t *testing.T) {
	c := newFakeCluster(3)
	in := mustHit(t, c, Spec{CrashLoop: &CrashLoop{}})
	c.fail = "restore"
	if err := healsNever(t, in); err == nil || !strings.Contains(err.Error(), "restore went wrong") {
		t.Errorf("got %v", err)
	}
	c = newFakeCluster(3)
	in = mustHit(t, c, Spec{CrashLoop: &CrashLoop{}})
	c.lazy = true
	if err := healsNever(t, in); err == nil || !strings.Contains(err.Error(), "Deployment gateway is as before") {
		t.Errorf("got %v", err)
	}
}

// Where the run ends, a heal restores what it changed but waits for no Pod.
func TestHealOfPodsDoesNotWaitWhenTheRunEnds(t *testing.T) {
	for name, spec := range map[string]Spec{
		"pod_kill": {PodKill: &PodKill{}}, "pod_unready": {PodUnready: &PodUnready{}}, "pod_stuck": {PodStuck: &PodStuck{}},
		"crash_loop": {CrashLoop: &CrashLoop{}}, "drain": {Drain: &Drain{}},
	} {
		run, end := context.WithCancel(context.Background())
		c := newFakeCluster(3)
		spec.Target = "gateway"
		f, err := spec.Fault(Env{Cluster: c, Run: run})
		if err != nil {
			t.Fatal(err)
		}
		in, err := f.Inject(run)
		if err != nil {
			t.Fatal(err)
		}
		c.mu.Lock()
		c.lazy = true
		c.mu.Unlock()
		end()
		heal(t, in)
		last := c.calls()[len(c.calls())-1]
		if want := map[string]string{"pod_unready": "true", "pod_stuck": "resume gateway-2", "crash_loop": "restore gateway", "drain": "cordon n1 false"}[name]; !strings.HasSuffix(last, want) {
			t.Errorf("%s: the last call is %q, want %q", name, last, want)
		}
	}
}

func TestFaultsInAClusterNeedOne(t *testing.T) {
	spec := Spec{Target: "gateway", PodKill: &PodKill{}}
	if _, err := spec.Fault(Env{}); err == nil || !strings.Contains(err.Error(), "no cluster") {
		t.Errorf("got %v", err)
	}
}

func TestCutInjectionHealsPods(t *testing.T) {
	c := newFakeCluster(2)
	ctx, cancel := context.WithCancel(context.Background())
	c.afterCall = func(string) { cancel() }
	spec := Spec{Target: "gateway", PodKill: &PodKill{}}
	f, err := spec.Fault(Env{Cluster: c})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Inject(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if got := serves(t, c); got != 2 {
		t.Errorf("%d Pods serve, want 2", got)
	}
}

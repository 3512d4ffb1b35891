package node

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"ordeal/deploy/localkube/cgroup"
)

// limiting is a Node where limits of CPU hold, and the directory of its control groups. The test is skipped where that
// is not possible.
func limiting(t *testing.T) (*world, string) {
	t.Helper()
	groups, err := cgroup.Find()
	if err == nil {
		err = groups.Make()
	}
	if err != nil {
		t.Skipf("no limits of CPU on this machine: %v", err)
	}
	t.Cleanup(func() {
		if left, _ := filepath.Glob(filepath.Join(groups.Dir(), "*", "cgroup.procs")); len(left) > 0 {
			t.Errorf("the agent has left %v", left)
		}
		if err := cgroup.Remove(groups.Dir()); err != nil {
			t.Error(err)
		}
	})
	return newWorldWith(t, func(c *Config) { c.Groups = groups }), groups.Dir()
}

// withLimit gives a container a limit of CPU.
func withLimit(c corev1.Container, cpu string) corev1.Container {
	c.Resources.Limits = corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(cpu)}
	return c
}

// members are the processes in the control group of a container.
func members(dir, container string) []string {
	files, _ := filepath.Glob(filepath.Join(dir, "*_"+container, "cgroup.procs"))
	if len(files) != 1 {
		return nil
	}
	text, _ := os.ReadFile(files[0])
	return strings.Fields(string(text))
}

// eventually waits for what is no state of a Pod.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

// cpuTicks is the CPU time of a process so far.
func cpuTicks(t *testing.T, pid int) (ticks int) {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	for _, field := range fields[11:13] { // user and system time
		n := 0
		if _, err := fmt.Sscan(field, &n); err != nil {
			t.Fatal(err)
		}
		ticks += n
	}
	return ticks
}

const spin = "while :; do :; done"

// race lets a container that may use a twentieth of a processor spin beside one that may use all, until that one has
// used half a second, and gives what both have used meanwhile.
func race(w *world) (held, free int) {
	w.Helper()
	name := w.create(nil, withLimit(sh("held", spin), "50m"), sh("free", spin))
	p := w.until(name, "runs", phase(corev1.PodRunning))
	pids := map[string]int{}
	for _, s := range p.Status.ContainerStatuses {
		pids[s.Name] = pid(s)
	}
	held0, free0 := cpuTicks(w.T, pids["held"]), cpuTicks(w.T, pids["free"])
	eventually(w.T, "the container without a limit has used half a second", func() bool {
		held, free = cpuTicks(w.T, pids["held"])-held0, cpuTicks(w.T, pids["free"])-free0
		return free >= 50
	})
	return held, free
}

// share is of what the free one gets, below which the other is held back: it may have a twentieth of a processor, and
// on a machine that others use, too, the free one may not have a whole one.
const share = 4

func TestLimitOfCPUHolds(t *testing.T) {
	w, dir := limiting(t)
	held, free := race(w)
	if held*share > free {
		t.Errorf("with a limit of 50m it used %d ticks while one without used %d", held, free)
	}
	stats, _ := filepath.Glob(filepath.Join(dir, "*", "cpu.stat"))
	if len(stats) != 1 {
		t.Fatalf("control groups: %v, want the one of the container with a limit", stats)
	}
	text, err := os.ReadFile(stats[0])
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "nr_throttled ")
	throttled := 0
	if _, err := fmt.Sscan(rest, &throttled); err != nil || throttled == 0 {
		t.Errorf("it was throttled %d times (%v), want some:\n%s", throttled, err, text)
	}
}

func TestLimitOfCPUDoesNotHoldWithoutGroups(t *testing.T) {
	if held, free := race(newWorld(t)); held*share < free {
		t.Errorf("without control groups a limit of 50m let it use %d ticks while one without used %d", held, free)
	}
}

func TestGroupGoesWithTheContainer(t *testing.T) {
	w, dir := limiting(t)
	// Its first life leaves something behind that no signal to its process group reaches.
	c := withLimit(sh("main", `if [ -e lived ]; then exec sleep 1000; fi; : >lived; setsid sleep 1000 & while [ ! -e end ]; do sleep 0.01; done`), "500m")
	name := w.create(nil, c, sh("other", "sleep 1000"))
	p := w.until(name, "runs", phase(corev1.PodRunning))
	eventually(t, "the first life has started what it leaves", func() bool { return len(members(dir, "main")) >= 2 })
	before := members(dir, "main")
	if err := os.WriteFile(filepath.Join(w.dir, "pods", fmt.Sprintf("default_%s_%s", p.Name, p.UID), "end"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	p = w.until(name, "lives again", func(p *corev1.Pod) bool { return first(p).RestartCount == 1 && first(p).State.Running != nil })
	if now := members(dir, "main"); len(now) != 1 || now[0] != fmt.Sprint(pid(first(p))) {
		t.Errorf("in the control group are %v, want the new process %d alone; before there were %v", now, pid(first(p)), before)
	}
	if groups, _ := filepath.Glob(filepath.Join(dir, "*", "cgroup.procs")); len(groups) != 1 {
		t.Errorf("control groups: %v, want none for a container without a limit", groups)
	}
	w.delete(name, 0)
	w.untilGone(name)
	if groups, _ := filepath.Glob(filepath.Join(dir, "*", "cgroup.procs")); len(groups) != 0 {
		t.Errorf("the Pod is gone, and there is %v", groups)
	}
}

func TestProbeRunsInTheGroup(t *testing.T) {
	w, dir := limiting(t)
	c := withLimit(sh("main", "exec sleep 1000"), "500m")
	c.ReadinessProbe = &corev1.Probe{ProbeHandler: corev1.ProbeHandler{Exec: &corev1.ExecAction{
		Command: []string{"/bin/sh", "-c", "echo $$ >probe; exec sleep 1000"}}}, PeriodSeconds: 1, TimeoutSeconds: 60}
	p := w.until(w.create(nil, c), "runs", phase(corev1.PodRunning))
	eventually(t, "the probe and the container are in the control group", func() bool {
		text, _ := os.ReadFile(filepath.Join(w.dir, "pods", fmt.Sprintf("default_%s_%s", p.Name, p.UID), "probe"))
		probe := strings.TrimSpace(string(text))
		in := members(dir, "main")
		return len(in) == 2 && probe != "" && (in[0] == probe || in[1] == probe)
	})
}

// cpuLimits is what the Node says of limits, when it runs Pods.
func cpuLimits(w *world) string {
	w.Helper()
	w.until(w.create(nil, sh("main", "exec sleep 1000")), "runs", phase(corev1.PodRunning))
	n, err := w.client.CoreV1().Nodes().Get(w.Context(), DefaultName, metav1.GetOptions{})
	if err != nil {
		w.Fatal(err)
	}
	return n.Annotations[cpuLimitsAnnotation]
}

func TestNodeSaysWhyLimitsDoNotHold(t *testing.T) {
	t.Parallel()
	w := newWorldWith(t, func(c *Config) { c.Ungrouped = errors.New("a read-only file system") })
	if text := cpuLimits(w); text != "not enforced: a read-only file system" {
		t.Errorf("the Node says %q, want the reason", text)
	}
}

func TestNodeSaysThatLimitsHold(t *testing.T) {
	t.Parallel()
	w, _ := limiting(t)
	if text := cpuLimits(w); text != "enforced by cgroup v1" && text != "enforced by cgroup v2" {
		t.Errorf("the Node says %q", text)
	}
}

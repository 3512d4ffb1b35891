package main

import (
	"encoding/json"
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	core "k8s.io/api/core/v1"

	"ordeal/runner/evidence"
	"ordeal/targets/kubernetes"
)

// localkube gives the program that is the control plane; without it the test is
// skipped.
func localkube(t *testing.T) string {
	t.Helper()
	name := os.Getenv("ORDEAL_LOCALKUBE")
	if name == "" {
		name = filepath.Join("..", "..", "bin", "localkube")
	}
	name, err := filepath.Abs(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(name); err != nil {
		t.Skip("there is no bin/localkube: build it with: make localkube")
	}
	return name
}

// ordeal is a file by whose name the test binary is the command. It is no symbolic
// link: the command asks the system which file it is, to run it again for its
// targets, and by another name that would run these tests.
func ordeal(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "ordeal")
	if os.Link(self, name) == nil {
		return name
	}
	text, err := os.ReadFile(self) // on another file system
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, text, 0o700); err != nil {
		t.Fatal(err)
	}
	return name
}

// runOn runs a scenario, which must pass, and gives its evidence. A machine that is
// busy with other work makes a run inconclusive, not wrong: then it has another go.
func runOn(t *testing.T, program, scenario string, args ...string) *evidence.Run {
	t.Helper()
	const goes = 3
	for n := 1; ; n++ {
		run, out, err := runOnce(t, program, scenario, args...)
		if err == nil {
			return run
		}
		var exit *exec.ExitError
		if n == goes || !errors.As(err, &exit) || exit.ExitCode() != exitInconclusive {
			t.Fatalf("%v\n%s", err, out)
		}
		t.Logf("inconclusive, %d of %d:\n%s", n, goes, out)
	}
}

// runOnce gives what the command says, and the evidence where the scenario passes.
func runOnce(t *testing.T, program, scenario string, args ...string) (*evidence.Run, string, error) {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "scenario.yaml")
	if err := os.WriteFile(file, []byte(scenario), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := command(t, program, append([]string{"run", "-q", "--out", filepath.Join(dir, "runs"), file}, args...)...)
	if err != nil {
		return nil, out, err
	}
	runs, err := filepath.Glob(filepath.Join(dir, "runs", "*"))
	if err != nil || len(runs) != 1 {
		t.Fatalf("runs %v, %v", runs, err)
	}
	run, err := evidence.Open(runs[0])
	if err != nil {
		t.Fatal(err)
	}
	return run, out, nil
}

// command runs the command, and gives what it says.
func command(t *testing.T, program string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.Command(ordeal(t), args...)
	cmd.Env = append(os.Environ(), "ORDEAL_LOCALKUBE="+program)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

const followedScenario = `
ordeal: v1
name: followed
kubernetes: {local: {sync_period: 2s}, apply: ["shipped:overlays/local"]}
targets:
  gateway: {service: gateway, port: http}
  users: {service: users}
load:
  browse: {http: {target: gateway, get: /api/v1/users/42}, rate: 40/s}
  standard: {http: {target: gateway, get: /api/v1/users/42, transport: standard}, rate: 20/s}
  lookups: {grpc: {target: users, call: user.v1.UserService/GetUser, data: {user_id: "42"}}, rate: 20/s}
timeline:
  - {phase: warmup, for: 3s}
  - {phase: slow, for: 3s, faults: [{link: client->gateway, latency: {delay: 20ms}}]}
  - {phase: roll, for: 20s, changes: [{restart: {deployment: gateway}}, {restart: {deployment: users}}]}
  - {phase: away, for: 3s, faults: [{link: kubernetes->metrics, latency: {delay: 10ms}}, {link: controllers->kubernetes, latency: {delay: 10ms}}]}
expect:
  - errors: {load: browse, during: [slow, roll, away], count: "= 0"}
  - errors: {load: standard, during: [slow, roll, away], count: "= 0"}
  - errors: {load: lookups, during: [slow, roll, away], count: "= 0"}
  - latency: {load: browse, during: slow, p50: "> 20ms"}
`

// TestPodsAreFollowed replaces every Pod under load: no call fails, the new Pods
// get calls and the old ones none; and all that happens is in the evidence.
func TestPodsAreFollowed(t *testing.T) {
	run := runOn(t, localkube(t), followedScenario)
	c := run.Meta.Cluster
	if c == nil || c.Kind != "local" || c.Namespace != "ordeal" || !strings.HasPrefix(c.Version, "v1.") || c.Settings["sync_period"] != "2s" {
		t.Errorf("the cluster is %+v", c)
	}
	pods := podsSeen(t, run)
	followedInTime(t, run)
	backends := backendsOf(t, run)
	for _, load := range []string{"browse", "standard", "lookups"} {
		before, after := backends[load+" slow"], backends[load+" away"]
		if len(before) == 0 || len(after) == 0 {
			t.Errorf("%s: calls at %v, and at %v then", load, before, after)
		}
		for pod := range before {
			if after[pod] > 0 {
				t.Errorf("%s: %d calls at Pod %s after it was replaced", load, after[pod], pod)
			}
		}
		for _, name := range slices.Concat(slices.Collect(maps.Keys(before)), slices.Collect(maps.Keys(after))) {
			if pods[name] == "" {
				t.Errorf("%s: calls at %q, which was not seen as a Pod of a target", load, name)
			}
		}
	}
	for _, s := range []struct{ target, name string }{
		{"kubernetes", "pod_cpu_cores"}, {"kubernetes", "metrics_available"}, {"gateway", "breaker_state"},
		{"kubernetes->metrics", "link_bytes_up_total"}, {"controllers->kubernetes", "link_bytes_up_total"}, {"client->gateway", "link_connections_total"},
	} {
		if series, err := run.Series(s.target, s.name); err != nil || len(series) == 0 {
			t.Errorf("no series %s of %s: %v", s.name, s.target, err)
		}
	}
}

// followedIn is how soon a change of a Pod must show in the calls.
const followedIn = time.Second

// followedInTime checks for every Pod that came or went, and every load on its
// target, that calls began and ended with it.
func followedInTime(t *testing.T, run *evidence.Run) {
	t.Helper()
	type use struct {
		pod  string
		load int
	}
	first, last := map[use]time.Duration{}, map[use]time.Duration{}
	for s, err := range run.Samples() {
		if err != nil {
			t.Fatal(err)
		}
		u := use{s.Backend, s.Load}
		if at, ok := first[u]; !ok || s.Sent < at {
			first[u] = s.Sent
		}
		last[u] = max(last[u], s.Sent)
	}
	came, went := map[string]bool{}, map[string]bool{}
	for _, e := range run.Events {
		if e.Kind != evidence.ObjectSeen || e.Object.Kind != "Pod" {
			continue
		}
		var pod core.Pod
		if err := json.Unmarshal(e.Object.Data, &pod); err != nil {
			t.Fatal(err)
		}
		found := e.Object.Action == kubernetes.Found
		for i, l := range run.Meta.Loads {
			u := use{pod.Name, i}
			switch {
			case l.Target != e.Target:
			case kubernetes.Ready(&pod) && !came[pod.Name] && !found && first[u]-e.At > followedIn:
				t.Errorf("%s: the first call at Pod %s came %v after it was ready", l.Name, pod.Name, first[u]-e.At)
			case pod.DeletionTimestamp != nil && !went[pod.Name] && last[u]-e.At > followedIn:
				t.Errorf("%s: a call at Pod %s came %v after its end was asked for", l.Name, pod.Name, last[u]-e.At)
			}
		}
		came[pod.Name] = came[pod.Name] || kubernetes.Ready(&pod)
		went[pod.Name] = went[pod.Name] || pod.DeletionTimestamp != nil
	}
	count := func(pods map[string]bool) (n int) {
		for _, yes := range pods {
			if yes {
				n++
			}
		}
		return n
	}
	if count(came) < 10 || count(went) < 5 { // three gateways and two users, all replaced
		t.Errorf("%d Pods became ready and %d were ended", count(came), count(went))
	}
}

// podsSeen gives the target of each Pod that was watched.
func podsSeen(t *testing.T, run *evidence.Run) map[string]string {
	t.Helper()
	pods, kinds := map[string]string{}, map[string]bool{}
	for _, e := range run.Events {
		switch {
		case e.Kind == evidence.ObjectSeen && e.Object.Kind == "Pod":
			pods[e.Object.Name] = e.Target
			kinds["Pod "+e.Object.Action] = true
		case e.Kind == evidence.ObjectSeen:
			kinds[e.Object.Kind] = true
		default:
			kinds[string(e.Kind)] = true
		}
	}
	for _, want := range []string{"Pod found", "Pod added", "Pod changed", "Pod deleted", "Service", "Deployment", "ReplicaSet", "Node", "Event", "changed", "note"} {
		if !kinds[want] {
			t.Errorf("no event of %s", want)
		}
	}
	return pods
}

// backendsOf counts calls by who answered, for each load and phase.
func backendsOf(t *testing.T, run *evidence.Run) map[string]map[string]int {
	t.Helper()
	counts := map[string]map[string]int{}
	for s, err := range run.Samples() {
		if err != nil {
			t.Fatal(err)
		}
		if ph, ok := run.PhaseAt(s.Sent); ok {
			key := run.Meta.Loads[s.Load].Name + " " + ph.Name
			if counts[key] == nil {
				counts[key] = map[string]int{}
			}
			counts[key][s.Backend]++
		}
	}
	return counts
}

// TestNothingIsLeftOfAControlPlane interrupts and kills runs.
func TestNothingIsLeftOfAControlPlane(t *testing.T) {
	scripts(t, "testdata/kubernetes", "ORDEAL_LOCALKUBE="+localkube(t))
}

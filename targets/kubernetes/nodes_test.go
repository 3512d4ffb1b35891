package kubernetes

import (
	"context"
	"slices"
	"testing"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
)

func TestALocalClusterHasTheNodesThatWereAskedFor(t *testing.T) {
	noLink := func(context.Context, string, string) (string, error) { return "", nil }
	for nodes, want := range map[int]bool{0: false, 1: false, 2: true} {
		args, err := Config{Spec: &Spec{Local: &Local{Nodes: nodes}}, Via: noLink}.localArgs(patience(t))
		if err != nil {
			t.Fatal(err)
		}
		if got := slices.Contains(args, "--nodes=2"); got != want {
			t.Errorf("%d nodes: localkube up %q", nodes, args)
		}
	}
}

func TestLimitsOfCPUHoldUnlessTheScenarioSaysOtherwise(t *testing.T) {
	noLink := func(context.Context, string, string) (string, error) { return "", nil }
	yes, no := true, false
	for _, tc := range []struct {
		said *bool
		off  bool
	}{{nil, false}, {&yes, false}, {&no, true}} {
		local := &Local{CPULimits: tc.said}
		args, err := Config{Spec: &Spec{Local: local}, Via: noLink}.localArgs(patience(t))
		if err != nil {
			t.Fatal(err)
		}
		if off := slices.Contains(args, "--cpu-limits=false"); off != tc.off {
			t.Errorf("off %t: localkube up %q", tc.off, args)
		}
		if _, told := local.Settings()["cpu_limits"]; told != tc.off {
			t.Errorf("off %t: settings %v", tc.off, local.Settings())
		}
	}
}

func TestNodesSayWhetherLimitsOfCPUHold(t *testing.T) {
	const says = "not enforced: a reason"
	for want, annotations := range map[string]map[string]string{"": nil, says: {cpuLimitsAnnotation: says}} {
		c := &Cluster{client: fake.NewClientset(&core.Node{ObjectMeta: meta.ObjectMeta{Name: "one", Annotations: annotations}})}
		if got, err := c.readCPULimits(t.Context()); got != want || err != nil {
			t.Errorf("annotations %v: %q, %v", annotations, got, err)
		}
	}
}

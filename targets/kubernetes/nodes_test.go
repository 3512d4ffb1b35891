package kubernetes

import (
	"context"
	"slices"
	"testing"
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

package oracle

import (
	"fmt"
	"os"
	"testing"

	"github.com/go-logr/logr"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/klog/v2"

	"ordeal/runner/verdict/autoscaler"
)

const traces = 300

func TestMain(m *testing.M) {
	// The controller's complaints of missing metrics are wanted here, and their
	// back-off would carry virtual time from one trace into the next.
	utilruntime.ErrorHandlers = nil
	klog.SetLogger(logr.Discard())
	os.Exit(m.Run())
}

func TestRecomputationEqualsTheController(t *testing.T) {
	c := coverage{}
	var all []played
	total := 0
	for seed := range uint64(traces) {
		tr := newTrace(seed)
		steps := drive(t, tr)
		if len(steps) < tr.syncs-2 {
			t.Fatalf("trace %d: the controller synchronised %d times, want about %d", seed, len(steps), tr.syncs)
		}
		var m autoscaler.Memory
		seen := map[feature]bool{}
		for i, s := range steps {
			var d autoscaler.Decision
			d, m = autoscaler.Step(tr.set, tr.spec, s.state, m)
			if d.Replicas != s.left {
				t.Fatalf("trace %d, step %d: the controller went from %d to %d, the recomputation to %d: %+v\nspec %s\nstate %+v",
					seed, i, s.state.Wanted, s.left, d.Replicas, d, describe(tr.spec), s.state)
			}
			look(seen, tr.set, tr.spec, s.state, d)
		}
		total += len(steps)
		c.add(seen)
		all = append(all, played{tr.set, tr.spec, steps})
	}
	t.Logf("%d traces, %d steps\n%s", traces, total, c)
	c.enough(t)
	for _, v := range variants {
		if n := v.caught(all); n < v.least {
			t.Errorf("the wrong variant %q is caught by %d traces, want at least %d", v.name, n, v.least)
		} else {
			t.Logf("caught by %3d traces: %s", n, v.name)
		}
	}
}

func describe(s autoscaler.Spec) string {
	if s.Behavior == nil {
		return fmt.Sprintf("%+v", s)
	}
	return fmt.Sprintf("%+v, behavior %+v", s, *s.Behavior)
}

package chaos

import (
	"slices"
	"strings"
	"testing"
)

// nodesOf counts the Pods that serve, by node.
func nodesOf(c *fakeCluster) map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	on := map[string]int{}
	for _, p := range c.pods {
		if p.serves() {
			on[p.Node]++
		}
	}
	return on
}

func TestDrainMovesPodsToAnotherNode(t *testing.T) {
	c := newFakeCluster(4, "n1", "n2")
	in := mustHit(t, c, Spec{Node: "n1", Drain: &Drain{}})
	eventually(t, "all Pods serve on the other node", func() bool {
		return serves(t, c) == 4 && nodesOf(c)["n2"] == 4
	})
	heal(t, in)
	wantTouched(t, in, 2)
	calls := c.calls()
	if calls[0] != "cordon n1 true" || calls[len(calls)-1] != "cordon n1 false" {
		t.Errorf("calls: %q", calls)
	}
}

// With one node the Pods have nowhere to go until the heal lets them back.
func TestDrainOfTheOnlyNode(t *testing.T) {
	c := newFakeCluster(2)
	in := mustHit(t, c, Spec{Node: "n1", Drain: &Drain{}})
	eventually(t, "no Pod serves", func() bool { return serves(t, c) == 0 })
	heal(t, in)
	if got := serves(t, c); got != 2 {
		t.Errorf("%d Pods serve after the heal, want 2", got)
	}
}

func TestDrainRespectsBudgets(t *testing.T) {
	c := newFakeCluster(3)
	c.budget = 0
	in := mustHit(t, c, Spec{Node: "n1", Drain: &Drain{}})
	heal(t, in)
	wantTouched(t, in, 0)
	if got := serves(t, c); got != 3 {
		t.Errorf("%d Pods serve, want all 3: the budget allows no eviction", got)
	}

	c = newFakeCluster(3)
	c.budget = 0
	in = mustHit(t, c, Spec{Node: "n1", Drain: &Drain{}})
	c.mu.Lock()
	c.budget = 1 // it allows one after a while
	c.mu.Unlock()
	eventually(t, "one was evicted", func() bool { return in.Touched().Connections == 1 })
	heal(t, in)
	wantTouched(t, in, 1)
}

func TestDrainOfTheNodeOfATarget(t *testing.T) {
	c := newFakeCluster(3, "n1", "n2") // two on n1, one on n2
	in := mustHit(t, c, Spec{Drain: &Drain{}})
	heal(t, in)
	if got := c.calls(); !slices.Contains(got, "cordon n1 true") {
		t.Errorf("calls: %q, want the node with the most Pods cordoned", got)
	}
}

func TestDrainLeavesPinnedPods(t *testing.T) {
	c := newFakeCluster(2)
	c.pods[0].Pinned = true
	in := mustHit(t, c, Spec{Node: "n1", Drain: &Drain{}})
	eventually(t, "the other is evicted", func() bool { return in.Touched().Connections == 1 })
	heal(t, in)
	if slices.Contains(c.calls(), "evict gateway-1") {
		t.Errorf("a pinned Pod was evicted: %q", c.calls())
	}
}

func TestDrainFails(t *testing.T) {
	c := newFakeCluster(2)
	if _, err := hitCluster(t, c, Spec{Node: "n9", Drain: &Drain{}}); err == nil || !strings.Contains(err.Error(), "no node n9") {
		t.Errorf("got %v", err)
	}
	c.cordoned["n1"] = true
	if _, err := hitCluster(t, c, Spec{Node: "n1", Drain: &Drain{}}); err == nil || !strings.Contains(err.Error(), "takes no Pods already") {
		t.Errorf("got %v", err)
	}
	if len(c.calls()) > 0 || !c.cordoned["n1"] {
		t.Errorf("it was changed all the same: %q", c.calls())
	}
	c = newFakeCluster(2)
	c.fail = "evict"
	if _, err := hitCluster(t, c, Spec{Node: "n1", Drain: &Drain{}}); err == nil || !strings.Contains(err.Error(), "evict went wrong") {
		t.Errorf("got %v", err)
	}
	c = newFakeCluster(2)
	c.budget = 0
	in := mustHit(t, c, Spec{Node: "n1", Drain: &Drain{}})
	c.mu.Lock()
	c.budget, c.fail = 2, "evict"
	c.mu.Unlock()
	eventually(t, "an eviction was tried again", func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.budget < 2
	})
	if err := healsNever(t, in); err == nil || !strings.Contains(err.Error(), "evict went wrong") {
		t.Errorf("got %v", err)
	}
	if c.cordoned["n1"] {
		t.Error("the node is still cordoned")
	}
}

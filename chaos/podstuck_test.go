package chaos

import (
	"slices"
	"strings"
	"testing"
)

func TestPodStuckHoldsPodsAndLetsThemGoOn(t *testing.T) {
	c := newFakeCluster(3)
	in := mustHit(t, c, Spec{PodStuck: &PodStuck{Count: 2}})
	if got := serves(t, c); got != 1 {
		t.Errorf("%d Pods serve while two are stuck, want 1", got)
	}
	heal(t, in)
	if got := serves(t, c); got != 3 {
		t.Errorf("%d Pods serve after the heal, want 3", got)
	}
	wantTouched(t, in, 2)
	calls := c.calls()
	if len(calls) != 4 || !strings.HasPrefix(calls[0], "pause ") || !strings.HasPrefix(calls[3], "resume ") || calls[0] == calls[1] {
		t.Errorf("calls: %q", calls)
	}
}

func TestPodStuckLetsGoOnWhatItHeldWhenItFails(t *testing.T) {
	c := newFakeCluster(3)
	c.afterCall = func(string) { c.fail = "pause" } // the first goes well
	_, err := hitCluster(t, c, Spec{PodStuck: &PodStuck{Count: All}})
	if err == nil || !strings.Contains(err.Error(), "pause went wrong") {
		t.Errorf("error %v", err)
	}
	if calls := c.calls(); !slices.Equal(calls, []string{"pause gateway-1", "resume gateway-1"}) {
		t.Errorf("calls: %q", calls)
	}
}

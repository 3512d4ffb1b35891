package runner

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"ordeal/runner/change"
	"ordeal/runner/evidence"
	"ordeal/targets/kubernetes"
)

// changeable is a cluster that keeps what was changed.
type changeable struct {
	change.Cluster
	made []string
	fail error
	then func()
}

func (c *changeable) Rollout(_ context.Context, d string, t kubernetes.Template) error {
	c.made = append(c.made, "rollout "+d+" "+t.Env["VERSION"])
	if c.then != nil {
		c.then()
	}
	return c.fail
}

func (c *changeable) Undo(_ context.Context, d string) error {
	c.made = append(c.made, "undo "+d)
	return c.fail
}

// newChanging is a timeline with a rollout in its second phase, beside a fault,
// and an undo in its last.
func newChanging(cancel context.CancelCauseFunc, cluster *changeable, procs ...*stuckable) (*timeline, *journal) {
	line, out := newTimeline(cancel, 5*time.Millisecond, procs...)
	rollout := &change.Spec{Rollout: &change.Rollout{Deployment: "gateway", Env: map[string]string{"VERSION": "2"}}}
	line.plan.Phases[1].Changes = []*change.Spec{rollout}
	line.plan.Phases[2].Changes = []*change.Spec{{Undo: &change.Undo{Deployment: "gateway"}}}
	line.cluster = cluster
	return line, out
}

func TestTimelineMakesChangesWhereTheirPhaseStarts(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	cluster := &changeable{}
	line, out := newChanging(cancel, cluster, &stuckable{})
	if err := line.run(ctx); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(cluster.made, ", "); got != "rollout gateway 2, undo gateway" {
		t.Errorf("made: %s", got)
	}
	if got, _ := out.inOrder(); !strings.Contains(got, "phase-start broken, changed broken, fault-injected broken") || !strings.Contains(got, "phase-start after, changed after") {
		t.Errorf("events: %s", out.kinds())
	}
	for _, e := range out.events {
		if e.Kind == evidence.Changed && e.Phase == "broken" && (e.Text != "rollout of Deployment gateway: env VERSION=2" || e.Object.Kind != "Deployment" || e.Object.Name != "gateway") {
			t.Errorf("event %+v of %+v", e, e.Object)
		}
	}
}

func TestTimelineEndsWhereAChangeCannotBeMade(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	p := &stuckable{}
	line, out := newChanging(cancel, &changeable{fail: errors.New("forbidden")}, p)
	err := line.run(ctx)
	if err == nil || !strings.Contains(err.Error(), "phase broken: make rollout of Deployment gateway: env VERSION=2: forbidden") {
		t.Errorf("got %v", err)
	}
	if got := out.kinds(); strings.Contains(got, "changed") || strings.Contains(got, "fault") || !strings.Contains(got, "note broken") {
		t.Errorf("events: %s", got)
	}
}

func TestAChangeThatIsCutShortIsNoFailureOfIts(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	cluster := &changeable{fail: context.Canceled, then: func() { cancel(ErrInterrupted) }}
	line, out := newChanging(cancel, cluster)
	if err := line.run(ctx); !errors.Is(err, ErrInterrupted) || strings.Contains(err.Error(), "rollout") {
		t.Errorf("got %v, want ErrInterrupted", err)
	}
	if strings.Contains(out.kinds(), "note") {
		t.Errorf("events: %s", out.kinds())
	}
}

func TestChangesNeedACluster(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	line, _ := newChanging(cancel, nil)
	line.cluster = nil
	if err := line.run(ctx); err == nil || !strings.Contains(err.Error(), "there is no cluster") {
		t.Errorf("got %v", err)
	}
}

package kubernetes

import (
	"strings"
	"testing"

	apps "k8s.io/api/apps/v1"
)

func env(t *testing.T, c *Cluster) map[string]string {
	t.Helper()
	d, err := c.deployment(patience(t), "gateway")
	if err != nil {
		t.Fatal(err)
	}
	vars := map[string]string{}
	for _, v := range d.Spec.Template.Spec.Containers[1].Env {
		vars[v.Name] = v.Value
	}
	return vars
}

func TestARolloutChangesOneContainerAndLeavesTheRest(t *testing.T) {
	c, _ := open(t, deployment("old"))
	if err := c.Rollout(patience(t), "gateway", Template{Container: "gateway", Env: map[string]string{"A": "new", "C": "more"}}); err != nil {
		t.Fatal(err)
	}
	if got := env(t, c); got["A"] != "new" || got["B"] != "stays" || got["C"] != "more" {
		t.Errorf("the environment is %v", got)
	}
	if err := c.Rollout(patience(t), "gateway", Template{Container: "nobody"}); err == nil || !strings.Contains(err.Error(), "no container nobody") {
		t.Errorf("a container that is not there: %v", err)
	}
}

func TestUndoGoesBackToTheRevisionBefore(t *testing.T) {
	d := deployment("three")
	stranger := replicaSet("stranger", &apps.Deployment{ObjectMeta: named("other", nil)}, "9", "nine")
	stranger.OwnerReferences[0].UID = "2"
	c, _ := open(t, d, replicaSet("a", d, "10", "three"), replicaSet("b", d, "9", "two"), replicaSet("c", d, "1", "one"), stranger)
	if err := c.Undo(patience(t), "gateway"); err != nil {
		t.Fatal(err)
	}
	if got := env(t, c); got["A"] != "two" {
		t.Errorf("the environment is %v, want that of revision 9", got)
	}
}

func TestUndoNeedsAnEarlierRevision(t *testing.T) {
	d := deployment("one")
	c, _ := open(t, d, replicaSet("a", d, "1", "one"))
	if err := c.Undo(patience(t), "gateway"); err == nil || !strings.Contains(err.Error(), "no earlier revision") {
		t.Errorf("got %v", err)
	}
}

func TestADeploymentIsRolledOutWhenNoOtherPodIsLeft(t *testing.T) {
	for _, tc := range []struct {
		status apps.DeploymentStatus
		want   bool
	}{
		{apps.DeploymentStatus{ObservedGeneration: 2, Replicas: 2, UpdatedReplicas: 2, AvailableReplicas: 2}, true},
		{apps.DeploymentStatus{ObservedGeneration: 1, Replicas: 2, UpdatedReplicas: 2, AvailableReplicas: 2}, false},
		{apps.DeploymentStatus{ObservedGeneration: 2, Replicas: 3, UpdatedReplicas: 2, AvailableReplicas: 2}, false},
		{apps.DeploymentStatus{ObservedGeneration: 2, Replicas: 2, UpdatedReplicas: 1, AvailableReplicas: 2}, false},
		{apps.DeploymentStatus{ObservedGeneration: 2, Replicas: 2, UpdatedReplicas: 2, AvailableReplicas: 1}, false},
	} {
		d := deployment("x")
		d.Status = tc.status
		if got := RolledOut(d); got != tc.want {
			t.Errorf("%+v: %t", tc.status, got)
		}
	}
}

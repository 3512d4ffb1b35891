package kubernetes

import (
	"strings"
	"testing"
	"time"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ofGateway is a Deployment whose Pods have the label app=gateway.
func ofGateway(available int32) *apps.Deployment {
	d := deployment("x")
	d.Spec.Selector = &meta.LabelSelector{MatchLabels: map[string]string{"app": "gateway"}}
	d.Status = apps.DeploymentStatus{ObservedGeneration: 2, Replicas: 2, UpdatedReplicas: 2, AvailableReplicas: available}
	return d
}

func TestDeploymentsAreWaitedFor(t *testing.T) {
	c, api := open(t, ofGateway(1))
	done := make(chan error, 1)
	go func() { done <- c.awaitAvailable(patience(t), time.Minute, []string{"gateway"}) }()
	if _, err := api.AppsV1().Deployments(namespace).Update(patience(t), ofGateway(2), meta.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestWhatKeepsPodsFromBeingReadyIsTold(t *testing.T) {
	crashing := pod("crashing", "127.1.0.1", false, map[string]string{"app": "gateway"})
	crashing.Status.ContainerStatuses = []core.ContainerStatus{{Name: "main", State: core.ContainerState{
		Waiting: &core.ContainerStateWaiting{Reason: "CrashLoopBackOff", Message: "back-off 10s"}}}}
	pending := pod("pending", "", false, map[string]string{"app": "gateway"})
	pending.Status = core.PodStatus{Phase: core.PodPending, Conditions: []core.PodCondition{
		{Type: core.PodScheduled, Status: core.ConditionFalse, Message: "0/1 nodes are available"}}}
	event := func(name, reason string, at int64) *core.Event {
		return &core.Event{ObjectMeta: named(name, nil), InvolvedObject: core.ObjectReference{Kind: "Pod", Name: "crashing"},
			Reason: reason, Message: "of " + name, LastTimestamp: meta.Unix(at, 0)}
	}
	c, _ := open(t, ofGateway(0), crashing, pending, pod("fine", "127.1.0.2", true, map[string]string{"app": "gateway"}),
		pod("other", "127.1.0.3", false, nil), event("late", "BackOff", 20), event("early", "Pulled", 10))
	err := c.awaitAvailable(patience(t), time.Millisecond, []string{"gateway"})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		"not available within 1ms: Deployments gateway", "Deployment gateway: 0 of 2 Pods are available", "Pod crashing: Running",
		"container main waits: CrashLoopBackOff back-off 10s", "last event: BackOff: of late", "last line of its log: fake logs",
		"Pod pending: Pending", "it is not scheduled: 0/1 nodes are available",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not said in\n%v", want, err)
		}
	}
	for _, other := range []string{"fine", "other"} {
		if strings.Contains(err.Error(), "Pod "+other) {
			t.Errorf("Pod %s is told in\n%v", other, err)
		}
	}
}

func TestMembersAreWaitedFor(t *testing.T) {
	c, api := open(t, coloured("blue"), blue("a", "127.1.0.1", false))
	m := members(t, c, "http")
	if err := m.AwaitAny(patience(t), time.Millisecond); err == nil || !strings.Contains(err.Error(), "no Pod of Service gateway is ready within 1ms:\n    Pod a: Running") {
		t.Errorf("got %v", err)
	}
	done := make(chan error, 1)
	go func() { done <- m.AwaitAny(patience(t), time.Minute) }()
	if _, err := api.CoreV1().Pods(namespace).Update(patience(t), blue("a", "127.1.0.1", true), meta.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

package kubernetes

import (
	"errors"
	"sync/atomic"
	"testing"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttest "k8s.io/client-go/testing"
)

// gated is a Pod with the gate, and with a condition of it where said.
func gated(name string, condition ...core.ConditionStatus) *core.Pod {
	p := pod(name, "127.0.0.2", false, nil)
	p.Spec.ReadinessGates = []core.PodReadinessGate{{ConditionType: RotationGate}}
	for _, status := range condition {
		p.Status.Conditions = append(p.Status.Conditions, core.PodCondition{Type: RotationGate, Status: status})
	}
	return p
}

// gate is what the API server says of the gate of a Pod; "" for nothing.
func gate(t *testing.T, c *fake.Clientset, name string) core.ConditionStatus {
	t.Helper()
	p, err := c.CoreV1().Pods(namespace).Get(patience(t), name, meta.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, condition := range p.Status.Conditions {
		if condition.Type == RotationGate {
			return condition.Status
		}
	}
	return ""
}

func TestPodsWithTheGateComeIntoRotation(t *testing.T) {
	c, api := open(t, gated("early"), gated("out", core.ConditionFalse), pod("plain", "127.0.0.3", true, nil))
	if _, err := api.CoreV1().Pods(namespace).Create(patience(t), gated("late"), meta.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	err := c.Await(patience(t), "both are in rotation", func() (bool, error) {
		return gate(t, api, "early") == core.ConditionTrue && gate(t, api, "late") == core.ConditionTrue, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := gate(t, api, "out"); got != core.ConditionFalse {
		t.Errorf("a Pod that was taken out is %q", got)
	}
	if got := gate(t, api, "plain"); got != "" {
		t.Errorf("a Pod without the gate has it %q", got)
	}
}

// The API server may not answer at once.
func TestAPodComesIntoRotationThoughTheFirstTryFails(t *testing.T) {
	c, api := open(t)
	var tries atomic.Int32
	api.PrependReactor("patch", "pods", func(clienttest.Action) (bool, runtime.Object, error) {
		return tries.Add(1) < 3, nil, errors.New("not now")
	})
	if _, err := api.CoreV1().Pods(namespace).Create(patience(t), gated("late"), meta.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := c.Await(patience(t), "it is in rotation", func() (bool, error) { return gate(t, api, "late") == core.ConditionTrue, nil }); err != nil {
		t.Fatal(err)
	}
}

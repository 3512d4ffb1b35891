package node

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestNodeIsReadyAndKeepsItsMarks(t *testing.T) {
	t.Parallel()
	old := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: DefaultName}, Spec: corev1.NodeSpec{Unschedulable: true, Taints: []corev1.Taint{
		{Key: corev1.TaintNodeNotReady, Effect: corev1.TaintEffectNoSchedule}, {Key: "example.com/own", Effect: corev1.TaintEffectNoSchedule}}}}
	w := newWorld(t, old)
	name := w.create(nil, sh("main", "sleep 1000"))
	w.until(name, "is ready", ready)
	n, err := w.client.CoreV1().Nodes().Get(t.Context(), DefaultName, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(n.Spec.Taints) != 1 || n.Spec.Taints[0].Key != "example.com/own" || !n.Spec.Unschedulable {
		t.Errorf("taints %v, unschedulable %v", n.Spec.Taints, n.Spec.Unschedulable)
	}
	isReady := false
	for _, c := range n.Status.Conditions {
		isReady = isReady || c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue
	}
	if cpu := n.Status.Allocatable[corev1.ResourceCPU]; !isReady || cpu.String() != "64" || len(n.Status.Addresses) != 2 {
		t.Errorf("ready %v, CPUs %v, addresses %v", isReady, cpu.String(), n.Status.Addresses)
	}
	lease, err := w.client.CoordinationV1().Leases(corev1.NamespaceNodeLease).Get(t.Context(), DefaultName, metav1.GetOptions{})
	if err != nil || lease.Spec.RenewTime == nil {
		t.Errorf("lease %v: %v", lease, err)
	}
}

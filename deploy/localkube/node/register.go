package node

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"runtime/debug"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/util/retry"
)

// Heartbeats are as the kubelet's.
const (
	leaseFor   = 40 * time.Second
	renewEvery = 10 * time.Second
	callWithin = 5 * time.Second // a call that waits longer for the API server is made anew
)

// cpuLimitsAnnotation of a Node says what comes of limits of CPU.
const cpuLimitsAnnotation = "localkube.ordeal/cpu-limits"

// registration is a Node as the API server is to know it.
type registration struct {
	client      kubernetes.Interface
	name        string
	addr        netip.Addr
	allocatable corev1.ResourceList
	cpuLimits   string // the annotation
	logPort     int32  // where the logs of its Pods are served; 0: nowhere
}

// register makes the Node, or takes over the one of that name, and says that it is ready.
func (r registration) register(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, callWithin)
	defer cancel()
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{
		Name: r.name,
		Labels: map[string]string{
			corev1.LabelHostname: r.name, corev1.LabelOSStable: runtime.GOOS, corev1.LabelArchStable: runtime.GOARCH,
		},
		Annotations: map[string]string{cpuLimitsAnnotation: r.cpuLimits},
	}}
	_, err := r.client.CoreV1().Nodes().Create(ctx, node, metav1.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("register node %s: %w", r.name, err)
	}
	return r.beReady(ctx)
}

// beReady says that the Node is ready, and takes away the taint that a Node has until it is.
func (r registration) beReady(ctx context.Context) error {
	err := retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		node, err := r.client.CoreV1().Nodes().Get(ctx, r.name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		r.fill(&node.Status)
		if node, err = r.client.CoreV1().Nodes().UpdateStatus(ctx, node, metav1.UpdateOptions{}); err != nil {
			return err
		}
		var kept []corev1.Taint
		for _, t := range node.Spec.Taints {
			if t.Key != corev1.TaintNodeNotReady && t.Key != corev1.TaintNodeUnreachable {
				kept = append(kept, t)
			}
		}
		if len(kept) == len(node.Spec.Taints) {
			return nil
		}
		node.Spec.Taints = kept
		_, err = r.client.CoreV1().Nodes().Update(ctx, node, metav1.UpdateOptions{})
		return err
	})
	if err != nil {
		return fmt.Errorf("say that node %s is ready: %w", r.name, err)
	}
	return nil
}

func (r registration) fill(s *corev1.NodeStatus) {
	s.Capacity, s.Allocatable = r.allocatable.DeepCopy(), r.allocatable.DeepCopy()
	s.Addresses = []corev1.NodeAddress{
		{Type: corev1.NodeInternalIP, Address: r.addr.String()}, {Type: corev1.NodeHostName, Address: r.name}}
	s.DaemonEndpoints.KubeletEndpoint.Port = r.logPort
	v := kubernetesVersion()
	s.NodeInfo = corev1.NodeSystemInfo{OperatingSystem: runtime.GOOS, Architecture: runtime.GOARCH, KubeletVersion: v,
		ContainerRuntimeVersion: "localkube://" + v, OSImage: "the machine of localkube"}
	if id, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		s.NodeInfo.KernelVersion = string(id[:max(0, len(id)-1)])
	}
	now := metav1.Now()
	for _, want := range []corev1.NodeCondition{
		{Type: corev1.NodeMemoryPressure, Status: corev1.ConditionFalse, Reason: "NotLookedAt"},
		{Type: corev1.NodeDiskPressure, Status: corev1.ConditionFalse, Reason: "NotLookedAt"},
		{Type: corev1.NodePIDPressure, Status: corev1.ConditionFalse, Reason: "NotLookedAt"},
		{Type: corev1.NodeReady, Status: corev1.ConditionTrue, Reason: "AgentReady", Message: "Pods run as processes"},
	} {
		want.LastHeartbeatTime, want.LastTransitionTime = now, now
		setNodeCondition(s, want)
	}
}

func setNodeCondition(s *corev1.NodeStatus, want corev1.NodeCondition) {
	for i, have := range s.Conditions {
		if have.Type != want.Type {
			continue
		}
		if have.Status == want.Status {
			want.LastTransitionTime = have.LastTransitionTime
		}
		s.Conditions[i] = want
		return
	}
	s.Conditions = append(s.Conditions, want)
}

// renew says that the Node is alive.
func (r registration) renew(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, callWithin)
	defer cancel()
	leases := r.client.CoordinationV1().Leases(corev1.NamespaceNodeLease)
	now, seconds := metav1.NowMicro(), int32(leaseFor/time.Second)
	lease, err := leases.Get(ctx, r.name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		lease = &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Name: r.name, Namespace: corev1.NamespaceNodeLease},
			Spec: coordinationv1.LeaseSpec{HolderIdentity: &r.name, LeaseDurationSeconds: &seconds, RenewTime: &now}}
		_, err = leases.Create(ctx, lease, metav1.CreateOptions{})
	} else if err == nil {
		lease.Spec.RenewTime = &now
		_, err = leases.Update(ctx, lease, metav1.UpdateOptions{})
	}
	if err != nil {
		return fmt.Errorf("renew the lease of node %s: %w", r.name, err)
	}
	return nil
}

// ready reports whether the API server takes the Node for ready: the controllers make it unready while they do not
// hear of it.
func (r registration) ready(ctx context.Context) (bool, error) {
	node, err := r.client.CoreV1().Nodes().Get(ctx, r.name, metav1.GetOptions{})
	if err != nil {
		return false, fmt.Errorf("look at node %s: %w", r.name, err)
	}
	for _, c := range node.Status.Conditions {
		if c.Type == corev1.NodeReady {
			return c.Status == corev1.ConditionTrue, nil
		}
	}
	return false, nil
}

// kubernetesVersion is that of the programs that this one is made with.
func kubernetesVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			if m.Path == "k8s.io/kubernetes" {
				return m.Version
			}
		}
	}
	return "v0.0.0"
}

package runner

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"ordeal/chaos"
	"ordeal/targets/kubernetes"
)

// podFaults is a cluster as faults see it: by target.
type podFaults struct {
	cluster *kubernetes.Cluster
	service func(target string) string // the Service that is the target; "" where it is none
}

func (f podFaults) Pods(_ context.Context, target string) ([]chaos.Pod, error) {
	pods, err := f.podsOf(target)
	if err != nil {
		return nil, err
	}
	var out []chaos.Pod
	for _, p := range pods {
		if p.Status.Phase == core.PodSucceeded || p.Status.Phase == core.PodFailed {
			continue
		}
		out = append(out, asFaultsSee(p))
	}
	return out, nil
}

func (f podFaults) podsOf(target string) ([]*core.Pod, error) {
	if target == "" {
		return f.cluster.AllPods()
	}
	service, err := f.serviceOf(target)
	if err != nil {
		return nil, err
	}
	return f.cluster.Pods(service)
}

func (f podFaults) serviceOf(target string) (string, error) {
	service := f.service(target)
	if service == "" {
		return "", fmt.Errorf("target %s is no Service of the cluster", target)
	}
	return service, nil
}

func asFaultsSee(p *core.Pod) chaos.Pod {
	seen := chaos.Pod{
		Name: p.Name, UID: string(p.UID), Node: p.Spec.NodeName,
		Ready: kubernetes.Ready(p), Ending: p.DeletionTimestamp != nil, Pinned: pinned(p),
	}
	for _, gate := range p.Spec.ReadinessGates {
		seen.Gates = append(seen.Gates, string(gate.ConditionType))
	}
	for _, c := range p.Status.ContainerStatuses {
		seen.Failing = seen.Failing || failing(c)
	}
	return seen
}

// failing reports whether a container does not start, or ended and waits to be
// started again.
func failing(c core.ContainerStatus) bool {
	if w := c.State.Waiting; w != nil {
		return w.Reason != "ContainerCreating" && w.Reason != "PodInitializing"
	}
	return c.State.Terminated != nil
}

// mirrorOf is the annotation of a Pod that stands for one that its node runs by
// itself.
const mirrorOf = "kubernetes.io/config.mirror"

// pinned reports whether a Pod belongs to its node.
func pinned(p *core.Pod) bool {
	_, mirror := p.Annotations[mirrorOf]
	for _, owner := range p.OwnerReferences {
		if owner.Kind == "DaemonSet" || owner.Kind == "Node" {
			return true
		}
	}
	return mirror
}

func (f podFaults) DeletePod(ctx context.Context, p chaos.Pod, grace time.Duration) error {
	seconds := int64(grace / time.Second)
	return unlessGone(f.cluster.DeletePod(ctx, p.Name, &seconds))
}

func (f podFaults) EvictPod(ctx context.Context, p chaos.Pod) error {
	err := f.cluster.EvictPod(ctx, p.Name)
	if apierrors.IsTooManyRequests(err) {
		return errors.Join(chaos.ErrBudget, err)
	}
	return unlessGone(err)
}

func (f podFaults) SetPodCondition(ctx context.Context, p chaos.Pod, condition string, ok bool) error {
	status, reason := core.ConditionFalse, "TakenOut"
	if ok {
		status, reason = core.ConditionTrue, "PutBack"
	}
	return unlessGone(f.cluster.SetCondition(ctx, p.Name, core.PodConditionType(condition), status, reason))
}

// unlessGone drops the error that there is no such object any more.
func unlessGone(err error) error {
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

func (f podFaults) PausePod(_ context.Context, p chaos.Pod) (resume func() error, err error) {
	all, err := f.cluster.AllPods()
	if err != nil {
		return nil, err
	}
	for _, pod := range all {
		if string(pod.UID) == p.UID {
			return f.cluster.PausePod(pod)
		}
	}
	return nil, fmt.Errorf("there is no Pod %s any more", p.Name)
}

func (f podFaults) Cordon(ctx context.Context, node string, on bool) error {
	return f.cluster.SetCordoned(ctx, node, on)
}

func (f podFaults) Cordoned(ctx context.Context, node string) (bool, error) {
	on, err := f.cluster.Cordoned(ctx, node)
	if apierrors.IsNotFound(err) {
		known, _ := f.cluster.Nodes(ctx) // to help with the name
		return false, fmt.Errorf("there is no node %s, only %s", node, strings.Join(known, ", "))
	}
	return on, err
}

func (f podFaults) Deployment(ctx context.Context, target string) (chaos.Deployment, error) {
	service, err := f.serviceOf(target)
	if err != nil {
		return chaos.Deployment{}, err
	}
	d, err := f.cluster.DeploymentOf(ctx, service)
	if errors.Is(err, kubernetes.ErrNoDeployment) {
		err = errors.Join(chaos.ErrNoDeployment, err)
	}
	if err != nil {
		return chaos.Deployment{}, err
	}
	replicas := 1
	if d.Spec.Replicas != nil {
		replicas = int(*d.Spec.Replicas)
	}
	return chaos.Deployment{Name: d.Name, Replicas: replicas, Settled: kubernetes.RolledOut(d)}, nil
}

func (f podFaults) BreakTemplate(ctx context.Context, deployment string) (func(context.Context) error, error) {
	return f.cluster.BreakTemplate(ctx, deployment)
}

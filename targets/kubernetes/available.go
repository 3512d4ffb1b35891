package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
)

// errNotAvailable is why Deployments are no longer waited for.
var errNotAvailable = errors.New("they are not available in time")

// awaitAvailable waits until the Deployments named have the Pods that they want.
// The error says what is wrong with the Pods that are missing.
func (c *Cluster) awaitAvailable(ctx context.Context, within time.Duration, names []string) error {
	waiting, cancel := context.WithTimeoutCause(ctx, within, errNotAvailable)
	defer cancel()
	missing := slices.Clone(names)
	err := c.Await(waiting, "the Deployments are available", func() (bool, error) {
		missing = slices.DeleteFunc(missing, func(name string) bool {
			d, err := c.informers.Apps().V1().Deployments().Lister().Deployments(c.namespace).Get(name)
			return err == nil && RolledOut(d)
		})
		return len(missing) == 0, nil
	})
	if !errors.Is(err, errNotAvailable) {
		return err
	}
	var why []string
	for _, name := range missing {
		why = append(why, c.explain(ctx, name)...)
	}
	return fmt.Errorf("not available within %v: Deployments %s%s", within, strings.Join(missing, ", "), indented(why))
}

func indented(lines []string) string {
	var b strings.Builder
	for _, line := range lines {
		b.WriteString("\n  " + line)
	}
	return b.String()
}

// Bounds on an explanation: the Pods whose state is told, and the time for it.
const (
	mostExplained = 3
	explainWithin = 5 * time.Second
)

// explain says line by line why a Deployment does not have the Pods that it wants.
func (c *Cluster) explain(ctx context.Context, name string) []string {
	ctx, cancel := context.WithTimeout(ctx, explainWithin)
	defer cancel()
	d, err := c.deployment(ctx, name)
	if err != nil {
		return []string{err.Error()}
	}
	lines := []string{fmt.Sprintf("Deployment %s: %d of %d Pods are available", name, d.Status.AvailableReplicas, wanted(d))}
	for _, condition := range d.Status.Conditions {
		if condition.Status == core.ConditionFalse || condition.Type == apps.DeploymentReplicaFailure {
			lines = append(lines, fmt.Sprintf("  %s: %s", condition.Reason, condition.Message))
		}
	}
	selector, err := meta.LabelSelectorAsSelector(d.Spec.Selector)
	if err != nil {
		return append(lines, err.Error())
	}
	pods, err := c.podsBy(selector)
	if err != nil {
		return append(lines, err.Error())
	}
	told := 0
	for _, pod := range pods {
		if !Ready(pod) && told < mostExplained {
			told++
			lines = append(lines, c.explainPod(ctx, pod)...)
		}
	}
	return lines
}

func wanted(d *apps.Deployment) int32 {
	if d.Spec.Replicas == nil {
		return 1
	}
	return *d.Spec.Replicas
}

// explainPod says why a Pod is not ready: its state, its last event, and the last
// line of what it has written.
func (c *Cluster) explainPod(ctx context.Context, pod *core.Pod) []string {
	lines := []string{fmt.Sprintf("  Pod %s: %s", pod.Name, pod.Status.Phase)}
	for _, s := range pod.Status.ContainerStatuses {
		if text := stateOf(s); text != "" {
			lines = append(lines, fmt.Sprintf("    container %s %s", s.Name, text))
		}
	}
	for _, condition := range pod.Status.Conditions {
		if condition.Type == core.PodScheduled && condition.Status == core.ConditionFalse {
			lines = append(lines, "    it is not scheduled: "+condition.Message)
		}
	}
	if text := c.lastEvent(ctx, pod); text != "" {
		lines = append(lines, "    last event: "+text)
	}
	if text := c.lastLine(ctx, pod); text != "" {
		lines = append(lines, "    last line of its log: "+text)
	}
	return lines
}

// stateOf says what is the matter with a container; "" where it runs and is ready.
func stateOf(s core.ContainerStatus) string {
	switch {
	case s.State.Waiting != nil:
		return fmt.Sprintf("waits: %s %s", s.State.Waiting.Reason, s.State.Waiting.Message)
	case s.State.Terminated != nil:
		return fmt.Sprintf("has ended: %s, exit code %d %s", s.State.Terminated.Reason, s.State.Terminated.ExitCode, s.State.Terminated.Message)
	case !s.Ready && s.RestartCount > 0:
		return fmt.Sprintf("runs and is not ready, after %d restarts", s.RestartCount)
	case !s.Ready:
		return "runs and is not ready"
	}
	return ""
}

func (c *Cluster) lastEvent(ctx context.Context, pod *core.Pod) string {
	list, err := c.client.CoreV1().Events(c.namespace).List(ctx, meta.ListOptions{
		FieldSelector: fields.OneTermEqualSelector("involvedObject.name", pod.Name).String(),
	})
	if err != nil || len(list.Items) == 0 {
		return ""
	}
	last := slices.MaxFunc(list.Items, func(a, b core.Event) int { return eventTime(&a).Compare(eventTime(&b)) })
	return last.Reason + ": " + last.Message
}

// eventTime is when an event was last seen.
func eventTime(e *core.Event) time.Time {
	switch {
	case e.Series != nil:
		return e.Series.LastObservedTime.Time
	case !e.LastTimestamp.IsZero():
		return e.LastTimestamp.Time
	case !e.EventTime.IsZero():
		return e.EventTime.Time
	}
	return e.CreationTimestamp.Time
}

func (c *Cluster) lastLine(ctx context.Context, pod *core.Pod) string {
	one := int64(1)
	text, err := c.client.CoreV1().Pods(c.namespace).GetLogs(pod.Name, &core.PodLogOptions{
		Container: pod.Spec.Containers[0].Name, TailLines: &one,
	}).DoRaw(ctx)
	if err != nil {
		return "" // it may not have started, or the cluster keeps no logs
	}
	return strings.TrimSpace(string(text))
}

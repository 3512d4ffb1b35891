package node

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// phase is the phase of the Pod. The caller holds mu.
func (p *pod) phase() corev1.PodPhase {
	policy := p.obj.Spec.RestartPolicy
	switch {
	case p.initFailed:
		return corev1.PodFailed
	case !p.initDone && !p.over:
		return corev1.PodPending
	}
	ran, running, failed := 0, 0, 0
	for _, c := range p.regular {
		ended := c.state.Terminated
		if ended == nil {
			ended = c.last.Terminated
		}
		switch {
		case c.state.Running != nil:
			running++
		case ended != nil:
			ran++
			if ended.ExitCode != 0 {
				failed++
			}
		}
	}
	switch {
	case p.over && failed > 0:
		return corev1.PodFailed
	case p.over && ran == len(p.regular):
		return corev1.PodSucceeded
	case p.over:
		return corev1.PodFailed // it never ran as a whole
	case ran+running < len(p.regular):
		return corev1.PodPending
	case running > 0 || policy == corev1.RestartPolicyAlways || failed > 0:
		return corev1.PodRunning
	default:
		return corev1.PodSucceeded
	}
}

// judge gives the conditions of the Pod, with the times at which they became what they are. The caller holds mu.
func (p *pod) judge(phase corev1.PodPhase) []corev1.PodCondition {
	ended := phase == corev1.PodSucceeded || phase == corev1.PodFailed
	var waiting, uninitialized []string
	for _, c := range p.initial {
		if !c.initialized() {
			uninitialized = append(uninitialized, c.name)
		}
		if c.sidecar && !c.isReady() {
			waiting = append(waiting, c.name)
		}
	}
	for _, c := range p.regular {
		if !c.isReady() {
			waiting = append(waiting, c.name)
		}
	}
	initialized := corev1.PodCondition{Type: corev1.PodInitialized, Status: corev1.ConditionTrue}
	if len(uninitialized) > 0 && !p.initDone {
		initialized = not(corev1.PodInitialized, "ContainersNotInitialized", "containers with incomplete status: ["+strings.Join(uninitialized, " ")+"]")
	}
	containers := corev1.PodCondition{Type: corev1.ContainersReady, Status: corev1.ConditionTrue}
	ready := corev1.PodCondition{Type: corev1.PodReady, Status: corev1.ConditionTrue}
	switch {
	case phase == corev1.PodSucceeded:
		containers, ready = not(corev1.ContainersReady, "PodCompleted", ""), not(corev1.PodReady, "PodCompleted", "")
	case ended:
		containers, ready = not(corev1.ContainersReady, "PodFailed", ""), not(corev1.PodReady, "PodFailed", "")
	case len(waiting) > 0:
		text := "containers with unready status: [" + strings.Join(waiting, " ") + "]"
		containers, ready = not(corev1.ContainersReady, "ContainersNotReady", text), not(corev1.PodReady, "ContainersNotReady", text)
	}
	if gate := p.closedGate(); ready.Status == corev1.ConditionTrue && gate != "" {
		ready = not(corev1.PodReady, "ReadinessGatesNotReady", fmt.Sprintf("the status of pod readiness gate %q is not \"True\"", gate))
	}
	if p.deleting && ready.Status == corev1.ConditionTrue {
		ready = not(corev1.PodReady, "Terminating", "the Pod is being deleted")
	}
	start := corev1.PodCondition{Type: corev1.PodReadyToStartContainers, Status: corev1.ConditionTrue}
	if !p.addr.IsValid() {
		start = not(start.Type, "", "")
	}
	all := []corev1.PodCondition{start, initialized, containers, ready}
	for i, c := range all {
		if had, ok := p.conditions[c.Type]; ok && had.Status == c.Status {
			all[i].LastTransitionTime = had.LastTransitionTime
		} else {
			all[i].LastTransitionTime = metav1.Now()
		}
		p.conditions[c.Type] = all[i]
	}
	return all
}

func not(kind corev1.PodConditionType, reason, message string) corev1.PodCondition {
	return corev1.PodCondition{Type: kind, Status: corev1.ConditionFalse, Reason: reason, Message: message}
}

// closedGate is the first readiness gate that is not true, which others decide. The caller holds mu.
func (p *pod) closedGate() string {
	for _, g := range p.obj.Spec.ReadinessGates {
		open := false
		for _, c := range p.obj.Status.Conditions {
			open = open || c.Type == g.ConditionType && c.Status == corev1.ConditionTrue
		}
		if !open {
			return string(g.ConditionType)
		}
	}
	return ""
}

// status is that of one container. The caller holds the Pod's mu.
func (c *container) status() corev1.ContainerStatus {
	s := corev1.ContainerStatus{Name: c.name, Image: c.image, ImageID: c.image, ContainerID: c.id, RestartCount: c.restarts,
		State: *c.state.DeepCopy(), LastTerminationState: *c.last.DeepCopy()}
	if c.pod.refused != "" {
		s.State = waiting("CreateContainerConfigError", c.pod.refused)
	}
	started := c.started && c.state.Running != nil
	s.Started, s.Ready = &started, c.isReady()
	if c.initial && !c.sidecar {
		s.Ready = c.initialized()
	}
	return s
}

// isReady reports whether the container takes traffic. The caller holds the Pod's mu.
func (c *container) isReady() bool { return c.state.Running != nil && c.started && c.ready }

// initialized reports whether the containers after this one may start. The caller holds the Pod's mu.
func (c *container) initialized() bool {
	if c.sidecar {
		return c.started && c.state.Running != nil
	}
	return c.state.Terminated != nil && c.state.Terminated.ExitCode == 0
}

func waiting(reason, message string) corev1.ContainerState {
	return corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}
}

package node

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// report tells the API server of every change of the status, the newest at once, until nothing is to be told any more.
func (p *pod) report() {
	ctx, cancel := context.WithCancel(p.agent.ctx)
	defer cancel()
	go func() {
		select {
		case <-p.news.over:
			cancel()
		case <-ctx.Done():
		}
	}()
	var last []byte
	wait := retryFirst
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.news.wake:
		}
		version := p.news.version()
		patch, err := p.patch()
		if err == nil && (p.takeContradicted() || !bytes.Equal(patch, last)) {
			err = p.write(ctx, patch)
		}
		switch {
		case err == nil:
			last, wait = patch, retryFirst
			p.news.done(version)
		case apierrors.IsNotFound(err) || apierrors.IsConflict(err): // it is gone, or another one has its name
			p.news.done(version)
			return
		case ctx.Err() == nil:
			p.log.Warn("write the status", "err", err)
			sleep(ctx, wait)
			wait = min(2*wait, retryMost)
			p.news.again()
		}
	}
}

// takeContradicted reports whether what was told must be told again, once.
func (p *pod) takeContradicted() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	was := p.contradicted
	p.contradicted = false
	return was
}

func (p *pod) write(ctx context.Context, patch []byte) error {
	ctx, cancel := context.WithTimeout(ctx, callWithin)
	defer cancel()
	obj := p.latest()
	_, err := p.agent.client.CoreV1().Pods(obj.Namespace).Patch(ctx, obj.Name, types.StrategicMergePatchType, patch,
		metav1.PatchOptions{}, "status")
	return err
}

// statusPatch is what the agent says of a Pod. What others say in the status is left alone.
type statusPatch struct {
	Metadata struct {
		UID types.UID `json:"uid"` // another Pod of the name is not meant
	} `json:"metadata"`
	Status struct {
		ObservedGeneration    int64                    `json:"observedGeneration,omitempty"`
		Phase                 corev1.PodPhase          `json:"phase"`
		Conditions            []conditionPatch         `json:"conditions"`
		HostIP                string                   `json:"hostIP"`
		HostIPs               []corev1.HostIP          `json:"hostIPs"`
		PodIP                 string                   `json:"podIP,omitempty"`
		PodIPs                []corev1.PodIP           `json:"podIPs,omitempty"`
		StartTime             metav1.Time              `json:"startTime"`
		InitContainerStatuses []corev1.ContainerStatus `json:"initContainerStatuses,omitempty"`
		ContainerStatuses     []corev1.ContainerStatus `json:"containerStatuses"`
	} `json:"status"`
}

// conditionPatch is a condition whose reason and message go away with it: null deletes.
type conditionPatch struct {
	Type               corev1.PodConditionType `json:"type"`
	Status             corev1.ConditionStatus  `json:"status"`
	ObservedGeneration int64                   `json:"observedGeneration,omitempty"`
	LastTransitionTime metav1.Time             `json:"lastTransitionTime"`
	Reason             *string                 `json:"reason"`
	Message            *string                 `json:"message"`
}

// patch is the status as it is now.
func (p *pod) patch() ([]byte, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var s statusPatch
	s.Metadata.UID = p.obj.UID
	s.Status.ObservedGeneration = p.obj.Generation
	s.Status.Phase = p.phase()
	s.Status.HostIP, s.Status.HostIPs = p.host.String(), []corev1.HostIP{{IP: p.host.String()}}
	if p.addr.IsValid() {
		s.Status.PodIP, s.Status.PodIPs = p.addr.String(), []corev1.PodIP{{IP: p.addr.String()}}
	}
	s.Status.StartTime = p.started
	for _, c := range p.initial {
		s.Status.InitContainerStatuses = append(s.Status.InitContainerStatuses, c.status())
	}
	for _, c := range p.regular {
		s.Status.ContainerStatuses = append(s.Status.ContainerStatuses, c.status())
	}
	for _, c := range p.judge(s.Status.Phase) {
		patch := conditionPatch{Type: c.Type, Status: c.Status, ObservedGeneration: p.obj.Generation, LastTransitionTime: c.LastTransitionTime}
		if c.Reason != "" {
			patch.Reason, patch.Message = &c.Reason, &c.Message
		}
		s.Status.Conditions = append(s.Status.Conditions, patch)
	}
	text, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("encode the status: %w", err)
	}
	return text, nil
}

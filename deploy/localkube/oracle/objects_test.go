package oracle

import (
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"ordeal/runner/verdict/autoscaler"
)

const (
	namespace = "ordeal"
	name      = "gateway"
)

var labels = map[string]string{"app": name}

// hpa is the spec as the API server would give it.
func hpa(s autoscaler.Spec) *autoscalingv2.HorizontalPodAutoscaler {
	h := &autoscalingv2.HorizontalPodAutoscaler{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace},
		Spec: autoscalingv2.HorizontalPodAutoscalerSpec{
			ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: name},
			MinReplicas:    &s.Min, MaxReplicas: s.Max,
		},
	}
	for _, m := range s.Metrics {
		h.Spec.Metrics = append(h.Spec.Metrics, metricSpec(m))
	}
	if b := s.Behavior; b != nil {
		h.Spec.Behavior = &autoscalingv2.HorizontalPodAutoscalerBehavior{ScaleUp: rules(b.Up), ScaleDown: rules(b.Down)}
	}
	return h
}

func metricSpec(m autoscaler.Metric) autoscalingv2.MetricSpec {
	id := autoscalingv2.MetricIdentifier{Name: m.Name}
	var target autoscalingv2.MetricTarget
	switch {
	case m.Utilization != 0:
		target = autoscalingv2.MetricTarget{Type: autoscalingv2.UtilizationMetricType, AverageUtilization: &m.Utilization}
	case m.Average != 0:
		target = autoscalingv2.MetricTarget{Type: autoscalingv2.AverageValueMetricType, AverageValue: resource.NewMilliQuantity(m.Average, resource.DecimalSI)}
	default:
		target = autoscalingv2.MetricTarget{Type: autoscalingv2.ValueMetricType, Value: resource.NewMilliQuantity(m.Value, resource.DecimalSI)}
	}
	s := autoscalingv2.MetricSpec{Type: autoscalingv2.MetricSourceType(m.Source)}
	switch m.Source {
	case autoscaler.Resource:
		s.Resource = &autoscalingv2.ResourceMetricSource{Name: v1.ResourceName(m.Name), Target: target}
	case autoscaler.ContainerResource:
		s.ContainerResource = &autoscalingv2.ContainerResourceMetricSource{Name: v1.ResourceName(m.Name), Container: m.Container, Target: target}
	case autoscaler.Pods:
		s.Pods = &autoscalingv2.PodsMetricSource{Metric: id, Target: target}
	case autoscaler.Object:
		s.Object = &autoscalingv2.ObjectMetricSource{Metric: id, Target: target, DescribedObject: autoscalingv2.CrossVersionObjectReference{Kind: "Service", Name: name}}
	case autoscaler.External:
		s.External = &autoscalingv2.ExternalMetricSource{Metric: id, Target: target}
	}
	return s
}

func rules(r autoscaler.Rules) *autoscalingv2.HPAScalingRules {
	choice := autoscalingv2.ScalingPolicySelect(r.Select)
	out := &autoscalingv2.HPAScalingRules{SelectPolicy: &choice}
	if r.Window != nil {
		seconds := int32(r.Window.Seconds())
		out.StabilizationWindowSeconds = &seconds
	}
	if r.Tolerance != nil {
		out.Tolerance = resource.NewMilliQuantity(int64(*r.Tolerance*1000+0.5), resource.DecimalSI)
	}
	for _, p := range r.Policies {
		kind := autoscalingv2.PodsScalingPolicy
		if p.Percent {
			kind = autoscalingv2.PercentScalingPolicy
		}
		out.Policies = append(out.Policies, autoscalingv2.HPAScalingPolicy{Type: kind, Value: p.Value, PeriodSeconds: int32(p.Period.Seconds())})
	}
	return out
}

func pod(p autoscaler.Pod, now time.Time) *v1.Pod {
	out := &v1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: p.Name, Namespace: namespace, Labels: labels},
		Status:     v1.PodStatus{Phase: v1.PodPhase(p.Phase)},
	}
	if p.Deleting {
		out.DeletionTimestamp = &metav1.Time{Time: now}
	}
	if !p.Started.IsZero() {
		out.Status.StartTime = &metav1.Time{Time: p.Started}
	}
	if p.Ready != "" {
		out.Status.Conditions = []v1.PodCondition{{Type: v1.PodReady, Status: v1.ConditionStatus(p.Ready), LastTransitionTime: metav1.Time{Time: p.ReadyChanged}}}
	}
	for _, c := range p.Containers {
		out.Spec.Containers = append(out.Spec.Containers, v1.Container{Name: c.Name, Resources: v1.ResourceRequirements{Requests: quantities(c.Requests)}})
	}
	if p.Requests != nil {
		out.Spec.Resources = &v1.ResourceRequirements{Requests: quantities(p.Requests)}
	}
	return out
}

func quantities(milli map[string]int64) v1.ResourceList {
	l := v1.ResourceList{}
	for name, v := range milli {
		l[v1.ResourceName(name)] = *resource.NewMilliQuantity(v, resource.DecimalSI)
	}
	return l
}

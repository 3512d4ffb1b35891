package services

import (
	"net/netip"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

func TestOnlyReadyPodsThatStayAreBehindAService(t *testing.T) {
	pod := func(ip string, ready corev1.ConditionStatus, change func(*corev1.Pod)) *corev1.Pod {
		p := &corev1.Pod{Spec: corev1.PodSpec{Containers: []corev1.Container{{Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: 8080}}}}},
			Status: corev1.PodStatus{PodIP: ip, Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: ready}}}}
		if change != nil {
			change(p)
		}
		return p
	}
	pods := []*corev1.Pod{
		pod("127.9.0.3", corev1.ConditionTrue, nil),
		pod("127.9.0.2", corev1.ConditionTrue, func(p *corev1.Pod) { p.Spec.Containers[0].Ports[0].ContainerPort = 9090 }),
		pod("127.9.0.4", corev1.ConditionFalse, nil),
		pod("127.9.0.5", corev1.ConditionTrue, func(p *corev1.Pod) { now := metav1.Now(); p.DeletionTimestamp = &now }),
		pod("127.9.0.6", corev1.ConditionTrue, func(p *corev1.Pod) { p.Spec.Containers[0].Ports = nil }),
		pod("", corev1.ConditionTrue, nil),
	}
	port := &corev1.ServicePort{Port: 80, TargetPort: intstr.FromString("http")}
	s := &corev1.Service{}
	got := backends(s, port, pods)
	want := []netip.AddrPort{netip.MustParseAddrPort("127.9.0.2:9090"), netip.MustParseAddrPort("127.9.0.3:8080")}
	if !slices.Equal(got, want) {
		t.Errorf("behind it are %v, want %v", got, want)
	}
	s.Spec.PublishNotReadyAddresses = true
	if got := backends(s, port, pods); len(got) != 4 {
		t.Errorf("with those not ready: %v, want 4", got)
	}
}

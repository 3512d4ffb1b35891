package services

import (
	"cmp"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// backends are the addresses behind a port of a Service, in an order that stays.
func backends(s *corev1.Service, port *corev1.ServicePort, pods []*corev1.Pod) []netip.AddrPort {
	var all []netip.AddrPort
	for _, pod := range pods {
		ip, err := netip.ParseAddr(pod.Status.PodIP)
		if err != nil || !s.Spec.PublishNotReadyAddresses && !serves(pod) {
			continue
		}
		if n := targetPort(port, pod); n != 0 {
			all = append(all, netip.AddrPortFrom(ip, n))
		}
	}
	slices.SortFunc(all, func(a, b netip.AddrPort) int {
		return cmp.Or(a.Addr().Compare(b.Addr()), cmp.Compare(a.Port(), b.Port()))
	})
	return all
}

// serves reports whether a Pod gets connections: it is ready and stays.
func serves(pod *corev1.Pod) bool {
	if pod.DeletionTimestamp != nil {
		return false
	}
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

// targetPort is the port of the Pod that a port of a Service leads to; 0 if it has none of that name.
func targetPort(port *corev1.ServicePort, pod *corev1.Pod) uint16 {
	if port.TargetPort.Type == intstr.Int {
		return uint16(cmp.Or(port.TargetPort.IntVal, port.Port))
	}
	for _, c := range slices.Concat(pod.Spec.Containers, pod.Spec.InitContainers) {
		for _, p := range c.Ports {
			if p.Name == port.TargetPort.StrVal {
				return uint16(p.ContainerPort)
			}
		}
	}
	return 0
}

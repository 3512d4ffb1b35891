package podmetrics

import (
	"fmt"
	"math"
	"net/http"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	metricsv1beta1 "k8s.io/metrics/pkg/apis/metrics/v1beta1"
)

func (a *api) listPods(w http.ResponseWriter, r *http.Request) {
	s, ok := selected(w, r)
	if !ok {
		return
	}
	list := &metricsv1beta1.PodMetricsList{TypeMeta: metav1.TypeMeta{Kind: "PodMetricsList", APIVersion: resourceGroup + "/" + resourceVersion},
		Items: []metricsv1beta1.PodMetrics{}}
	for _, p := range a.store.podsIn(r.PathValue("namespace")) {
		if m, ok := a.store.podMetrics(p); ok && s.matches(p.ObjectMeta) {
			list.Items = append(list.Items, m)
		}
	}
	write(w, list)
}

func (a *api) getPod(w http.ResponseWriter, r *http.Request) {
	namespace, name := r.PathValue("namespace"), r.PathValue("name")
	p, err := a.store.pods.Pods(namespace).Get(name)
	if err == nil {
		if m, ok := a.store.podMetrics(p); ok {
			write(w, &m)
			return
		}
	}
	fail(w, http.StatusNotFound, fmt.Sprintf("there are no metrics of pod %s/%s", namespace, name))
}

func (a *api) listNodes(w http.ResponseWriter, r *http.Request) {
	s, ok := selected(w, r)
	if !ok {
		return
	}
	list := &metricsv1beta1.NodeMetricsList{TypeMeta: metav1.TypeMeta{Kind: "NodeMetricsList", APIVersion: resourceGroup + "/" + resourceVersion},
		Items: []metricsv1beta1.NodeMetrics{}}
	nodes, _ := a.store.nodes.List(labels.Everything()) // of memory: no error
	for _, n := range nodes {
		if m, ok := a.store.nodeMetrics(n); ok && s.matches(n.ObjectMeta) {
			list.Items = append(list.Items, m)
		}
	}
	write(w, list)
}

func (a *api) getNode(w http.ResponseWriter, r *http.Request) {
	n, err := a.store.nodes.Get(r.PathValue("name"))
	if err == nil {
		if m, ok := a.store.nodeMetrics(n); ok {
			write(w, &m)
			return
		}
	}
	fail(w, http.StatusNotFound, fmt.Sprintf("there are no metrics of node %s", r.PathValue("name")))
}

// podsIn are the Pods of a namespace; empty stands for all.
func (s *store) podsIn(namespace string) []*corev1.Pod {
	pods, _ := s.pods.Pods(namespace).List(labels.Everything()) // of memory: no error
	return pods
}

// podMetrics are those of a Pod, if all its containers that run were read twice.
func (s *store) podMetrics(p *corev1.Pod) (metricsv1beta1.PodMetrics, bool) {
	m := metricsv1beta1.PodMetrics{TypeMeta: metav1.TypeMeta{Kind: "PodMetrics", APIVersion: resourceGroup + "/" + resourceVersion},
		ObjectMeta: metav1.ObjectMeta{Name: p.Name, Namespace: p.Namespace, Labels: p.Labels, CreationTimestamp: metav1.Now()}}
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.readings[p.UID]
	if r == nil || len(r.containers) == 0 {
		return m, false
	}
	for name := range processGroups(p) {
		if r.containers[name] == nil {
			return m, false
		}
	}
	for _, list := range [][]corev1.Container{p.Spec.Containers, p.Spec.InitContainers} {
		for _, spec := range list {
			c := r.containers[spec.Name]
			switch {
			case c == nil:
				continue
			case c.before.IsZero() || s.old(c.at):
				return m, false
			}
			m.Timestamp, m.Window = metav1.NewTime(c.at), metav1.Duration{Duration: c.at.Sub(c.before)}
			m.Containers = append(m.Containers, metricsv1beta1.ContainerMetrics{Name: spec.Name, Usage: quantities(c.cpu, c.memory)})
		}
	}
	return m, true
}

// old reports whether a reading of that time counts no more.
func (s *store) old(at time.Time) bool {
	return time.Since(at) > max(keptFor*s.resolution, 3*time.Second)
}

// nodeMetrics are those of a Node: of all its Pods together.
func (s *store) nodeMetrics(n *corev1.Node) (metricsv1beta1.NodeMetrics, bool) {
	m := metricsv1beta1.NodeMetrics{TypeMeta: metav1.TypeMeta{Kind: "NodeMetrics", APIVersion: resourceGroup + "/" + resourceVersion},
		ObjectMeta: metav1.ObjectMeta{Name: n.Name, Labels: n.Labels, CreationTimestamp: metav1.Now()}}
	cpu, memory := 0.0, int64(0)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.began.IsZero() || s.old(s.read) {
		return m, false
	}
	for _, p := range s.podsIn("") {
		if r := s.readings[p.UID]; r != nil && p.Spec.NodeName == n.Name {
			for _, c := range r.containers {
				cpu, memory = cpu+c.cpu, memory+c.memory
			}
		}
	}
	m.Timestamp, m.Window, m.Usage = metav1.NewTime(s.read), metav1.Duration{Duration: s.read.Sub(s.began)}, quantities(cpu, memory)
	return m, true
}

func quantities(cores float64, bytes int64) corev1.ResourceList {
	return corev1.ResourceList{
		corev1.ResourceCPU:    *resource.NewScaledQuantity(int64(math.Round(cores*1e9)), resource.Nano),
		corev1.ResourceMemory: *resource.NewQuantity(bytes, resource.BinarySI),
	}
}

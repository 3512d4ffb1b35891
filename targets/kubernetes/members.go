package kubernetes

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"sync"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/tools/cache"
)

// Member is one Pod that takes the calls of a Service.
type Member struct {
	Pod  string // its name
	Addr string // host:port
}

// Members are the Pods that take the calls of a Service, while they come and go:
// those that its selector matches as it is now, that are ready and not about to
// end.
type Members struct {
	cluster *Cluster
	service string
	port    string

	mu        sync.Mutex
	now       []Member
	followers map[*func([]Member)]struct{}
}

// Members follows the Pods of a Service until the cluster is closed. port is the
// name or the number of one of its ports, "" for the first.
func (c *Cluster) Members(service, port string) (*Members, error) {
	svc, err := c.informers.Core().V1().Services().Lister().Services(c.namespace).Get(service)
	if err != nil {
		return nil, fmt.Errorf("find Service %s in namespace %s: %w", service, c.namespace, err)
	}
	if portOf(svc, port) == nil {
		return nil, fmt.Errorf("Service %s has no port %s", service, port) //nolint:staticcheck // a kind has its capital
	}
	m := &Members{cluster: c, service: service, port: port, followers: map[*func([]Member)]struct{}{}}
	look := cache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { m.look() },
		UpdateFunc: func(any, any) { m.look() },
		DeleteFunc: func(any) { m.look() },
	}
	for _, informer := range []cache.SharedIndexInformer{c.informers.Core().V1().Pods().Informer(), c.informers.Core().V1().Services().Informer()} {
		if _, err := informer.AddEventHandler(look); err != nil {
			return nil, fmt.Errorf("follow the Pods of Service %s: %w", service, err)
		}
	}
	m.look()
	return m, nil
}

// Now gives the members, by the names of their Pods. Nobody may change the list.
func (m *Members) Now() []Member {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now
}

// Follow calls changed with the members before it returns, and then whenever
// they change, until stop is called: one call at a time, and none after stop has
// returned.
func (m *Members) Follow(changed func([]Member)) (stop func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := &changed
	m.followers[key] = struct{}{}
	changed(m.now)
	return func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		delete(m.followers, key)
	}
}

// look sees who is there now, and tells those who follow.
func (m *Members) look() {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.find()
	if slices.Equal(now, m.now) {
		return
	}
	m.now = now
	for changed := range m.followers {
		(*changed)(now)
	}
}

// find gives the members as the watches have them. A Service that is gone, or
// that has lost its selector or its port, has none.
func (m *Members) find() []Member {
	svc, err := m.cluster.informers.Core().V1().Services().Lister().Services(m.cluster.namespace).Get(m.service)
	if err != nil || len(svc.Spec.Selector) == 0 {
		return nil
	}
	port := portOf(svc, m.port)
	pods, err := m.cluster.podsBy(labels.SelectorFromSet(svc.Spec.Selector))
	if port == nil || err != nil {
		return nil
	}
	var found []Member
	for _, pod := range pods {
		if n := targetPort(pod, port); Ready(pod) && pod.Status.PodIP != "" && n > 0 {
			found = append(found, Member{Pod: pod.Name, Addr: net.JoinHostPort(pod.Status.PodIP, strconv.Itoa(n))})
		}
	}
	return found
}

// portOf gives the port of a Service with a name or a number, the first for "";
// nil where there is none.
func portOf(svc *core.Service, port string) *core.ServicePort {
	for i, p := range svc.Spec.Ports {
		if port == "" || p.Name == port || strconv.Itoa(int(p.Port)) == port {
			return &svc.Spec.Ports[i]
		}
	}
	return nil
}

// targetPort is the port of a Pod behind a port of its Service; 0 where the Pod
// has none.
func targetPort(pod *core.Pod, port *core.ServicePort) int {
	switch {
	case port.TargetPort.Type == intstr.String:
		for _, c := range pod.Spec.Containers {
			for _, p := range c.Ports {
				if p.Name == port.TargetPort.StrVal {
					return int(p.ContainerPort)
				}
			}
		}
		return 0
	case port.TargetPort.IntVal > 0:
		return int(port.TargetPort.IntVal)
	}
	return int(port.Port)
}

package kubernetes

import (
	"fmt"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/cache"
)

// What has become of an object that is seen.
const (
	Found   = "found" // it was there when the watch began
	Added   = "added"
	Changed = "changed"
	Deleted = "deleted" // its last state is told
)

// Object is an object of the API, as it is watched.
type Object interface {
	runtime.Object
	meta.Object
}

// Seen is an object at a moment. Nobody may change it.
type Seen struct {
	Action string // one of the above
	Kind   string
	Object Object
}

// watched are the kinds that a run is judged by.
var watched = []struct {
	kind     string
	resource schema.GroupVersionResource
}{
	{"Node", schema.GroupVersionResource{Version: "v1", Resource: "nodes"}},
	{"Service", schema.GroupVersionResource{Version: "v1", Resource: "services"}},
	{"HorizontalPodAutoscaler", schema.GroupVersionResource{Group: "autoscaling", Version: "v2", Resource: "horizontalpodautoscalers"}},
	{"Deployment", schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}},
	{"ReplicaSet", schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "replicasets"}},
	{"Pod", schema.GroupVersionResource{Version: "v1", Resource: "pods"}},
	{"Event", schema.GroupVersionResource{Version: "v1", Resource: "events"}},
}

// Watch tells seen of the autoscalers, Deployments, ReplicaSets, Pods, Services
// and events of the namespace, and of the nodes: those that are there, and then
// each change, until stop is called. seen is called by one goroutine for each kind.
// Nodes are left out where the cluster does not show them.
func (c *Cluster) Watch(seen func(Seen)) (stop func(), err error) {
	var stops []func() error
	stop = func() {
		for _, s := range stops {
			_ = s() // fails only for one that is not registered
		}
	}
	for _, w := range watched {
		generic, err := c.informers.ForResource(w.resource)
		if err != nil {
			stop()
			return nil, fmt.Errorf("watch objects of kind %s: %w", w.kind, err)
		}
		informer := generic.Informer()
		registration, err := informer.AddEventHandler(handler(w.kind, seen))
		if err != nil {
			stop()
			return nil, fmt.Errorf("watch objects of kind %s: %w", w.kind, err)
		}
		stops = append(stops, func() error { return informer.RemoveEventHandler(registration) })
	}
	c.informers.Start(c.life.Done())
	return stop, nil
}

// handler tells of the objects of one kind.
func handler(kind string, seen func(Seen)) cache.ResourceEventHandler {
	tell := func(action string, object any) {
		if gone, ok := object.(cache.DeletedFinalStateUnknown); ok {
			object = gone.Obj
		}
		if o, ok := object.(Object); ok {
			seen(Seen{action, kind, o})
		}
	}
	return cache.ResourceEventHandlerDetailedFuncs{
		AddFunc: func(object any, first bool) {
			if first {
				tell(Found, object)
			} else {
				tell(Added, object)
			}
		},
		UpdateFunc: func(before, after any) {
			if !heartbeat(before, after) {
				tell(Changed, after)
			}
		},
		DeleteFunc: func(object any) { tell(Deleted, object) },
	}
}

// heartbeat reports whether nothing has changed but when a node was last heard of.
func heartbeat(before, after any) bool {
	a, isNode := before.(*core.Node)
	b, _ := after.(*core.Node)
	return isNode && b != nil && equality.Semantic.DeepEqual(still(a), still(b))
}

// still is a node without what changes by itself.
func still(n *core.Node) *core.Node {
	n = n.DeepCopy()
	n.ResourceVersion = ""
	for i := range n.Status.Conditions {
		n.Status.Conditions[i].LastHeartbeatTime = meta.Time{}
	}
	return n
}

// Selects reports whether a Service selects Pods with these labels, as it is now.
func (c *Cluster) Selects(service string, by map[string]string) bool {
	svc, err := c.informers.Core().V1().Services().Lister().Services(c.namespace).Get(service)
	return err == nil && len(svc.Spec.Selector) > 0 && labels.SelectorFromSet(svc.Spec.Selector).Matches(labels.Set(by))
}

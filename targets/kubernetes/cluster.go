// Package kubernetes runs a part of a scenario on Kubernetes: on a control
// plane that it starts on this machine for the run, or on a cluster that is
// there. It applies manifests, knows the Pods behind a Service as they come and
// go, and does to Pods, nodes and Deployments what faults and changes ask for.
// Everything goes through the API, so that both kinds of cluster are one to the
// rest of Ordeal.
package kubernetes

import (
	"context"
	"errors"
	"fmt"

	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/informers"
	client "k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// Cluster is a cluster that a run uses. Its methods may be called by many at
// once.
type Cluster struct {
	namespace string
	local     bool
	version   string
	cpuLimits string
	rest      *rest.Config
	client    client.Interface
	objects   dynamic.Interface
	informers informers.SharedInformerFactory

	plane    *plane          // nil where the control plane is not the run's own
	applied  *applier        // nil before anything could be applied
	keep     bool            // what was applied
	life     context.Context // of the watches
	watching context.CancelFunc
}

// New makes a cluster of a client whose objects are in a namespace, and watches
// its Pods, Services, ReplicaSets and Deployments until Close. It returns when it
// has seen what is there, or ctx ends.
func New(ctx context.Context, c client.Interface, namespace string) (*Cluster, error) {
	cluster := &Cluster{namespace: namespace, client: c}
	return cluster, cluster.follow(ctx)
}

// follow starts the watches, and waits until they have seen what is there.
func (c *Cluster) follow(ctx context.Context) error {
	c.informers = informers.NewSharedInformerFactoryWithOptions(c.client, 0,
		informers.WithNamespace(c.namespace), informers.WithTransform(trim))
	c.life, c.watching = context.WithCancel(context.WithoutCancel(ctx))
	c.informers.Autoscaling().V2().HorizontalPodAutoscalers().Informer()
	c.informers.Core().V1().Pods().Informer()
	c.informers.Core().V1().Services().Informer()
	c.informers.Apps().V1().Deployments().Informer()
	c.informers.Apps().V1().ReplicaSets().Informer()
	if err := c.rotate(c.life); err != nil {
		return fmt.Errorf("follow the Pods of namespace %s: %w", c.namespace, err)
	}
	c.informers.Start(c.life.Done())
	for kind, synced := range c.informers.WaitForCacheSync(ctx.Done()) {
		if !synced {
			return fmt.Errorf("list the %v of namespace %s: %w", kind, c.namespace, context.Cause(ctx))
		}
	}
	return nil
}

// Namespace is where the objects of the run are.
func (c *Cluster) Namespace() string { return c.namespace }

// Local reports whether the control plane was started for this run.
func (c *Cluster) Local() bool { return c.local }

// Version is that of the API server, as v1.36.3.
func (c *Cluster) Version() string { return c.version }

// CPULimits says of a local control plane whether limits of CPU hold, and why not
// if they do not, as "enforced by cgroup v2".
func (c *Cluster) CPULimits() string { return c.cpuLimits }

// Client is the way to the API server.
func (c *Cluster) Client() client.Interface { return c.client }

// Close ends what was started for the run: the watches, and the control plane if
// it is the run's own. What was applied to a cluster that goes on is deleted,
// unless it is to be kept.
func (c *Cluster) Close(ctx context.Context) error {
	if c.watching != nil {
		c.watching()
		c.informers.Shutdown()
	}
	if c.plane != nil {
		return c.plane.close(ctx)
	}
	if c.applied == nil || c.keep {
		return nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, endWithin, errors.New("the cluster did not take it in time"))
	defer cancel()
	return c.applied.delete(ctx)
}

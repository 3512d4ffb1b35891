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

	"k8s.io/client-go/informers"
	client "k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// Cluster is a cluster that a run uses. Its methods may be called by many at
// once.
type Cluster struct {
	namespace string
	local     bool
	rest      *rest.Config
	client    client.Interface
	informers informers.SharedInformerFactory

	watching context.CancelFunc // ends the informers
}

// New makes a cluster of a client whose objects are in a namespace, and watches
// its Pods, Services, ReplicaSets, Deployments and nodes until Close. It returns
// when it has seen what is there, or ctx ends.
func New(ctx context.Context, c client.Interface, namespace string) (*Cluster, error) {
	cluster := &Cluster{
		namespace: namespace, client: c,
		informers: informers.NewSharedInformerFactoryWithOptions(c, 0, informers.WithNamespace(namespace), informers.WithTransform(trim)),
	}
	return cluster, cluster.watch(ctx)
}

// watch starts the informers, and waits until they have seen what is there.
func (c *Cluster) watch(ctx context.Context) error {
	watching, end := context.WithCancel(context.WithoutCancel(ctx))
	c.watching = end
	c.informers.Core().V1().Pods().Informer()
	c.informers.Core().V1().Services().Informer()
	c.informers.Apps().V1().Deployments().Informer()
	c.informers.Apps().V1().ReplicaSets().Informer()
	c.informers.Start(watching.Done())
	for kind, synced := range c.informers.WaitForCacheSync(ctx.Done()) {
		if !synced {
			end()
			return fmt.Errorf("list the %v of namespace %s: %w", kind, c.namespace, context.Cause(ctx))
		}
	}
	return nil
}

// Namespace is where the objects of the run are.
func (c *Cluster) Namespace() string { return c.namespace }

// Local reports whether the control plane was started for this run.
func (c *Cluster) Local() bool { return c.local }

// Client is the way to the API server.
func (c *Cluster) Client() client.Interface { return c.client }

// Close ends what was started for the run: the watches, and the control plane if
// it is the run's own. What was applied to a cluster that goes on is deleted,
// unless it is to be kept.
func (c *Cluster) Close(ctx context.Context) error {
	c.watching()
	c.informers.Shutdown()
	return errors.Join()
}

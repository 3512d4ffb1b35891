package kubernetes

import (
	"context"
	"slices"
	"testing"
	"time"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttest "k8s.io/client-go/testing"
)

const namespace = "ordeal"

// open makes a cluster of a fake API server with some objects.
func open(t *testing.T, objects ...runtime.Object) (*Cluster, *fake.Clientset) {
	t.Helper()
	c := fake.NewSimpleClientset(objects...) // the newer one shares objects with watchers, and the cluster trims those
	cluster, err := New(patience(t), c, namespace)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cluster.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	awaitWatches(t, c, "pods", "services", "deployments", "replicasets")
	return cluster, c
}

// awaitWatches waits until objects of these kinds are watched: a fake API server has no
// versions, and tells nobody what changes after a list and before its watch.
func awaitWatches(t *testing.T, c *fake.Clientset, resources ...string) {
	t.Helper()
	for _, resource := range resources {
		watches := func(a clienttest.Action) bool { return a.Matches("watch", resource) }
		for deadline := time.Now().Add(20 * time.Second); !slices.ContainsFunc(c.Actions(), watches); time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("nobody watches %s", resource)
			}
		}
	}
}

// patience is a context that bounds a wait of a test.
func patience(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func named(name string, labels map[string]string) meta.ObjectMeta {
	return meta.ObjectMeta{Name: name, Namespace: namespace, Labels: labels}
}

// pod is a Pod that runs, ready or not, with a port named http.
func pod(name, ip string, ready bool, labels map[string]string) *core.Pod {
	status := core.ConditionFalse
	if ready {
		status = core.ConditionTrue
	}
	return &core.Pod{
		ObjectMeta: named(name, labels),
		Spec: core.PodSpec{NodeName: "local", Containers: []core.Container{{
			Name: "main", Image: "ordeal/gateway", Ports: []core.ContainerPort{{Name: "http", ContainerPort: 8080}},
		}}},
		Status: core.PodStatus{Phase: core.PodRunning, PodIP: ip, Conditions: []core.PodCondition{{Type: core.PodReady, Status: status}}},
	}
}

func replicaSet(name string, owner *apps.Deployment, revision, env string) *apps.ReplicaSet {
	rs := &apps.ReplicaSet{ObjectMeta: named(name, nil), Spec: apps.ReplicaSetSpec{Template: template(env)}}
	rs.Annotations = map[string]string{"deployment.kubernetes.io/revision": revision}
	rs.Spec.Template.Labels = map[string]string{"app": "gateway", apps.DefaultDeploymentUniqueLabelKey: revision}
	rs.OwnerReferences = []meta.OwnerReference{*meta.NewControllerRef(owner, apps.SchemeGroupVersion.WithKind("Deployment"))}
	return rs
}

func template(env string) core.PodTemplateSpec {
	return core.PodTemplateSpec{Spec: core.PodSpec{Containers: []core.Container{
		{Name: "side", Image: "side"}, {Name: "gateway", Image: "ordeal/gateway", Env: []core.EnvVar{{Name: "A", Value: env}, {Name: "B", Value: "stays"}}},
	}}}
}

func deployment(env string) *apps.Deployment {
	two := int32(2)
	d := &apps.Deployment{ObjectMeta: named("gateway", nil), Spec: apps.DeploymentSpec{Replicas: &two, Template: template(env)}}
	d.UID, d.Generation = "1", 2
	return d
}

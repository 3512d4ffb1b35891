package runner

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"
	clienttest "k8s.io/client-go/testing"

	"ordeal/chaos"
	"ordeal/targets/kubernetes"
)

// namedObject is the metadata of an object in the namespace of the tests.
func namedObject(name string) meta.ObjectMeta {
	return meta.ObjectMeta{Name: name, Namespace: "ordeal", UID: "uid-of-" + types.UID(name), Labels: map[string]string{"app": "gateway"}}
}

func gatewayPod(name string, ready core.ConditionStatus) *core.Pod {
	return &core.Pod{
		ObjectMeta: namedObject(name),
		Spec:       core.PodSpec{NodeName: "n1", ReadinessGates: []core.PodReadinessGate{{ConditionType: chaos.RotationGate}}},
		Status:     core.PodStatus{Phase: core.PodRunning, Conditions: []core.PodCondition{{Type: core.PodReady, Status: ready}}},
	}
}

func openFaults(t *testing.T, objects ...runtime.Object) (podFaults, *fake.Clientset) {
	t.Helper()
	client := fakeCluster(objects...)
	return faultsOn(t, client), client
}

// fakeCluster is an API server with a Deployment of gateways and objects.
func fakeCluster(objects ...runtime.Object) *fake.Clientset {
	three := int32(3)
	d := &apps.Deployment{ObjectMeta: namedObject("gateway"), Spec: apps.DeploymentSpec{Replicas: &three}}
	d.Spec.Template.Labels = map[string]string{"app": "gateway"}
	d.Status = apps.DeploymentStatus{Replicas: 3, UpdatedReplicas: 3, AvailableReplicas: 3}
	objects = append(objects, d,
		&core.Service{ObjectMeta: namedObject("gateway-svc"), Spec: core.ServiceSpec{Selector: map[string]string{"app": "gateway"}}},
		&core.Node{ObjectMeta: meta.ObjectMeta{Name: "n1"}})
	return fake.NewSimpleClientset(objects...) // the newer one shares objects with watchers, and the cluster trims those
}

// faultsOn opens client, whose reactors must be set by now: the cluster watches and patches from goroutines of its own.
func faultsOn(t *testing.T, client *fake.Clientset) podFaults {
	t.Helper()
	cluster := follow(t, client)
	return podFaults{cluster: cluster, service: func(target string) string {
		return map[string]string{"gateway": "gateway-svc"}[target]
	}}
}

// follow makes a cluster of client that watches the Pods: a fake API server has no
// versions, and tells nobody what changes after a list and before its watch.
func follow(t *testing.T, client *fake.Clientset) *kubernetes.Cluster {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	cluster, err := kubernetes.New(ctx, client, "ordeal")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cluster.Close(context.Background()) }) // of a fake: there is nothing to end
	watchesPods := func(a clienttest.Action) bool { return a.Matches("watch", "pods") }
	for !slices.ContainsFunc(client.Actions(), watchesPods) {
		if ctx.Err() != nil {
			t.Fatal("nobody watches the Pods")
		}
		time.Sleep(time.Millisecond)
	}
	return cluster
}

func TestFaultsSeePodsAsTheyAre(t *testing.T) {
	ready, unready, done := gatewayPod("a", core.ConditionTrue), gatewayPod("b", core.ConditionFalse), gatewayPod("z", core.ConditionFalse)
	now := meta.Now()
	ready.DeletionTimestamp, ready.Finalizers = &now, []string{"ordeal/held"}
	unready.Status.ContainerStatuses = []core.ContainerStatus{{}, {State: core.ContainerState{Waiting: &core.ContainerStateWaiting{Reason: "CrashLoopBackOff"}}}}
	unready.OwnerReferences = []meta.OwnerReference{{Kind: "DaemonSet", Name: "agents"}}
	done.Status.Phase = core.PodSucceeded
	f, _ := openFaults(t, ready, unready, done)
	for _, target := range []string{"gateway", ""} {
		pods, err := f.Pods(context.Background(), target)
		if err != nil || len(pods) != 2 {
			t.Fatalf("target %q: %+v, %v", target, pods, err)
		}
		if a := pods[0]; a.Name != "a" || !a.Ending || a.Ready || a.Failing || a.Pinned || a.Node != "n1" || len(a.Gates) != 1 || a.Gates[0] != chaos.RotationGate {
			t.Errorf("got %+v", a)
		}
		if b := pods[1]; b.Name != "b" || b.Ending || b.Ready || !b.Failing || !b.Pinned {
			t.Errorf("got %+v", b)
		}
	}
	if _, err := f.Pods(context.Background(), "users"); err == nil || !strings.Contains(err.Error(), "target users is no Service") {
		t.Errorf("got %v", err)
	}
}

func TestAContainerThatIsBeingMadeDoesNotFail(t *testing.T) {
	for reason, want := range map[string]bool{"ContainerCreating": false, "PodInitializing": false, "CrashLoopBackOff": true, "ErrImagePull": true} {
		c := core.ContainerStatus{State: core.ContainerState{Waiting: &core.ContainerStateWaiting{Reason: reason}}}
		if got := failing(c); got != want {
			t.Errorf("%s: %t", reason, got)
		}
	}
	if failing(core.ContainerStatus{State: core.ContainerState{Running: &core.ContainerStateRunning{}}}) {
		t.Error("one that runs fails")
	}
	if !failing(core.ContainerStatus{State: core.ContainerState{Terminated: &core.ContainerStateTerminated{}}}) {
		t.Error("one that ended does not fail")
	}
}

func TestEvictionsTellBudgetsFromErrors(t *testing.T) {
	client := fakeCluster(gatewayPod("a", core.ConditionTrue))
	var answer error
	client.PrependReactor("create", "pods", func(a clienttest.Action) (bool, runtime.Object, error) {
		return a.GetSubresource() == "eviction", nil, answer // the test alone evicts
	})
	f := faultsOn(t, client)
	pod := chaos.Pod{Name: "a"}
	answer = apierrors.NewTooManyRequests("the budget needs 1 more", 1)
	if err := f.EvictPod(context.Background(), pod); !errors.Is(err, chaos.ErrBudget) {
		t.Errorf("a budget: %v", err)
	}
	answer = apierrors.NewNotFound(core.Resource("pods"), "a")
	if err := f.EvictPod(context.Background(), pod); err != nil {
		t.Errorf("a Pod that is gone: %v", err)
	}
	answer = errors.New("no")
	if err := f.EvictPod(context.Background(), pod); err == nil || errors.Is(err, chaos.ErrBudget) {
		t.Errorf("another error: %v", err)
	}
}

func TestFaultsShutTheGateThatTheClusterOpens(t *testing.T) {
	if chaos.RotationGate != string(kubernetes.RotationGate) {
		t.Errorf("faults shut %s, the cluster opens %s", chaos.RotationGate, kubernetes.RotationGate)
	}
}

func TestFaultsReachTheCluster(t *testing.T) {
	ctx := context.Background()
	f, client := openFaults(t, gatewayPod("a", core.ConditionTrue))
	pod := chaos.Pod{Name: "a"}
	if err := f.SetPodCondition(ctx, pod, chaos.RotationGate, false); err != nil {
		t.Fatal(err)
	}
	got, err := client.CoreV1().Pods("ordeal").Get(ctx, "a", meta.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(got.Status.Conditions); n != 2 || got.Status.Conditions[n-1].Type != chaos.RotationGate && got.Status.Conditions[0].Type != chaos.RotationGate {
		t.Errorf("conditions %+v", got.Status.Conditions)
	}
	if err := f.Cordon(ctx, "n1", true); err != nil {
		t.Fatal(err)
	}
	if on, err := f.Cordoned(ctx, "n1"); err != nil || !on {
		t.Errorf("cordoned: %t, %v", on, err)
	}
	if _, err := f.Cordoned(ctx, "n2"); err == nil || !strings.Contains(err.Error(), "no node n2, only n1") {
		t.Errorf("got %v", err)
	}
	if d, err := f.Deployment(ctx, "gateway"); err != nil || d != (chaos.Deployment{Name: "gateway", Replicas: 3, Settled: true}) {
		t.Errorf("got %+v, %v", d, err)
	}
	for range 2 { // the second time it is gone
		if err := f.DeletePod(ctx, pod, 0); err != nil {
			t.Error(err)
		}
	}
	if err := f.SetPodCondition(ctx, pod, chaos.RotationGate, true); err != nil {
		t.Errorf("a Pod that is gone: %v", err)
	}
}

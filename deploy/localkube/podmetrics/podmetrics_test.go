package podmetrics

import (
	"context"
	"fmt"
	"maps"
	"math"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	customv1beta2 "k8s.io/metrics/pkg/apis/custom_metrics/v1beta2"
	metricsclient "k8s.io/metrics/pkg/client/clientset/versioned"
	"k8s.io/metrics/pkg/client/custom_metrics"
)

// script starts a shell script in a process group of its own, and kills it at the end of the test.
func script(t *testing.T, text string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("sh", "-c", text)
	cmd.Env = append(os.Environ(), fmt.Sprintf("TEST=%d", os.Getpid())) // no loop outlives the test, however that ends
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
	})
	return cmd
}

// sleeper starts a process that sleeps, and returns once it does: starting takes time, too.
func sleeper(t *testing.T) *exec.Cmd {
	t.Helper()
	cmd := script(t, "exec sleep 1000")
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(time.Millisecond) {
		name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", cmd.Process.Pid))
		if fields := stat(cmd.Process.Pid); err == nil && string(name) == "sleep\n" && fields != nil && fields[0][0] == 'S' {
			return cmd
		} else if time.Now().After(deadline) {
			t.Fatalf("after 30s the sleeper is %q: %v", name, err)
		}
	}
}

// burn returns when a process has used more CPU time.
func burn(t *testing.T, cmd *exec.Cmd, more time.Duration) {
	t.Helper()
	begin, ok := cpuOf(cmd.Process.Pid)
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(time.Millisecond) {
		if now, still := cpuOf(cmd.Process.Pid); !ok || !still || time.Now().After(deadline) {
			t.Fatalf("in 30s it used %v: %v %v", now-begin, ok, still)
		} else if now-begin >= more {
			return
		}
	}
}

func TestUsageIsThatOfTheWholeGroup(t *testing.T) {
	t.Parallel()
	// Two children burn; one of them ends again and again and is waited for: its time stays with the group, also where
	// it ends while the group is read.
	cmd := script(t, `sh -c 'while kill -0 $TEST; do :; done' & while kill -0 $TEST; do sh -c 'i=0; while [ $i -lt 60000 ]; do i=$((i+1)); done'; done`)
	pid := cmd.Process.Pid
	var u usage
	for deadline := time.Now().Add(30 * time.Second); u.cpu < 2*time.Second; {
		groups, err := readGroups(map[int]bool{pid: true})
		if err != nil {
			t.Fatal(err)
		}
		if next := groups[pid]; next.cpu < u.cpu-2*time.Second/ticks { // what is told in ticks is cut off
			t.Fatalf("the CPU time fell from %v to %v", u.cpu, next.cpu)
		} else if u = next; time.Now().After(deadline) {
			t.Fatalf("%v after 30s of burning", u.cpu)
		}
	}
	if u.memory < 100<<10 || u.memory > 100<<20 {
		t.Errorf("%d bytes of memory", u.memory)
	}
	own, ok := cpuOf(pid)
	if !ok || own >= u.cpu {
		t.Errorf("of its %v the first process has %v (%v): the others are missing", u.cpu, own, ok)
	}
	if groups, err := readGroups(map[int]bool{1 << 30: true}); err != nil || len(groups) != 0 {
		t.Errorf("a group that is not there has %v: %v", groups, err)
	}
}

// cluster is Pods without an API server.
type cluster struct {
	*store
	pods cache.Indexer
}

func newCluster(resolution time.Duration) *cluster {
	pods := cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc})
	nodes := cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{})
	_ = nodes.Add(&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "localkube"}}) // memory: no error
	return &cluster{store: newStore(corelisters.NewPodLister(pods), corelisters.NewNodeLister(nodes), resolution), pods: pods}
}

// add adds a Pod that runs a process for each container.
func (c *cluster) add(name, ip string, pids ...int) *corev1.Pod {
	p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "ordeal", UID: types.UID(name), Labels: map[string]string{"app": name}},
		Spec: corev1.PodSpec{NodeName: "localkube"}, Status: corev1.PodStatus{Phase: corev1.PodRunning, PodIP: ip}}
	for i, pid := range pids {
		name := fmt.Sprintf("c%d", i)
		p.Spec.Containers = append(p.Spec.Containers, corev1.Container{Name: name})
		p.Status.ContainerStatuses = append(p.Status.ContainerStatuses, corev1.ContainerStatus{Name: name,
			ContainerID: fmt.Sprintf("localkube://%d", pid), State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}})
	}
	_ = c.pods.Add(p) // memory: no error
	return p
}

func TestPodHasMetricsFromTheSecondReadingOn(t *testing.T) {
	t.Parallel()
	c := newCluster(100 * time.Millisecond)
	burner, idler := script(t, "while kill -0 $TEST; do :; done"), sleeper(t)
	p := c.add("busy", "", burner.Process.Pid, idler.Process.Pid)
	before, _ := cpuOf(burner.Process.Pid)
	c.measure(c.running())
	if m, ok := c.podMetrics(p); ok {
		t.Fatalf("after one reading: %v", m)
	}
	between := time.Now()
	burn(t, burner, 50*time.Millisecond)
	burnt := time.Since(between)
	c.measure(c.running())
	after, _ := cpuOf(burner.Process.Pid)
	m, ok := c.podMetrics(p)
	if !ok || len(m.Containers) != 2 || m.Labels["app"] != "busy" || m.Namespace != "ordeal" {
		t.Fatalf("after two readings: %v %+v", ok, m)
	}
	if w := m.Window.Duration; w < burnt || m.Timestamp.Time.Before(between) || m.Timestamp.After(time.Now()) {
		t.Errorf("window %v, timestamp %v", w, m.Timestamp)
	}
	busy, idle := m.Containers[0].Usage.Cpu().AsApproximateFloat64(), m.Containers[1].Usage.Cpu().AsApproximateFloat64()
	least, most := 0.05/m.Window.Seconds(), (after-before).Seconds()/m.Window.Seconds()
	if busy < least-1e-6 || busy > most+1e-6 || idle > least/10 {
		t.Errorf("the one that burns uses %v cores, the one that sleeps %v; between %v and %v were burnt", busy, idle, least, most)
	}
	n, ok := c.nodeMetrics(&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "localkube"}})
	if !ok || math.Abs(n.Usage.Cpu().AsApproximateFloat64()-busy-idle) > 1e-6 || n.Usage.Memory().Value() == 0 {
		t.Errorf("the node uses %v: %v", n.Usage, ok)
	}
	// A container that was restarted has no rate, and its Pod no metrics, until it was read twice.
	p.Status.ContainerStatuses[0].ContainerID = fmt.Sprintf("localkube://%d", script(t, "sleep 1000").Process.Pid)
	if _, ok := c.podMetrics(p); !ok {
		t.Error("what was read stays until the next reading")
	}
	c.measure(c.running())
	if m, ok := c.podMetrics(p); ok {
		t.Errorf("after one reading of the new process: %+v", m)
	}
	c.measure(c.running())
	if _, ok := c.podMetrics(p); !ok {
		t.Error("no metrics after two readings of the new process")
	}
	// One whose process is gone has none at all.
	p.Status.ContainerStatuses[0].ContainerID = fmt.Sprintf("localkube://%d", 1<<30)
	c.measure(c.running())
	if m, ok := c.podMetrics(p); ok {
		t.Errorf("of a process that is not there: %+v", m)
	}
}

func TestKubernetesClientsReadTheAPIs(t *testing.T) {
	t.Parallel()
	c := newCluster(100 * time.Millisecond)
	text, ip, port := exporter(t)
	text.Store(fmt.Sprintf(gateway, 1, 1) + "# TYPE http_requests_total counter\nhttp_requests_total 0\n")
	sleeping := script(t, "sleep 1000")
	p := c.add("gateway", ip, sleeping.Process.Pid)
	p.Annotations = map[string]string{"prometheus.io/scrape": "true", "prometheus.io/port": port}
	c.add("silent", "", sleeping.Process.Pid)
	server := httptest.NewServer((&api{store: c.store}).handler())
	t.Cleanup(server.Close)
	config := &rest.Config{Host: server.URL}
	client, err := metricsclient.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	ctx, pods := context.Background(), client.MetricsV1beta1().PodMetricses("ordeal")
	if _, err := pods.Get(ctx, "gateway", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("before any reading: %v, want not found", err)
	}
	for range 2 {
		c.measure(c.running())
		c.scrape(ctx, c.running())
	}
	for selector, want := range map[string]int{"": 2, "app=gateway": 1, "app=other": 0} {
		list, err := pods.List(ctx, metav1.ListOptions{LabelSelector: selector})
		if err != nil || len(list.Items) != want {
			t.Errorf("%q selects %d: %v", selector, len(list.Items), err)
		}
	}
	if one, err := pods.Get(ctx, "gateway", metav1.GetOptions{}); err != nil || one.Containers[0].Usage.Memory().Value() == 0 {
		t.Errorf("one Pod: %+v: %v", one, err)
	}
	if nodes, err := client.MetricsV1beta1().NodeMetricses().List(ctx, metav1.ListOptions{}); err != nil || len(nodes.Items) != 1 {
		t.Errorf("nodes: %+v: %v", nodes, err)
	}
	groups, resources, err := client.Discovery().ServerGroupsAndResources()
	if err != nil || len(groups) != 2 || len(resources) != 2 {
		t.Errorf("discovery: %v, %v: %v", groups, resources, err)
	}
	var names []string
	for _, r := range resources[1].APIResources {
		names = append(names, r.Name)
	}
	if want := []string{"pods/http_requests_in_flight", "pods/http_requests_per_second", "pods/jobs_per_second"}; !slices.Equal(names, want) {
		t.Errorf("custom metrics %v, want %v", names, want)
	}

	mapper := meta.NewDefaultRESTMapper([]schema.GroupVersion{corev1.SchemeGroupVersion})
	mapper.AddSpecific(corev1.SchemeGroupVersion.WithKind("Pod"), corev1.SchemeGroupVersion.WithResource("pods"),
		corev1.SchemeGroupVersion.WithResource("pod"), meta.RESTScopeNamespace)
	custom := custom_metrics.NewForConfig(config, mapper, custom_metrics.NewAvailableAPIsGetter(client.Discovery())).NamespacedMetrics("ordeal")
	kind := schema.GroupKind{Kind: "Pod"}
	list, err := custom.GetForObjects(kind, labels.Everything(), "http_requests_per_second", labels.Everything())
	if err != nil || len(list.Items) != 1 || list.Items[0].Value.Value() != 0 {
		t.Errorf("of all Pods: %+v: %v", list, err)
	}
	one, err := custom.GetForObject(kind, "gateway", "http_requests_in_flight", labels.Everything())
	if err != nil || one.Value.Value() != 3 {
		t.Errorf("of one Pod: %+v: %v", one, err)
	}
	none := func(v *customv1beta2.MetricValueList, err error) {
		t.Helper()
		if !apierrors.IsNotFound(err) {
			t.Errorf("%+v: %v, want not found", v, err)
		}
	}
	none(custom.GetForObjects(kind, labels.Everything(), "nothing", labels.Everything()))
	none(custom.GetForObjects(kind, labels.SelectorFromSet(labels.Set{"app": "silent"}), "http_requests_per_second", labels.Everything()))
	if got := slices.Sorted(maps.Keys(c.metricNames())); !slices.Equal(got, []string{"http_requests_in_flight", "http_requests_per_second", "jobs_per_second"}) {
		t.Errorf("names %v", got)
	}
}

package node

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"
	clienttest "k8s.io/client-go/testing"
)

// serverVerb makes the test binary the program of image test/server.
const serverVerb = "test-server"

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == serverVerb {
		serve()
		return
	}
	os.Exit(m.Run())
}

// serve answers on the address of the Pod: HTTP at 8080 and gRPC health at 9000, well unless there is a file named
// unwell in its directory. It ends well with SIGTERM.
func serve() {
	unwell := func() bool { _, err := os.Stat("unwell"); return err == nil }
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, r *http.Request) {
		if unwell() || r.Header.Get("X-Want") == "failure" {
			http.Error(w, "unwell", http.StatusServiceUnavailable)
		}
	})
	mux.HandleFunc("/note", func(http.ResponseWriter, *http.Request) { fmt.Println("noted") })
	go func() { panic(http.ListenAndServe(os.Getenv("POD_IP")+":8080", mux)) }()
	l, err := net.Listen("tcp", os.Getenv("POD_IP")+":9000")
	if err != nil {
		panic(err)
	}
	s := grpc.NewServer()
	state := health.NewServer()
	grpc_health_v1.RegisterHealthServer(s, state)
	go func() {
		for range time.Tick(10 * time.Millisecond) {
			status := grpc_health_v1.HealthCheckResponse_SERVING
			if unwell() {
				status = grpc_health_v1.HealthCheckResponse_NOT_SERVING
			}
			state.SetServingStatus("", status)
		}
	}()
	go func() { panic(s.Serve(l)) }()
	term := make(chan os.Signal, 1)
	signal.Notify(term, syscall.SIGTERM)
	fmt.Println("serving")
	<-term
	fmt.Println("SIGTERM")
	os.Exit(0)
}

// world is a Node of a cluster that is not there.
type world struct {
	*testing.T
	client *fake.Clientset
	dir    string
	marker string
	pods   atomic.Int32
}

// networks are a network of loopback addresses for each world.
var networks atomic.Int32

func newWorld(t *testing.T, objects ...runtime.Object) *world {
	return newWorldWith(t, func(*Config) {}, objects...)
}

// newWorldWith makes one whose Node is set otherwise.
func newWorldWith(t *testing.T, change func(*Config), objects ...runtime.Object) *world {
	w := &world{T: t, client: fake.NewClientset(objects...), dir: t.TempDir(), marker: fmt.Sprintf("NODE_TEST=%d-%d", os.Getpid(), time.Now().UnixNano())}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	var log bytes.Buffer
	network := netip.PrefixFrom(netip.AddrFrom4([4]byte{127, 53, byte(networks.Add(1)), 0}), 24)
	cfg := Config{Dir: w.dir, Subnet: network, MarkerEnv: w.marker, Log: slog.New(slog.NewTextHandler(&log, nil)),
		Images: map[string][]string{"test/server": {self, serverVerb}, "test/sh": {"/bin/sh", "-c"}}}
	change(&cfg)
	go func() { ended <- run(ctx, cfg, w.client, nil) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the agent ended: %v", err)
		}
		w.untilNothingRuns()
		if t.Failed() {
			t.Logf("the agent said:\n%s", log.String())
		}
	})
	w.untilWatched("services", "configmaps", "secrets", "pods")
	return w
}

// untilWatched waits until the agent watches objects of these kinds: an API server that is not there has no versions,
// and tells nobody what changes after a list and before its watch.
func (w *world) untilWatched(resources ...string) {
	w.Helper()
	for _, resource := range resources {
		watches := func(a clienttest.Action) bool { return a.Matches("watch", resource) }
		for deadline := time.Now().Add(patience); !slices.ContainsFunc(w.client.Actions(), watches); time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				w.Fatalf("nobody watches %s", resource)
			}
		}
	}
}

// marked are the command lines of processes that the agent has started.
func (w *world) marked() []string {
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	var found []string
	for _, dir := range dirs {
		env, _ := os.ReadFile(filepath.Join(dir, "environ"))
		if bytes.Contains(env, []byte(w.marker)) {
			line, _ := os.ReadFile(filepath.Join(dir, "cmdline"))
			found = append(found, strings.ReplaceAll(string(line), "\x00", " "))
		}
	}
	return found
}

// untilNothingRuns waits until nothing of what the agent has started is left: what was killed dies a moment later.
func (w *world) untilNothingRuns() {
	w.Helper()
	for deadline := time.Now().Add(2 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		left := w.marked()
		if len(left) == 0 {
			return
		}
		if time.Now().After(deadline) {
			w.Errorf("processes are left: %v", left)
			return
		}
	}
}

// sh is a container that runs a script.
func sh(name, script string) corev1.Container {
	return corev1.Container{Name: name, Image: "registry.example/test/sh:v1", Args: []string{script}}
}

// server is a container that runs serve.
func server(change func(*corev1.Container)) corev1.Container {
	c := corev1.Container{Name: "server", Image: "test/server",
		Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: 8080}, {Name: "grpc", ContainerPort: 9000}},
		Env:   []corev1.EnvVar{{Name: "POD_IP", ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: "status.podIP"}}}}}
	change(&c)
	return c
}

// create makes a Pod that is bound to the Node.
func (w *world) create(change func(*corev1.Pod), containers ...corev1.Container) string {
	w.Helper()
	n := w.pods.Add(1)
	grace := int64(10)
	p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("pod-%d", n), Namespace: "default", UID: types.UID(fmt.Sprintf("uid-%d", n)), Generation: 1},
		Spec: corev1.PodSpec{NodeName: DefaultName, RestartPolicy: corev1.RestartPolicyAlways, TerminationGracePeriodSeconds: &grace, Containers: containers}}
	if change != nil {
		change(p)
	}
	if _, err := w.client.CoreV1().Pods(p.Namespace).Create(w.Context(), p, metav1.CreateOptions{}); err != nil {
		w.Fatal(err)
	}
	return p.Name
}

// patience bounds every wait; what is waited for comes sooner.
const patience = 30 * time.Second

// until waits until the Pod is as wanted, and gives it.
func (w *world) until(name, what string, is func(*corev1.Pod) bool) *corev1.Pod {
	w.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		p, err := w.client.CoreV1().Pods("default").Get(w.Context(), name, metav1.GetOptions{})
		if err != nil {
			w.Fatalf("wait until %s %s: %v", name, what, err)
		}
		if is(p) {
			return p
		}
		if time.Now().After(deadline) {
			w.Fatalf("%s: not %s within %v:\n%v", name, what, patience, p.Status)
		}
	}
}

// delete asks for the deletion of a Pod as the API server does: by a time in the object, which the agent removes.
func (w *world) delete(name string, grace int64) {
	w.Helper()
	p, err := w.client.CoreV1().Pods("default").Get(w.Context(), name, metav1.GetOptions{})
	if err != nil {
		w.Fatal(err)
	}
	now := metav1.Now()
	p.DeletionTimestamp, p.DeletionGracePeriodSeconds = &now, &grace
	if _, err := w.client.CoreV1().Pods("default").Update(w.Context(), p, metav1.UpdateOptions{}); err != nil {
		w.Fatal(err)
	}
}

// untilGone waits until the agent has removed the Pod, and gives how long that took.
func (w *world) untilGone(name string) time.Duration {
	w.Helper()
	began := time.Now()
	for {
		_, err := w.client.CoreV1().Pods("default").Get(w.Context(), name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return time.Since(began)
		}
		if time.Since(began) > patience {
			w.Fatalf("%s is still there after %v", name, patience)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// untilEvent waits for an event with a reason and a text in its message.
func (w *world) untilEvent(reason, text string) {
	w.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		list, err := w.client.CoreV1().Events("default").List(w.Context(), metav1.ListOptions{})
		if err != nil {
			w.Fatal(err)
		}
		var seen []string
		for _, e := range list.Items {
			if e.Reason == reason && strings.Contains(e.Message, text) {
				return
			}
			seen = append(seen, e.Reason+": "+e.Message)
		}
		if time.Now().After(deadline) {
			w.Fatalf("no event %s with %q, but:\n%s", reason, text, strings.Join(seen, "\n"))
		}
	}
}

// log is what a container wrote.
func (w *world) log(p *corev1.Pod, container string) string {
	w.Helper()
	text, err := os.ReadFile(filepath.Join(w.dir, "pods", fmt.Sprintf("%s_%s_%s", p.Namespace, p.Name, p.UID), container+".log"))
	if err != nil {
		w.Fatal(err)
	}
	return string(text)
}

func condition(p *corev1.Pod, kind corev1.PodConditionType) bool {
	for _, c := range p.Status.Conditions {
		if c.Type == kind {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

func ready(p *corev1.Pod) bool   { return condition(p, corev1.PodReady) }
func unready(p *corev1.Pod) bool { return !condition(p, corev1.PodReady) }

func phase(want corev1.PodPhase) func(*corev1.Pod) bool {
	return func(p *corev1.Pod) bool { return p.Status.Phase == want }
}

// first is the status of the first container; nothing if there is none yet.
func first(p *corev1.Pod) corev1.ContainerStatus {
	if len(p.Status.ContainerStatuses) == 0 {
		return corev1.ContainerStatus{}
	}
	return p.Status.ContainerStatuses[0]
}

func pid(c corev1.ContainerStatus) int {
	n := 0
	_, _ = fmt.Sscanf(c.ContainerID, "localkube://%d", &n)
	return n
}

package observe

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"ordeal/runner/evidence"
	"ordeal/targets/kubernetes"
)

// watchable is a cluster whose objects a test shows.
type watchable struct {
	seen    chan func(kubernetes.Seen)
	stopped chan struct{}
}

func (w watchable) Watch(seen func(kubernetes.Seen)) (func(), error) {
	w.seen <- seen
	return func() { close(w.stopped) }, nil
}

func shown(action, kind, name string) kubernetes.Seen {
	at := meta.ObjectMeta{Name: name, Namespace: "ordeal", UID: types.UID("uid-" + name)}
	if kind == "Event" {
		return kubernetes.Seen{Action: action, Kind: kind, Object: &core.Event{ObjectMeta: at}}
	}
	return kubernetes.Seen{Action: action, Kind: kind, Object: &core.Pod{ObjectMeta: at, Status: core.PodStatus{PodIP: "127.1.0.1"}}}
}

func TestObjectsAreWrittenDown(t *testing.T) {
	sink := &notebook{}
	w := watchable{make(chan func(kubernetes.Seen), 1), make(chan struct{})}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	o := Objects{Clock: evidence.NewClock(), Cluster: w, TargetOf: func(s kubernetes.Seen) string {
		return map[string]string{"a": "gateway"}[s.Object.GetName()]
	}}
	go func() { done <- o.Observe(ctx, sink) }()
	tell := <-w.seen
	for _, s := range []kubernetes.Seen{
		shown(kubernetes.Found, "Pod", "a"), shown(kubernetes.Changed, "Pod", "a"), shown(kubernetes.Changed, "Pod", "a"), shown(kubernetes.Deleted, "Pod", "b"),
		shown(kubernetes.Added, "Event", "e"), shown(kubernetes.Changed, "Event", "e"), shown(kubernetes.Added, "Event", "f"), shown(kubernetes.Deleted, "Event", "e"),
	} {
		tell(s)
	}
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	<-w.stopped
	tell(shown(kubernetes.Added, "Pod", "late"))
	var got []string
	for _, e := range sink.events {
		if e.Kind != evidence.ObjectSeen || e.Object.Namespace != "ordeal" || e.Object.UID != "uid-"+e.Object.Name || len(e.Object.Data) == 0 {
			t.Errorf("event %+v of %+v", e, e.Object)
		}
		got = append(got, e.Object.Action+" "+e.Object.Kind+" "+e.Object.Name+" "+e.Target)
	}
	// Every change of a Pod, and an event that happens again and again once.
	want := "found Pod a gateway, changed Pod a gateway, changed Pod a gateway, deleted Pod b , added Event e , added Event f "
	if text := strings.Join(got, ", "); text != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
	if data := string(sink.events[0].Object.Data); !strings.Contains(data, `"podIP":"127.1.0.1"`) {
		t.Errorf("the object is %s", data)
	}
}

// measured is a cluster whose metrics a test says.
type measured struct {
	usage  error
	values map[string]error
}

func (measured) Local() bool       { return true }
func (measured) Namespace() string { return "ordeal" }

func (m measured) Usage(context.Context) ([]kubernetes.PodUsage, error) {
	if m.usage != nil {
		return nil, m.usage
	}
	return []kubernetes.PodUsage{{Pod: "a", Cores: 0.5, Memory: 1024, At: time.Now().Add(-3 * time.Second)}}, nil
}

func (m measured) PodMetrics() ([]string, error) {
	var names []string
	for name := range m.values {
		names = append(names, name)
	}
	return names, nil
}

func (m measured) Values(_ context.Context, metric string) ([]kubernetes.PodValue, error) {
	if err := m.values[metric]; err != nil {
		return nil, err
	}
	return []kubernetes.PodValue{{Pod: "a", Value: 7}}, nil
}

// points observes until there are some of each name, or labels, wanted, and gives the last
// value by name and labels.
func points(t *testing.T, m measured, wanted ...string) map[string]float64 {
	t.Helper()
	sink := &notebook{}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- PodMetrics{Clock: evidence.NewClock(), Cluster: m}.Observe(ctx, sink) }()
	for _, name := range wanted {
		eventually(t, "a point of "+name, func() bool {
			sink.mu.Lock()
			defer sink.mu.Unlock()
			return slices.ContainsFunc(sink.points, func(p evidence.Point) bool { return p.Name == name || p.Labels == name })
		})
	}
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, p := range sink.points {
		if p.Target != "kubernetes" {
			t.Errorf("point %+v", p)
		}
		got[p.Name+"{"+p.Labels+"}"] = p.Value
	}
	return got
}

func TestWhatAutoscalersSeeIsWrittenDown(t *testing.T) {
	got := points(t, measured{values: map[string]error{"rps": nil}}, "pod_metrics_age_seconds", "pod_metric_value")
	for name, want := range map[string]float64{
		`pod_cpu_cores{namespace="ordeal",pod="a"}`: 0.5, `pod_memory_bytes{namespace="ordeal",pod="a"}`: 1024,
		`pod_metric_value{metric="rps",namespace="ordeal",pod="a"}`: 7,
		`metrics_available{api="metrics.k8s.io"}`:                   1, `metrics_available{api="custom.metrics.k8s.io"}`: 1,
	} {
		if v, ok := got[name]; !ok || v != want {
			t.Errorf("%s is %v, want %v; there is %v", name, v, want, got)
		}
	}
	if age := got[`pod_metrics_age_seconds{namespace="ordeal",pod="a"}`]; age < 3 || age > 60 {
		t.Errorf("the age is %v", age)
	}
}

func TestMetricsThatAreGoneAreWrittenDown(t *testing.T) {
	gone := errors.New("gone")
	got := points(t, measured{usage: gone, values: map[string]error{"rps": gone}}, `api="metrics.k8s.io"`, `api="custom.metrics.k8s.io"`)
	for _, api := range []string{"metrics.k8s.io", "custom.metrics.k8s.io"} {
		if v, ok := got[`metrics_available{api="`+api+`"}`]; !ok || v != 0 {
			t.Errorf("%s is available: %v", api, got)
		}
	}
	if _, ok := got[`pod_cpu_cores{namespace="ordeal",pod="a"}`]; ok {
		t.Errorf("there are points of what is gone: %v", got)
	}
}

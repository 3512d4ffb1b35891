package podmetrics

import (
	"fmt"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/labels"
)

// exporter serves metrics as text at an address and port.
func exporter(t *testing.T) (text *atomic.Value, host, port string) {
	text = &atomic.Value{}
	text.Store("")
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/metrics" || text.Load() == "" {
			http.Error(w, "none", http.StatusNotFound)
			return
		}
		_, _ = fmt.Fprint(w, text.Load())
	}))
	t.Cleanup(s.Close)
	host, port, err := net.SplitHostPort(strings.TrimPrefix(s.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	return text, host, port
}

const gateway = `# TYPE http_requests_in_flight gauge
http_requests_in_flight 3
# TYPE jobs_total counter
jobs_total{kind="a"} %d
jobs_total{kind="b"} %d
`

func TestCustomMetrics(t *testing.T) {
	t.Parallel()
	c := newCluster(time.Second)
	text, ip, port := exporter(t)
	p := c.add("gateway", ip, 1)
	p.Annotations = map[string]string{"prometheus.io/scrape": "true", "prometheus.io/port": port, "localkube.ordeal/rate.work": "jobs_total"}
	all := labels.Everything()
	text.Store(fmt.Sprintf(gateway, 10, 100))
	c.scrape(t.Context(), c.running())
	if v, ok := c.metric(p, "work", all); ok {
		t.Fatalf("a rate after one reading: %v", v)
	}
	if v, ok := c.metric(p, "http_requests_in_flight", all); !ok || v.Value.Value() != 3 || v.WindowSeconds != nil {
		t.Errorf("the gauge is %v: %v", v, ok)
	}
	text.Store(fmt.Sprintf(gateway, 20, 100) + "# TYPE http_requests_total counter\nhttp_requests_total{code=\"200\"} 4\n")
	c.scrape(t.Context(), c.running())
	had := c.scrapes[p.UID]
	window := had.at.Sub(had.before).Seconds()
	a, err := labels.Parse("kind=a")
	b, errB := labels.Parse("kind=b")
	if err != nil || errB != nil {
		t.Fatal(err, errB)
	}
	for _, w := range []struct {
		name     string
		selector labels.Selector
		grown    float64
	}{
		{"work", all, 10}, {"jobs_per_second", all, 10}, {"work", a, 10}, {"work", b, 0}, {"http_requests_per_second", all, 4},
	} {
		v, ok := c.metric(p, w.name, w.selector)
		if want := w.grown / window; !ok || math.Abs(v.Value.AsApproximateFloat64()-want) > 0.001 || v.WindowSeconds == nil || *v.WindowSeconds != 1 {
			t.Errorf("%s{%v} is %v, want %v: %v", w.name, w.selector, v.Value.String(), want, ok)
		}
		if v.DescribedObject.Name != "gateway" || !v.Timestamp.Time.Equal(had.at) || (v.Metric.Selector == nil) != w.selector.Empty() {
			t.Errorf("%s{%v}: %+v", w.name, w.selector, v)
		}
	}
	if v, ok := c.metric(p, "nothing", all); ok {
		t.Errorf("a metric that is not there is %v", v)
	}
	// A counter that falls is another's: there is no rate until the next reading.
	text.Store(fmt.Sprintf(gateway, 1, 0))
	c.scrape(t.Context(), c.running())
	if v, ok := c.metric(p, "work", all); ok {
		t.Errorf("after the counter fell: %v", v)
	}
	c.scrape(t.Context(), c.running())
	if v, ok := c.metric(p, "work", all); !ok || v.Value.Value() != 0 {
		t.Errorf("after the next reading: %v, %v", v, ok)
	}
	// What cannot be read grows old, and is none then.
	text.Store("")
	c.scrape(t.Context(), c.running())
	if _, ok := c.metric(p, "work", all); !ok {
		t.Error("one failed reading takes the metric away at once")
	}
	c.mu.Lock()
	c.scrapes[p.UID].at = time.Now().Add(-time.Minute)
	c.mu.Unlock()
	if v, ok := c.metric(p, "work", all); ok {
		t.Errorf("a minute old: %v", v)
	}
}

func TestProbesAreNoRequests(t *testing.T) {
	t.Parallel()
	c := newCluster(time.Second)
	text, ip, port := exporter(t)
	p := c.add("users", ip, 1)
	p.Annotations = map[string]string{"prometheus.io/scrape": "true", "prometheus.io/port": port}
	for _, n := range []int{0, 30} {
		text.Store(fmt.Sprintf("# TYPE grpc_server_handled_total counter\ngrpc_server_handled_total{grpc_service=\"grpc.health.v1.Health\"} %d\n"+
			"grpc_server_handled_total{grpc_service=\"user.v1.UserService\"} %d\n", 1000*n, n))
		c.scrape(t.Context(), c.running())
	}
	had := c.scrapes[p.UID]
	want := 30 / had.at.Sub(had.before).Seconds()
	v, ok := c.metric(p, "grpc_requests_per_second", labels.Everything())
	if got := v.Value.AsApproximateFloat64(); !ok || math.Abs(got-want) > 0.001 {
		t.Errorf("%v calls a second, want %v: %v", got, want, ok)
	}
	if _, ok := c.metric(p, "http_requests_per_second", labels.Everything()); ok {
		t.Error("it has a rate of HTTP requests")
	}
}

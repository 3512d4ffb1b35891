package observe

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"ordeal/runner/evidence"
)

// notebook is a sink that keeps points and events.
type notebook struct {
	mu     sync.Mutex
	points []evidence.Point
	events []evidence.Event
}

func (*notebook) Sample(evidence.Sample)   {}
func (*notebook) Message(evidence.Message) {}
func (n *notebook) Point(p evidence.Point) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.points = append(n.points, p)
}
func (n *notebook) Event(e evidence.Event) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.events = append(n.events, e)
}

// values gives the values of a series in the order in which they came.
func (n *notebook) values(target, name, labels string) []float64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	var out []float64
	for _, p := range n.points {
		if p.Target == target && p.Name == name && p.Labels == labels {
			out = append(out, p.Value)
		}
	}
	return out
}

func (n *notebook) texts() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	var out []string
	for _, e := range n.events {
		out = append(out, e.Target+": "+e.Text)
	}
	return strings.Join(out, "; ")
}

// observing runs an observer until the function returned is called.
func observing(t *testing.T, o Observer, out evidence.Sink) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- o.Observe(ctx, out) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("observe: %v", err)
		}
	}
}

func eventually(t *testing.T, what string, cond func() bool) {
	t.Helper()
	for deadline := time.Now().Add(15 * time.Second); !cond(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

func TestScraperReadsEveryKindOfMetric(t *testing.T) {
	defer goleak.VerifyNone(t)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `# TYPE calls_total counter
calls_total{zone="b\"q",method="GET"} 3
# TYPE depth gauge
depth 2.5
# TYPE took_seconds histogram
took_seconds_bucket{le="1"} 4
took_seconds_bucket{le="+Inf"} 5
took_seconds_sum 7
took_seconds_count 5
`)
	}))
	defer srv.Close()
	out := &notebook{}
	s := NewScraper(evidence.NewClock(), ScrapeEvery, func() map[string]string { return map[string]string{"shop/1": srv.URL} })
	stop := observing(t, s, out)
	eventually(t, "a scrape came in", func() bool { return len(out.values("shop/1", "took_seconds_count", "")) > 0 })
	stop()
	for _, want := range []struct {
		name, labels string
		value        float64
	}{
		{"calls_total", `method="GET",zone="b\"q"`, 3}, {"depth", "", 2.5}, {"took_seconds_sum", "", 7}, {"took_seconds_count", "", 5},
	} {
		if got := out.values("shop/1", want.name, want.labels); len(got) == 0 || got[0] != want.value {
			t.Errorf("%s{%s} is %v, want %v", want.name, want.labels, got, want.value)
		}
	}
	if got := out.values("shop/1", "took_seconds_bucket", `le="1"`); got != nil {
		t.Errorf("buckets are kept: %v", got)
	}
}

func TestScraperLooksWhenAsked(t *testing.T) {
	var scrapes atomic.Int64
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, "scrapes %d\n", scrapes.Add(1))
	}))
	defer srv.Close()
	s := NewScraper(evidence.NewClock(), ScrapeEvery, func() map[string]string { return map[string]string{"shop": srv.URL} })
	out := &notebook{}
	s.Look() // before it runs: must not block, nor be lost
	s.Look()
	defer observing(t, s, out)()
	eventually(t, "two scrapes came in", func() bool { return scrapes.Load() >= 2 })
}

func TestScraperTellsOnceThatATargetIsDownAndThatItIsBack(t *testing.T) {
	var down atomic.Bool
	var asked atomic.Int64
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		if down.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "up 1")
	}))
	defer srv.Close()
	// A second target hangs: it must not keep the first from being scraped.
	hang := make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-hang:
		case <-r.Context().Done():
		}
	}))
	defer slow.Close()
	defer close(hang)
	s := NewScraper(evidence.NewClock(), ScrapeEvery, func() map[string]string { return map[string]string{"shop": srv.URL, "slow": slow.URL} })
	out := &notebook{}
	stop := observing(t, s, out)
	defer stop()
	eventually(t, "shop is scraped", func() bool { return len(out.values("shop", "up", "")) > 0 })
	down.Store(true)
	before := asked.Load()
	eventually(t, "it was asked in vain three times", func() bool { s.Look(); return asked.Load() > before+3 })
	down.Store(false)
	eventually(t, "it is scraped again", func() bool { return strings.Contains(out.texts(), "scraped again") })
	if n := strings.Count(out.texts(), "503 Service"); n != 1 {
		t.Errorf("told %d times that it is down, want once: %s", n, out.texts())
	}
}

func TestHarnessAndProcesses(t *testing.T) {
	out := &notebook{}
	clock := evidence.NewClock()
	stopHarness := observing(t, Harness{Clock: clock}, out)
	stopProcs := observing(t, Processes{Clock: clock, PIDs: func() map[string]int { return map[string]int{"self": os.Getpid(), "dead": 0} }}, out)
	for _, name := range []string{"harness_heap_bytes", "harness_goroutines", "harness_cpu_seconds_total"} {
		eventually(t, name+" is there", func() bool { v := out.values("ordeal", name, ""); return len(v) > 0 && v[0] > 0 })
	}
	eventually(t, "processes are there", func() bool { return len(out.values("dead", "target_up", "")) > 0 })
	eventually(t, "processes are there", func() bool { return len(out.values("self", "target_up", "")) > 0 })
	stopHarness()
	stopProcs()
	if up := out.values("dead", "target_up", ""); up[0] != 0 {
		t.Errorf("a process that does not run is up=%v", up[0])
	}
	if up := out.values("self", "target_up", ""); up[0] != 1 {
		t.Errorf("this process is up=%v", up[0])
	}
}

package telemetry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"ordeal/runner/evidence"
)

// serve starts a server with one run on it: load "browse" of an open model, and
// load "stream" of a closed one.
func serve(t *testing.T) (*Server, *Run) {
	t.Helper()
	exporter := NewExporter(evidence.Build{Version: "v9", Commit: "abc", Go: "go1", OS: "linux", Arch: "amd64"})
	server, err := Listen(t.Context(), "127.0.0.1:0", exporter)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	run := newRun("checkout", "20261120-checkout")
	exporter.Show(run)
	return server, run
}

func newRun(scenario, id string) *Run {
	return NewRun(&evidence.Meta{
		Scenario: scenario, ID: id, Base: time.Now(),
		Loads: []evidence.LoadMeta{
			{Name: "browse", Model: "open", Workers: 100, Planned: map[string]int64{"steady": 1000, "after": 500}},
			{Name: "stream", Model: "closed", Workers: 5},
		},
		Phases: []evidence.PhaseMeta{
			{Name: "steady"},
			{Name: "after", Faults: []evidence.FaultMeta{{Fault: "latency", Link: "client->shop"}, {Fault: "kill", Target: "shop"}}},
		},
	}, NewTally(2, true), []*atomic.Int64{new(atomic.Int64), new(atomic.Int64)})
}

// get scrapes in the format that is asked for.
func get(t *testing.T, url string, accept expfmt.Format) *http.Response {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", string(accept))
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { res.Body.Close() })
	if res.StatusCode != http.StatusOK || !strings.HasPrefix(res.Header.Get("Content-Type"), strings.TrimSpace(strings.Split(string(accept), ";")[0])) {
		t.Fatalf("status %s, content type %q; asked for %s", res.Status, res.Header.Get("Content-Type"), accept)
	}
	return res
}

var protobuf = expfmt.NewFormat(expfmt.TypeProtoDelim)

// scrape gives the metrics as a scraper that knows protobuf sees them.
func scrape(t *testing.T, url string) map[string]*dto.MetricFamily {
	t.Helper()
	res := get(t, url, protobuf)
	decoder := expfmt.NewDecoder(res.Body, expfmt.ResponseFormat(res.Header))
	got := make(map[string]*dto.MetricFamily)
	for {
		var f dto.MetricFamily
		if err := decoder.Decode(&f); errors.Is(err, io.EOF) {
			return got
		} else if err != nil {
			t.Fatal(err)
		}
		got[f.GetName()] = &f
	}
}

// series finds the one metric whose labels are those wanted, such as
// `load=browse,scenario=checkout`; nil for none.
func series(f *dto.MetricFamily, labels string) *dto.Metric {
	for _, m := range f.GetMetric() {
		var pairs []string
		for _, l := range m.GetLabel() {
			pairs = append(pairs, l.GetName()+"="+l.GetValue())
		}
		if slices.Sort(pairs); strings.Join(pairs, ",") == labels {
			return m
		}
	}
	return nil
}

// value gives the value of a counter or gauge, NaN where there is none.
func value(got map[string]*dto.MetricFamily, name, labels string) float64 {
	m := series(got[name], labels)
	switch {
	case m == nil:
		return math.NaN()
	case m.Counter != nil:
		return m.GetCounter().GetValue()
	}
	return m.GetGauge().GetValue()
}

func TestScrapeCountsEveryCall(t *testing.T) {
	t.Parallel()
	server, run := serve(t)
	var sum time.Duration
	for i := range 10_000 {
		s := evidence.Sample{Sent: 50 * time.Microsecond, Done: time.Duration(i+1) * time.Millisecond, Bytes: 3}
		sum += s.Done
		run.tally.Sample(&s)
	}
	run.tally.Sample(&evidence.Sample{Class: evidence.HTTP5xx, Done: time.Second})
	got := scrape(t, server.URL())

	const browse = "class=ok,load=browse,scenario=checkout"
	h := series(got["ordeal_response_seconds"], browse).GetHistogram()
	if h.GetSampleCount() != 10_000 || math.Abs(h.GetSampleSum()-sum.Seconds()) > 1e-9*sum.Seconds() {
		t.Errorf("%d response times, %gs in all; want 10000, %gs", h.GetSampleCount(), h.GetSampleSum(), sum.Seconds())
	}
	var inBuckets, seen int64
	counts := nativeBuckets(h)
	for _, n := range counts {
		inBuckets += n
	}
	if h.GetSchema() != 3 || inBuckets+int64(h.GetZeroCount()) != 10_000 {
		t.Errorf("%d response times are in native buckets of schema %d", inBuckets, h.GetSchema())
	}
	// Half of the calls took 5 s at most: the bucket of call 5,000 says so.
	for _, index := range slices.Sorted(maps.Keys(counts)) {
		if seen += counts[index]; seen >= 5000 {
			if upper := math.Exp2(float64(index) / 8); upper < 5 || upper > 5*1.1 {
				t.Errorf("half of the calls took at most %gs, want 5s within a tenth", upper)
			}
			break
		}
	}
	if s := series(got["ordeal_service_seconds"], browse).GetHistogram(); s.GetSampleCount() != 10_000 ||
		math.Abs(h.GetSampleSum()-s.GetSampleSum()-0.5) > 1e-6 {
		t.Errorf("%d service times, %gs in all", s.GetSampleCount(), s.GetSampleSum())
	}
	if lag := series(got["ordeal_send_lag_seconds"], "load=browse,scenario=checkout").GetHistogram(); lag.GetSampleCount() != 10_001 ||
		math.Abs(lag.GetSampleSum()-0.5) > 1e-6 {
		t.Errorf("send lag of %d calls, %gs in all; want 10001, 0.5s", lag.GetSampleCount(), lag.GetSampleSum())
	}
	for _, want := range []struct {
		name, labels string
		value        float64
	}{
		{"ordeal_calls_total", browse, 10_000},
		{"ordeal_calls_total", "class=http-5xx,load=browse,scenario=checkout", 1},
		{"ordeal_calls_total", "class=ok,load=stream,scenario=checkout", 0},
		{"ordeal_response_bytes_total", "load=browse,scenario=checkout", 30_000},
		{"ordeal_build_info", "goarch=amd64,goos=linux,goversion=go1,revision=abc,version=v9", 1},
	} {
		if v := value(got, want.name, want.labels); v != want.value {
			t.Errorf("%s{%s} is %g, want %g", want.name, want.labels, v, want.value)
		}
	}
	if n := len(got["ordeal_calls_total"].GetMetric()); n != 3 {
		t.Errorf("%d series of calls: classes that no call had are not to be served", n)
	}
	for _, own := range []string{"go_goroutines", "process_cpu_seconds_total", "go_sched_latencies_seconds"} {
		if got[own] == nil {
			t.Errorf("%s is not served", own)
		}
	}
}

// A scraper that knows text alone gets classic buckets.
func TestScrapeAsText(t *testing.T) {
	t.Parallel()
	server, run := serve(t)
	for range 98 {
		run.tally.Sample(&evidence.Sample{Done: 200 * time.Millisecond})
	}
	run.tally.Sample(&evidence.Sample{Done: 300 * time.Millisecond})
	run.tally.Sample(&evidence.Sample{Done: 100 * time.Second})
	want := []string{
		`ordeal_response_seconds_bucket{class="ok",load="browse",scenario="checkout",le="0.125"} 0`,
		`ordeal_response_seconds_bucket{class="ok",load="browse",scenario="checkout",le="0.25"} 98`,
		`ordeal_response_seconds_bucket{class="ok",load="browse",scenario="checkout",le="0.5"} 99`,
		`ordeal_response_seconds_bucket{class="ok",load="browse",scenario="checkout",le="+Inf"} 100`,
		`ordeal_response_seconds_count{class="ok",load="browse",scenario="checkout"} 100`,
	}
	text, err := io.ReadAll(get(t, server.URL(), expfmt.NewFormat(expfmt.TypeTextPlain)).Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range append(want, `ordeal_calls_total{class="ok",load="browse",scenario="checkout"} 100`) {
		if !strings.Contains(string(text), line+"\n") {
			t.Errorf("no line %s", line)
		}
	}
	text, err = io.ReadAll(get(t, server.URL(), expfmt.NewFormat(expfmt.TypeOpenMetrics)).Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range append(want, "# EOF") {
		if !strings.Contains(string(text), line) {
			t.Errorf("no line %s in OpenMetrics", line)
		}
	}
}

func TestRunShowsWhatHappens(t *testing.T) {
	t.Parallel()
	server, run := serve(t)
	var due atomic.Int64
	check := func(when string, want map[string]float64) {
		t.Helper()
		got := scrape(t, server.URL())
		for key, v := range want {
			name, labels, _ := strings.Cut(key, " ")
			if labels == "" {
				labels = "load=browse,scenario=checkout"
			}
			if have := value(got, name, labels); have != v && (!math.IsNaN(have) || !math.IsNaN(v)) {
				t.Errorf("%s: %s{%s} is %g, want %g", when, name, labels, have, v)
			}
		}
	}
	const (
		steady  = "ordeal_phase_info phase=steady,scenario=checkout"
		after   = "ordeal_phase_info phase=after,scenario=checkout"
		latency = "ordeal_faults_active fault=latency,link=client->shop,scenario=checkout,target="
		kill    = "ordeal_faults_active fault=kill,link=,scenario=checkout,target=shop"
		running = "ordeal_run_info outcome=running,run=20261120-checkout,scenario=checkout"
	)
	none := math.NaN()
	check("before the start", map[string]float64{
		steady: none, after: none, latency: 0, kill: 0, running: 1,
		"ordeal_calls_planned": 1500, "ordeal_calls_due_total": 0, "ordeal_calls_issued_total": 0, "ordeal_calls_in_flight_limit": 100,
		"ordeal_calls_planned load=stream,scenario=checkout": none, "ordeal_calls_due_total load=stream,scenario=checkout": none,
		"ordeal_calls_in_flight load=stream,scenario=checkout": 0, "ordeal_calls_unissued load=stream,scenario=checkout": none,
		"ordeal_messages_total load=stream,scenario=checkout": none,
	})
	run.Started(func(int) int64 { return due.Load() })
	run.Event(evidence.Event{Kind: evidence.PhaseStart, Phase: "steady"})
	run.Event(evidence.Event{Kind: evidence.PhaseEnd, Phase: "steady"})
	run.Event(evidence.Event{Kind: evidence.PhaseStart, Phase: "after"})
	run.Event(evidence.Event{Kind: evidence.FaultInjected, Phase: "after", Fault: "latency", Link: "client->shop"})
	due.Store(40)
	run.loads[0].Issued.Store(30)
	for range 10 {
		run.tally.Sample(&evidence.Sample{Class: evidence.Timeout})
		run.tally.Message(&evidence.Message{Load: 1})
	}
	check("in a phase", map[string]float64{
		steady: none, after: 1, latency: 1, kill: 0,
		"ordeal_calls_due_total": 40, "ordeal_calls_issued_total": 30, "ordeal_calls_unissued": 10, "ordeal_calls_in_flight": 20,
		"ordeal_messages_total load=stream,scenario=checkout": 10,
	})
	run.Event(evidence.Event{Kind: evidence.PhaseEnd, Phase: "after"})
	run.Event(evidence.Event{Kind: evidence.FaultHealed, Phase: "after", Fault: "latency", Link: "client->shop"})
	run.Event(evidence.Event{Kind: evidence.LoadEnd, Load: "browse"})
	due.Store(1500) // the clock goes on, the load does not
	run.Event(evidence.Event{Kind: evidence.RunEnd, Text: "interrupted"})
	check("at the end", map[string]float64{
		after: none, latency: 0, running: none, "ordeal_calls_due_total": 40, "ordeal_calls_unissued": 10,
		"ordeal_run_info outcome=interrupted,run=20261120-checkout,scenario=checkout": 1,
	})
}

func TestRunsOfSeveralScenariosBesideEachOther(t *testing.T) {
	t.Parallel()
	exporter := NewExporter(evidence.Build{})
	server, err := Listen(t.Context(), "127.0.0.1:0", exporter)
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	for i, scenario := range []string{"a", "b", "a"} { // the second run of a takes the place of the first
		run := newRun(scenario, fmt.Sprint(i))
		exporter.Show(run)
		for range i + 1 {
			run.tally.Sample(&evidence.Sample{})
		}
	}
	got := scrape(t, server.URL())
	for scenario, want := range map[string]float64{"a": 3, "b": 2} {
		if v := value(got, "ordeal_calls_total", "class=ok,load=browse,scenario="+scenario); v != want {
			t.Errorf("scenario %s has %g calls, want %g", scenario, v, want)
		}
	}
	if n := len(got["ordeal_run_info"].GetMetric()); n != 2 {
		t.Errorf("%d runs are served, want 2", n)
	}
}

// A scrape while calls are counted is whole in itself, and no count ever falls.
func TestScrapesDuringARunAreConsistent(t *testing.T) {
	t.Parallel()
	server, run := serve(t)
	done := make(chan struct{})
	var scraped atomic.Bool
	go func() {
		defer close(done)
		for i := 0; !scraped.Load(); i++ {
			run.loads[0].Issued.Add(1)
			run.tally.Sample(&evidence.Sample{Done: time.Duration(i)})
		}
	}()
	var before uint64
	for range 20 {
		got := scrape(t, server.URL())
		h := series(got["ordeal_response_seconds"], "class=ok,load=browse,scenario=checkout").GetHistogram()
		n := int64(h.GetZeroCount())
		for _, in := range nativeBuckets(h) {
			n += in
		}
		if uint64(n) != h.GetSampleCount() || h.GetSampleCount() < before ||
			value(got, "ordeal_calls_total", "class=ok,load=browse,scenario=checkout") != float64(n) {
			t.Errorf("%d calls in buckets, count %d, %d before", n, h.GetSampleCount(), before)
		}
		if v := value(got, "ordeal_calls_in_flight", "load=browse,scenario=checkout"); v < 0 {
			t.Errorf("%g calls in flight", v)
		}
		before = h.GetSampleCount()
	}
	scraped.Store(true)
	<-done
}

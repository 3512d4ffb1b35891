package telemetry

import (
	"context"
	"errors"
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
	}, NewTally(2, true), []*atomic.Int64{new(atomic.Int64), new(atomic.Int64)}, func() int64 { return 6 })
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
		{"ordeal_evidence_waits_total", "scenario=checkout", 6},
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

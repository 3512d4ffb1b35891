package telemetry

import (
	"fmt"
	"math"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"weak"

	"ordeal/runner/evidence"
)

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

// A run that is over is shown for as long as the process lives: its schedules
// are not kept for that, and the calls that were due are no more from then on.
func TestTheEndOfARunLetsGoOfItsSchedules(t *testing.T) {
	t.Parallel()
	server, run := serve(t)
	schedule := func() weak.Pointer[[1 << 10]int64] {
		table := new([1 << 10]int64)
		table[0] = 40
		run.Started(func(load int) int64 { return table[load] })
		return weak.Make(table)
	}()
	due := func() float64 {
		return value(scrape(t, server.URL()), "ordeal_calls_due_total", "load=browse,scenario=checkout")
	}
	runtime.GC()
	if schedule.Value() == nil || due() != 40 {
		t.Fatalf("%g calls are due, want 40", due())
	}
	schedule.Value()[0] = 50
	run.Event(evidence.Event{Kind: evidence.RunEnd, Text: "failed"}) // a load that broke has no end of its own
	if n := due(); n != 50 {
		t.Errorf("%g calls were due, want 50", n)
	}
	runtime.GC()
	if schedule.Value() != nil {
		t.Error("the schedules are kept")
	}
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

package reports

import (
	"path/filepath"
	"testing"
	"time"

	"ordeal/runner/evidence"
	"ordeal/runner/verdict"
)

// writeKnownRun writes a run whose figures are plain from how it is made. All
// calls are sent 1 ms late.
//
//	browse (HTTP, open):
//	  warmup    100 calls of 5 ms
//	  steady  1,000 calls: 985 of 2 ms, 15 of 100 ms
//	  outage    100 calls of 200 planned, every other one: 50 are 503, 25 time out
//	            after 1 s, 5 break off in an answer of 200, 20 are well; 4 are sent 20 ms late
//	streams (gRPC, open):
//	  steady     50 calls: 40 of success, 10 with code 14; 2,000 messages of 4 ms,
//	            20 of them of 60 ms because they were sent 50 ms late, and 4 of those unanswered
//
// Calls come into the evidence backwards within each hundred.
func writeKnownRun(t testing.TB) string {
	t.Helper()
	m := breakerMeta()
	m.Scenario, m.Links, m.Targets = "known", nil, nil
	m.Phases = []evidence.PhaseMeta{
		{Name: "warmup", Start: at(0), For: time.Second, Warmup: true},
		{Name: "steady", Start: at(1), For: 2 * time.Second},
		{Name: "outage", Start: at(3), For: time.Second},
	}
	m.Loads = []evidence.LoadMeta{
		{Name: "browse", Engine: "http", Target: "shop", Call: "GET /items", Model: "open", Arrivals: "uniform", Shape: "500/s", Workers: 10,
			Timeout: time.Second, Planned: map[string]int64{"warmup": 100, "steady": 1000, "outage": 200}, Transport: "fast"},
		{Name: "streams", Engine: "grpc", Target: "shop", Call: "shop.v1.Shop/Watch", Model: "open", Arrivals: "uniform", Shape: "25/s", Workers: 10,
			Timeout: time.Second, Planned: map[string]int64{"steady": 50}, Messages: "From when a message was due to its answer."},
	}
	dir := filepath.Join(t.TempDir(), "run")
	w, err := evidence.Create(dir, m, []byte("ordeal: v1\n"))
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range m.Phases {
		w.Event(evidence.Event{At: p.Start, Kind: evidence.PhaseStart, Phase: p.Name})
		w.Event(evidence.Event{At: at([]float64{1, 3, 4}[i]), Kind: evidence.PhaseEnd, Phase: p.Name})
	}
	calls := knownCalls()
	for from := 0; from < len(calls); from += 100 {
		for i := min(from+100, len(calls)) - 1; i >= from; i-- {
			w.Sample(calls[i])
		}
	}
	for n := range uint64(2000) {
		x := evidence.Message{Load: 1, Call: n / 40, N: n % 40, Intended: at(1 + float64(n)/1000)}
		x.Sent = x.Intended
		if n%100 == 99 {
			x.Sent += 50 * ms
		}
		x.Done = x.Sent + 4*ms
		if n%100 == 99 {
			x.Done = x.Sent + 10*ms
		}
		if n%500 == 499 {
			x.Class = evidence.Reset
		}
		w.Message(x)
	}
	if err := w.Update(func(m *evidence.Meta) { m.Took = at(4) }); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(evidence.Completed, nil); err != nil {
		t.Fatal(err)
	}
	return dir
}

func knownCalls() []evidence.Sample {
	var calls []evidence.Sample
	call := func(load int, seq uint64, seconds float64, took time.Duration, class evidence.Class, code int) {
		x := evidence.Sample{Load: load, Seq: seq, Intended: at(seconds), Class: class, Code: code, Bytes: 100}
		x.Sent = x.Intended + ms
		if load == 0 && seq >= 1280 {
			if class == evidence.OK && seq < 1288 {
				x.Sent = x.Intended + 20*ms
			}
		}
		x.Done = x.Intended + took
		calls = append(calls, x)
	}
	for i := range uint64(100) {
		call(0, i, float64(i)/100, 5*ms, evidence.OK, 200)
	}
	for i := range uint64(1000) {
		took := 2 * ms
		if i%66 == 65 { // 15 of them
			took = 100 * ms
		}
		call(0, 100+i, 1+float64(i)/500, took, evidence.OK, 200)
	}
	for i := range uint64(100) {
		seq, due := 1100+2*i, 3+float64(i)/100
		switch {
		case i < 50:
			call(0, seq, due, 3*ms, evidence.HTTP5xx, 503)
		case i < 75:
			call(0, seq, due, time.Second, evidence.Timeout, 0)
		case i < 80:
			call(0, seq, due, 7*ms, evidence.Reset, 200)
		default:
			call(0, seq, due, 30*ms, evidence.OK, 200)
		}
	}
	for i := range uint64(50) {
		class, code := evidence.OK, 0
		if i%5 == 4 {
			class, code = evidence.GRPCStatus, 14
		}
		call(1, i, 1+float64(i)/25, 8*ms, class, code)
	}
	return calls
}

func known(t testing.TB) *Document {
	t.Helper()
	d := build(t, open(t, writeKnownRun(t)), verdict.Judgement{
		Status: verdict.Inconclusive,
		Checks: []verdict.Verdict{{Kind: "latency", Name: "browse p99.9 < 1s", Status: verdict.Inconclusive, Load: "browse", Phase: "steady"}},
	})
	if len(d.Warnings) > 0 {
		t.Fatalf("the run has warnings: %q", d.Warnings)
	}
	return d
}

func TestFiguresOfAKnownRun(t *testing.T) {
	d := known(t)
	f := d.Loads[0].Phases[2]
	if f.Calls != 100 || f.Planned != 200 || f.Unissued != 100 || f.Timeouts != 25 || f.Late != 4 || f.Errors != 80 {
		t.Errorf("the outage has %+v", f)
	}
	steady := d.Loads[0].Phases[1]
	if want := (Beyond{500, 100, 50, 10, 1}); steady.Beyond != want {
		t.Errorf("beyond the percentiles of steady lie %+v, want %+v", steady.Beyond, want)
	}
	if steady.Response.P99 == nil || steady.Response.P999 != nil {
		t.Errorf("of 1,000 calls p99 is told and p99.9 is not; got %v and %v", steady.Response.P99, steady.Response.P999)
	}
	if d.Loads[0].Whole.Unissued != 100 || d.Loads[0].Whole.Planned != 1200 || d.Loads[0].Whole.Calls != 1100 {
		t.Errorf("all but warmup is %+v", d.Loads[0].Whole)
	}
	m := d.Loads[1].Phases[1].Messages
	if m == nil || m.Count != 2000 || m.Unanswered != 4 || m.Beyond.P99 != 20 || !near(m.Response.P50, 4*ms) || !near(m.Response.Max, 60*ms) || !near(m.Service.Max, 10*ms) || !near(m.Lag.Max, 50*ms) {
		t.Errorf("messages are %+v", m)
	}
	if d.Loads[0].Phases[1].Messages != nil || d.Loads[1].Phases[2].Messages != nil {
		t.Error("there are messages where none were")
	}
	if d.Loads[0].Transport != "fast" || d.Loads[1].Messages == "" {
		t.Error("the transport, or what messages are, is missing")
	}
	if d.Generator != nil {
		t.Errorf("a generator that was not observed has figures: %+v", d.Generator)
	}
}

// near holds a figure of a histogram of three digits against the truth.
func near(got *time.Duration, want time.Duration) bool {
	return got != nil && (*got-want).Abs() <= want/500
}

// TestBeyondSaysWhenAPercentileIsTold holds what is shown as missing against
// the rule by which evidence leaves percentiles out.
func TestBeyondSaysWhenAPercentileIsTold(t *testing.T) {
	for _, n := range []int{1, 18, 19, 20, 21, 99, 100, 101, 199, 200, 999, 1000, 1001, 1010} {
		dir := filepath.Join(t.TempDir(), "run")
		m := evidence.Meta{Scenario: "s", Loads: []evidence.LoadMeta{{Name: "a"}}}
		w, err := evidence.Create(dir, m, nil)
		if err != nil {
			t.Fatal(err)
		}
		w.Event(evidence.Event{Kind: evidence.PhaseStart, Phase: "steady"})
		for i := range n {
			w.Sample(evidence.Sample{Seq: uint64(i), Done: ms})
		}
		if err := w.Close(evidence.Completed, nil); err != nil {
			t.Fatal(err)
		}
		f := build(t, open(t, dir), verdict.Judgement{}).Loads[0].Phases[0]
		for name, c := range map[string]struct {
			told   *time.Duration
			beyond int64
		}{"p50": {f.Response.P50, f.Beyond.P50}, "p90": {f.Response.P90, f.Beyond.P90}, "p95": {f.Response.P95, f.Beyond.P95}, "p99": {f.Response.P99, f.Beyond.P99}, "p99.9": {f.Response.P999, f.Beyond.P999}} {
			if (c.told != nil) != (c.beyond >= needed) {
				t.Errorf("%d calls: %s is told: %v, with %d beyond it", n, name, c.told != nil, c.beyond)
			}
		}
	}
}

package reports

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"ordeal/runner/evidence"
	"ordeal/runner/verdict"
)

const (
	ms = time.Millisecond
	// start is when the timeline of the synthetic runs begins.
	start = 1200 * ms
)

func at(seconds float64) time.Duration { return start + time.Duration(seconds*float64(time.Second)) }

// breakerMeta describes a run of 40 s: warmup, steady, outage, recovery.
func breakerMeta() evidence.Meta {
	return evidence.Meta{
		ID: "20260102-150405-breaker-opens", Scenario: "breaker-opens-and-recovers", File: "breaker-opens-and-recovers",
		About: "The gateway's breaker opens on a dead user service, sheds load fast, and closes after it is back.",
		Tags:  []string{"ci", "breaker"}, Seed: 7, Base: time.Date(2026, 1, 2, 15, 4, 5, 0, time.UTC), Start: start,
		Build:   evidence.Build{Version: "v0.1.0", Commit: "0123456789abcdef0123", Go: "go1.26.8", OS: "linux", Arch: "amd64"},
		Host:    evidence.Host{Name: "bench-1", CPUs: 2, Procs: 2, Kernel: "6.12.0", Memory: 8 << 30},
		Modules: map[string]string{"github.com/tsenart/vegeta/v12": "v12.13.0", "github.com/bojand/ghz": "v0.121.0"},
		Args:    []string{"ordeal", "run", "breaker-opens-and-recovers"},
		Hosts:   []string{"127.0.0.1"},
		Phases: []evidence.PhaseMeta{
			{Name: "warmup", Start: at(0), For: 3 * time.Second, Warmup: true},
			{Name: "steady", Start: at(3), For: 12 * time.Second},
			{Name: "outage", Start: at(15), For: 10 * time.Second, Faults: []evidence.FaultMeta{{Fault: "blackhole on gateway->users", Link: "gateway->users"}}},
			{Name: "recovery", Start: at(25), For: 15 * time.Second},
		},
		Loads: []evidence.LoadMeta{
			{Name: "browse", Engine: "http", Target: "gateway", Call: "GET /api/v1/users/42", Model: "open", Arrivals: "poisson", Shape: "300/s",
				Workers: 500, Timeout: 2 * time.Second, Planned: map[string]int64{"warmup": 900, "steady": 3600, "outage": 3000, "recovery": 4500}},
			{Name: "lookups", Engine: "grpc", Target: "users", Call: "user.v1.UserService/GetUser", Model: "closed", Arrivals: "closed", Workers: 5, Timeout: time.Second},
		},
		Targets: []evidence.TargetMeta{
			{Name: "users", Kind: "reference", Command: "ordeal target users --addr 127.0.0.1:40001", Replicas: 1, Addrs: []string{"127.0.0.1:40001"}},
			{Name: "gateway", Kind: "reference", Command: "ordeal target gateway --addr 127.0.0.1:40002", Replicas: 1, Addrs: []string{"127.0.0.1:40002"},
				Settings: map[string]string{"breaker": "on", "breaker-open": "5s"}},
		},
		Links: []evidence.LinkMeta{{Name: "gateway->users", From: "gateway", To: "users"}},
	}
}

// writeBreakerRun writes a run whose breaker opens in an outage and closes
// after it.
func writeBreakerRun(t testing.TB, meta evidence.Meta) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	w, err := evidence.Create(dir, meta, []byte("ordeal: v1\nname: breaker-opens-and-recovers\nload:\n  browse: {http: {target: gateway, get: /api/v1/users/42}, rate: 300/s}\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range breakerEvents(meta) {
		w.Event(e)
	}
	breakerSamples(w)
	breakerPoints(w, meta.Links[0].Name)
	harnessPoints(w)
	if err := w.Update(func(m *evidence.Meta) { m.Took = at(40) }); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(evidence.Completed, nil); err != nil {
		t.Fatal(err)
	}
	return dir
}

func breakerEvents(meta evidence.Meta) []evidence.Event {
	link, fault := meta.Links[0].Name, meta.Phases[2].Faults[0].Fault
	names := []string{meta.Phases[0].Name, meta.Phases[1].Name, meta.Phases[2].Name, meta.Phases[3].Name}
	return []evidence.Event{
		{At: 0, Kind: evidence.RunStart},
		{At: 400 * ms, Kind: evidence.TargetStart, Target: "users", Text: meta.Targets[0].Command},
		{At: 600 * ms, Kind: evidence.TargetReady, Target: "users", Text: "127.0.0.1:40001"},
		{At: 1100 * ms, Kind: evidence.HealthChecked, Target: "gateway", OK: true, Text: "before-load: 200"},
		{At: at(0), Kind: evidence.PhaseStart, Phase: names[0]},
		{At: at(3), Kind: evidence.PhaseEnd, Phase: names[0]},
		{At: at(3), Kind: evidence.PhaseStart, Phase: names[1]},
		{At: at(15), Kind: evidence.PhaseEnd, Phase: names[1]},
		{At: at(15), Kind: evidence.PhaseStart, Phase: names[2]},
		{At: at(15), Kind: evidence.FaultInjected, Phase: names[2], Fault: fault, Link: link},
		{At: at(20), Kind: evidence.TargetExit, Target: "users", Expected: true, Text: "signal: killed\nready\nserving <10> calls"},
		{At: at(23), Kind: evidence.TargetReady, Target: "users", Text: "127.0.0.1:40001"},
		{At: at(25), Kind: evidence.FaultHealed, Phase: names[2], Fault: fault, Link: link, Touched: &evidence.Touched{Connections: 4, Bytes: 18_400, Calls: 132}},
		{At: at(25), Kind: evidence.PhaseEnd, Phase: names[2]},
		{At: at(25), Kind: evidence.PhaseStart, Phase: names[3]},
		{At: at(26), Kind: evidence.HealthChecked, Target: "gateway", OK: true, Text: "after-heal: 200"},
		{At: at(40), Kind: evidence.PhaseEnd, Phase: names[3]},
		{At: at(40.1), Kind: evidence.RunEnd, Text: "completed"},
	}
}

// breakerSamples makes calls with latencies that look like those of a service:
// the same ones every time.
func breakerSamples(out evidence.Sink) {
	r := rand.New(rand.NewPCG(1, 2))
	spread := func(median, sigma float64) time.Duration {
		return time.Duration(median*math.Exp(sigma*r.NormFloat64())*1e6) / 1000 * 1000
	}
	seq := uint64(0)
	for s := 0.0; s < 40; s += 1.0 / 300 {
		x := evidence.Sample{Seq: seq, Intended: at(s), Code: 200, Bytes: 180, Backend: "gateway-0"}
		x.Sent = x.Intended + spread(0.05, 0.8)
		took := spread(2.4, 0.45)
		switch {
		case s >= 15 && s < 15.45: // the breaker has not opened yet
			took, x.Class, x.Code = 500*ms+spread(1, 0.3), evidence.HTTP5xx, 503
		case s >= 15.45 && s < 26.2: // shed fast; a probe now and then
			took, x.Mark = spread(0.6, 0.4), "breaker-open"
			if seq%700 == 0 {
				took, x.Class, x.Code, x.Mark = 500*ms, evidence.Timeout, 0, ""
			}
		case seq%1700 == 3:
			took = spread(40, 0.2)
		}
		x.Done = x.Sent + took
		out.Sample(x)
		seq++
	}
	for client := range 5 {
		for s := float64(client) / 50; s < 40; s += 0.1 {
			x := evidence.Sample{Load: 1, Seq: seq, Intended: at(s), Sent: at(s), Done: at(s) + spread(1.1, 0.5)}
			out.Sample(x)
			seq++
		}
	}
}

func breakerPoints(out evidence.Sink, link string) {
	calls := 0.0
	for s := 0.0; s < 40; s += 0.05 {
		if s < 15.45 || s > 26.2 {
			calls += 15
		}
		out.Point(evidence.Point{At: at(s), Target: link, Name: "link_calls_total", Value: calls})
		out.Point(evidence.Point{At: at(s), Target: link, Name: "link_bytes_down_total", Value: calls * 120})
	}
	for s := 0.0; s < 40; s += 0.25 {
		state := 0.0
		switch {
		case s >= 15.5 && s < 20.5, s >= 20.75 && s < 25.75:
			state = 1
		case s >= 20.5 && s < 20.75, s >= 25.75 && s < 26.25:
			state = 2
		}
		out.Point(evidence.Point{At: at(s), Target: "gateway", Name: "breaker_state", Labels: `breaker="users"`, Value: state})
	}
}

// harnessPoints are those of a generator that uses half a core, and a whole one
// in the outage, on a machine where all else uses a quarter of one. Its
// collector pauses once, and its scheduler is slower in the outage.
func harnessPoints(out evidence.Sink) {
	var own, others float64
	for s := -0.5; s < 40.25; s += 0.5 {
		put := func(name, labels string, v float64) {
			out.Point(evidence.Point{At: at(s), Target: "ordeal", Name: name, Labels: labels, Value: v})
		}
		outage := s >= 15 && s < 25
		put("harness_cpu_seconds_total", "", own)
		put("machine_cpu_seconds_total", `mode="user"`, own*0.75+others)
		put("machine_cpu_seconds_total", `mode="system"`, own*0.25)
		put("machine_cpu_seconds_total", `mode="guest"`, 7*s+100)
		put("machine_cpu_seconds_total", `mode="idle"`, 9*s+100)
		own, others = own+0.25, others+0.125
		p99, most, pause := 80e-6, 300e-6, 0.0
		if outage {
			own, p99, most = own+0.25, 1.2e-3, 9e-3
		}
		if s == 10 {
			pause = 2.5e-3
		}
		put("harness_sched_latency_seconds", `quantile="0.99"`, p99)
		put("harness_sched_latency_seconds", `quantile="1"`, most)
		put("harness_gc_pause_seconds", `quantile="0.99"`, pause/2)
		put("harness_gc_pause_seconds", `quantile="1"`, pause)
	}
}

// breakerJudgement has every status and a compound check in it.
func breakerJudgement() verdict.Judgement {
	return verdict.Judgement{
		Status: verdict.Fail,
		Validity: []verdict.Verdict{
			{Kind: "offered-rate", Name: "browse was offered at the planned rate", Status: verdict.Pass, Measured: "99.9%", Limit: ">= 98%", Load: "browse"},
			{Kind: "send-lag", Name: "send lag is small against what is measured", Status: verdict.Pass, Measured: "0.21ms", Limit: "< 0.5ms"},
			{Kind: "starved", Name: "the generator had the CPU it needed", Status: verdict.Inconclusive, Measured: "96%", Limit: "< 90%",
				Why: "The machine was busy 96% of the time in outage: latencies there are of the machine as much as of the service."},
			{Kind: "fault-hit", Name: "blackhole on gateway->users touched traffic", Status: verdict.Pass, Measured: "4 connections"},
		},
		Checks: []verdict.Verdict{
			{Kind: "latency", Name: "browse p99 < 50ms during steady", Status: verdict.Pass, Measured: "7.1ms", Limit: "< 50ms", Margin: "86%", Load: "browse", Phase: "steady"},
			{Kind: "errors", Name: "browse error ratio < 0.1% during steady", Status: verdict.Pass, Measured: "0%", Limit: "< 0.1%", Margin: "100%", Load: "browse", Phase: "steady"},
			{Kind: "breaker", Name: "breaker of gateway on users opens, sheds and closes around outage", Status: verdict.Fail, Measured: "1.2s", Limit: "<= 1s", Margin: "-20%", Target: "gateway",
				Why: "The breaker opened 1.2s after the fault, 0.2s later than allowed.",
				Parts: []verdict.Part{
					{Name: "opens within", Status: verdict.Fail, Measured: "1.2s", Limit: "<= 1s", Why: "First rejected call 1.2s after the fault."},
					{Name: "sheds", Status: verdict.Pass, Measured: "100%", Limit: ">= 100%"},
					{Name: "closes within", Status: verdict.Pass, Measured: "1.3s", Limit: "<= 10s"},
				}},
			{Kind: "latency", Name: "lookups p99.9 < 20ms during steady", Status: verdict.Inconclusive, Limit: "< 20ms", Load: "lookups", Phase: "steady",
				Why: "p99.9 needs 10,000 calls, there are 600."},
		},
	}
}

// open opens a run directory for a test.
func open(t testing.TB, dir string) *evidence.Run {
	t.Helper()
	run, err := evidence.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	run.Meta.Waits = 0 // of the disk that the tests have
	return run
}

// kill makes of a finished run one whose harness was killed.
func kill(t testing.TB, dir string) {
	t.Helper()
	path := filepath.Join(dir, "run.json")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var m evidence.Meta
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	m.Outcome, m.Took, m.Files = evidence.Running, 0, nil
	if text, err = json.Marshal(m); err != nil {
		t.Fatal(err)
	}
	overwrite(t, path, string(text))
}

func overwrite(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

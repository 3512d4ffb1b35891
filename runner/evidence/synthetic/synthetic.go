// Package synthetic writes run directories of any size without a run: calls,
// series and events that fit together, as the real Writer keeps them. What reads
// evidence is measured and tested with them.
package synthetic

import (
	_ "embed"
	"fmt"
	"strings"
	"text/template"
	"time"

	"ordeal/runner/evidence"
)

// Options say how large a run is.
type Options struct {
	Calls int           // of both loads together
	For   time.Duration // of the timeline; from the calls, at 20,000/s but at least 40 s, where 0
}

// The loads, in the order of Meta.Loads.
const (
	browse  = 0 // HTTP to the gateway, through its breaker
	lookups = 1 // gRPC to the users service
)

const (
	usualRate = 20_000 // calls a second
	shortest  = 40 * time.Second
	start     = 1500 * time.Millisecond // of the timeline, on the clock of the run
	fault     = "blackhole on gateway->users"
	link      = "gateway->users"
)

//go:embed scenario.yaml
var scenario string

// Write makes a run directory: a warm-up, a steady phase, an outage behind a
// circuit breaker, and the recovery from it. The same options give the same
// calls, series and events. The scenario in it has a check of every kind, all
// of which pass.
func Write(dir string, o Options) error {
	p := newPlan(o)
	text, err := p.scenario()
	if err != nil {
		return err
	}
	w, err := evidence.Create(dir, p.meta(), text)
	if err != nil {
		return err
	}
	p.events(w)
	newRun(p, w).play()
	if err := w.Update(func(m *evidence.Meta) { m.Took = p.end() }); err != nil {
		return err
	}
	return w.Close(evidence.Completed, nil)
}

// phase is one of the timeline, with its calls by load.
type phase struct {
	name    string
	from    time.Duration // from the start of the timeline
	length  time.Duration
	planned [2]int64
}

func (p phase) until() time.Duration { return p.from + p.length }

// plan is the run before it is written.
type plan struct {
	rate   [2]int // calls a second by load
	phases []phase
	base   time.Time
}

func newPlan(o Options) *plan {
	length := o.For
	if length == 0 {
		length = max(shortest, time.Duration(float64(o.Calls)/usualRate*float64(time.Second)).Round(time.Second))
	}
	perSecond := max(2, int(float64(o.Calls)/length.Seconds()))
	p := &plan{base: time.Date(2026, 1, 2, 15, 4, 5, 0, time.UTC)}
	p.rate[browse] = perSecond * 3 / 5
	p.rate[lookups] = perSecond - p.rate[browse]
	var at time.Duration
	for _, part := range []struct {
		name  string
		share float64
	}{{"warmup", 0.05}, {"steady", 0.35}, {"outage", 0.25}, {"recovery", 0.35}} {
		ph := phase{name: part.name, from: at, length: time.Duration(float64(length) * part.share).Round(time.Second)}
		for l := range p.rate {
			ph.planned[l] = p.callsBefore(l, ph.until()) - p.callsBefore(l, ph.from)
		}
		p.phases = append(p.phases, ph)
		at = ph.until()
	}
	return p
}

// callsBefore is how many calls of a load the schedule has before an offset.
func (p *plan) callsBefore(load int, at time.Duration) int64 {
	n := int64(at.Seconds() * float64(p.rate[load]))
	for p.due(load, n) < at {
		n++
	}
	for n > 0 && p.due(load, n-1) >= at {
		n--
	}
	return n
}

// due is when the schedule has call n of a load.
func (p *plan) due(load int, n int64) time.Duration {
	return time.Duration(float64(n) / float64(p.rate[load]) * float64(time.Second))
}

func (p *plan) phase(name string) phase {
	for _, ph := range p.phases {
		if ph.name == name {
			return ph
		}
	}
	return phase{}
}

func (p *plan) length() time.Duration { return p.phases[len(p.phases)-1].until() }

func (p *plan) end() time.Duration { return start + p.length() }

func (p *plan) scenario() ([]byte, error) {
	t, err := template.New("scenario").Parse(scenario)
	if err != nil {
		return nil, fmt.Errorf("making the scenario: %w", err)
	}
	data := map[string]any{"Browse": p.rate[browse], "Lookups": p.rate[lookups]}
	for _, ph := range p.phases {
		data[ph.name] = ph.length
	}
	var out strings.Builder
	if err := t.Execute(&out, data); err != nil {
		return nil, fmt.Errorf("making the scenario: %w", err)
	}
	return []byte(out.String()), nil
}

func (p *plan) meta() evidence.Meta {
	m := evidence.Meta{
		Scenario: "synthetic", File: "synthetic", Seed: 7, Base: p.base, Start: start,
		About: "An outage behind a circuit breaker, written without a run.",
		Build: evidence.Build{Version: "devel", Go: "go1.26", OS: "linux", Arch: "amd64"},
		Host:  evidence.Host{Name: "nowhere", CPUs: 2, Procs: 2, Memory: 8 << 30},
		Args:  []string{"ordeal", "run", "synthetic"}, Hosts: []string{"127.0.0.1"},
		Targets: []evidence.TargetMeta{
			{Name: "users", Kind: "reference", Replicas: 1, Addrs: []string{"127.0.0.1:40001"}},
			{Name: "gateway", Kind: "reference", Replicas: 1, Addrs: []string{"127.0.0.1:40002"}, Settings: map[string]string{"breaker": "on"}},
		},
		Links: []evidence.LinkMeta{{Name: link, From: "gateway", To: "users"}},
		Loads: []evidence.LoadMeta{
			{Name: "browse", Engine: "http", Target: "gateway", Call: "GET /api/v1/users/42", Transport: "fast"},
			{Name: "lookups", Engine: "grpc", Target: "users", Call: "user.v1.UserService/GetUser"},
		},
	}
	for i := range m.Loads {
		l := &m.Loads[i]
		l.Model, l.Arrivals, l.Workers, l.Timeout = "open", "uniform", 20_000, 2*time.Second
		l.Shape, l.Planned = fmt.Sprintf("%d/s", p.rate[i]), map[string]int64{}
		for _, ph := range p.phases {
			l.Planned[ph.name] = ph.planned[i]
		}
	}
	for _, ph := range p.phases {
		pm := evidence.PhaseMeta{Name: ph.name, Start: start + ph.from, For: ph.length, Warmup: ph.name == "warmup"}
		if ph.name == "outage" {
			pm.Faults = []evidence.FaultMeta{{Fault: fault, Link: link}}
		}
		m.Phases = append(m.Phases, pm)
	}
	return m
}

func (p *plan) events(out evidence.Sink) {
	const ms = time.Millisecond
	out.Event(evidence.Event{Kind: evidence.RunStart})
	for i, target := range []string{"users", "gateway"} {
		at := time.Duration(400+100*i) * ms
		out.Event(evidence.Event{At: at, Kind: evidence.TargetStart, Target: target, Text: "ordeal target " + target})
		out.Event(evidence.Event{At: at + 50*ms, Kind: evidence.TargetReady, Target: target, Text: fmt.Sprintf("127.0.0.1:4000%d", 1+i)})
		out.Event(evidence.Event{At: start - 100*ms, Kind: evidence.HealthChecked, Target: target, OK: true, Text: "before-load: healthy"})
	}
	for _, load := range []string{"browse", "lookups"} {
		out.Event(evidence.Event{At: start, Kind: evidence.LoadStart, Load: load})
		out.Event(evidence.Event{At: p.end(), Kind: evidence.LoadEnd, Load: load})
	}
	for _, ph := range p.phases {
		from, until := start+ph.from, start+ph.until()
		out.Event(evidence.Event{At: from, Kind: evidence.PhaseStart, Phase: ph.name})
		if ph.name == "outage" {
			out.Event(evidence.Event{At: from, Kind: evidence.FaultInjected, Phase: ph.name, Fault: fault, Link: link})
			out.Event(evidence.Event{At: until, Kind: evidence.FaultHealed, Phase: ph.name, Fault: fault, Link: link,
				Touched: &evidence.Touched{Connections: 4, Bytes: 18_400, Calls: 132}})
		}
		out.Event(evidence.Event{At: until, Kind: evidence.PhaseEnd, Phase: ph.name})
	}
	for _, target := range []string{"users", "gateway"} {
		out.Event(evidence.Event{At: p.end() + 200*ms, Kind: evidence.HealthChecked, Target: target, OK: true, Text: "after-load: healthy"})
	}
	out.Event(evidence.Event{At: p.end() + 500*ms, Kind: evidence.RunEnd, Text: "completed"})
}

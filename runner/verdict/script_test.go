package verdict

import (
	"cmp"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"ordeal/runner/evidence"
)

const (
	timelineStart = 2 * time.Second
	ms            = time.Millisecond
)

// script writes the evidence of a run that never happened: what is told here is
// all that the checks can know of it.
type script struct {
	t      testing.TB
	meta   evidence.Meta
	calls  []evidence.Sample
	points []evidence.Point
	events []evidence.Event

	messages []evidence.Message

	cut  string // the phase in which the run ended, "" where it came to its end
	sick string // the target that is not healthy at the end
	seq  uint64

	unbegun bool // the run ended before its first phase
}

type phase struct {
	name string
	took time.Duration
}

// play begins a script with the phases one after the other and one load,
// "browse", on the target "gateway".
func play(t testing.TB, phases ...phase) *script {
	s := &script{t: t}
	at := timelineStart
	for _, p := range phases {
		s.meta.Phases = append(s.meta.Phases, evidence.PhaseMeta{Name: p.name, Start: at, For: p.took, Warmup: p.name == "warmup"})
		at += p.took
	}
	s.meta.Base = time.Unix(1_790_000_000, 123_456_789)
	s.meta.Start, s.meta.Took = timelineStart, at
	s.meta.Targets = []evidence.TargetMeta{{Name: "gateway", Kind: "reference", Replicas: 1}}
	s.load("browse")
	s.event(evidence.Event{At: time.Second, Kind: evidence.TargetStart, Target: "gateway"})
	return s
}

func (s *script) load(name string) *evidence.LoadMeta {
	s.meta.Loads = append(s.meta.Loads, evidence.LoadMeta{
		Name: name, Engine: "http", Target: "gateway", Model: "open", Workers: 100, Timeout: 2 * time.Second, Planned: map[string]int64{},
	})
	return &s.meta.Loads[len(s.meta.Loads)-1]
}

func (s *script) phase(name string) (start, end time.Duration) {
	for _, p := range s.meta.Phases {
		if p.Name == name {
			return p.Start, p.Start + p.For
		}
	}
	s.t.Fatalf("no phase %q", name)
	return 0, 0
}

func (s *script) event(e evidence.Event) { s.events = append(s.events, e) }

// steadily sends calls of the first load at an even rate during a phase. shape,
// unless nil, changes each call, which otherwise takes 2 ms and succeeds; false
// leaves it out.
func (s *script) steadily(name string, perSecond int, shape func(i int, c *evidence.Sample) bool) {
	start, end := s.phase(name)
	gap := time.Second / time.Duration(perSecond)
	for i, at := 0, start; at < end; i, at = i+1, at+gap {
		s.meta.Loads[0].Planned[name]++
		c := evidence.Sample{Seq: s.seq, Intended: at, Sent: at, Done: at + 2*ms, Code: 200}
		s.seq++
		if shape == nil || shape(i, &c) {
			s.calls = append(s.calls, c)
		}
	}
}

// fault acts during a whole phase, but for a moment at either end.
func (s *script) fault(phase, link string, touched *evidence.Touched) (inject, heal time.Duration) {
	start, end := s.phase(phase)
	e := evidence.Event{Phase: phase, Fault: "blackhole on " + link, Link: link}
	inject, heal = start+3*ms, end-3*ms
	e.At, e.Kind = inject, evidence.FaultInjected
	s.event(e)
	e.At, e.Kind, e.Touched = heal, evidence.FaultHealed, touched
	s.event(e)
	for i := range s.meta.Phases {
		if p := &s.meta.Phases[i]; p.Name == phase {
			p.Faults = append(p.Faults, evidence.FaultMeta{Fault: e.Fault, Link: link})
		}
	}
	return inject, heal
}

var bitten = &evidence.Touched{Connections: 3, Bytes: 4096, Calls: 12}

// series reads a value at even distances over the whole timeline.
func (s *script) series(target, name, labels string, every time.Duration, value func(at time.Duration) float64) {
	for at := s.meta.Start; at <= s.meta.Took; at += every {
		s.points = append(s.points, evidence.Point{At: at, Target: target, Name: name, Labels: labels, Value: value(at)})
	}
}

// end writes the run directory and opens it.
func (s *script) end() *evidence.Run { return s.endAs(evidence.Completed) }

func (s *script) endAs(outcome evidence.Outcome) *evidence.Run {
	s.t.Helper()
	run, err := evidence.Open(s.write(outcome))
	if err != nil {
		s.t.Fatal(err)
	}
	return run
}

func (s *script) write(outcome evidence.Outcome) (dir string) {
	s.t.Helper()
	dir = filepath.Join(s.t.TempDir(), "run")
	w, err := evidence.Create(dir, s.meta, []byte("ordeal: v1\n"))
	if err != nil {
		s.t.Fatal(err)
	}
	s.timeline()
	slices.SortStableFunc(s.events, func(a, b evidence.Event) int { return cmp.Compare(a.At, b.At) })
	for _, e := range s.events {
		w.Event(e)
	}
	for _, c := range s.calls {
		w.Sample(c)
	}
	for _, m := range s.messages {
		w.Message(m)
	}
	slices.SortStableFunc(s.points, func(a, b evidence.Point) int { return cmp.Compare(a.At, b.At) })
	for _, p := range s.points {
		w.Point(p)
	}
	if err := w.Close(outcome, nil); err != nil {
		s.t.Fatal(err)
	}
	return dir
}

// timeline adds what every run has.
func (s *script) timeline() {
	if s.unbegun {
		return
	}
	health := func(at time.Duration, ok bool, text string) {
		s.event(evidence.Event{At: at, Kind: evidence.HealthChecked, Target: "gateway", OK: ok, Text: text})
	}
	health(timelineStart-ms, true, "before-load: ok")
	for _, p := range s.meta.Phases {
		s.event(evidence.Event{At: p.Start, Kind: evidence.PhaseStart, Phase: p.Name})
		if p.Name == s.cut {
			s.event(evidence.Event{At: p.Start + p.For/2, Kind: evidence.PhaseEnd, Phase: p.Name, Text: "cut short"})
			return
		}
		s.event(evidence.Event{At: p.Start + p.For, Kind: evidence.PhaseEnd, Phase: p.Name})
	}
	health(s.meta.Took+ms, s.sick == "", "after-load: looked")
	s.event(evidence.Event{At: s.meta.Took + 2*ms, Kind: evidence.TargetExit, Target: "gateway", Expected: true})
	s.event(evidence.Event{At: s.meta.Took + 3*ms, Kind: evidence.RunEnd, Text: string(evidence.Completed)})
}

// of parses the text of a limit.
func of[T any, P interface {
	*T
	UnmarshalText([]byte) error
}](t testing.TB, text string) P {
	t.Helper()
	p := P(new(T))
	if err := p.UnmarshalText([]byte(text)); err != nil {
		t.Fatal(err)
	}
	return p
}

// judgeBy judges a run by one check, with the run's validity.
func judgeBy(t testing.TB, run *evidence.Run, c Check) Verdict {
	t.Helper()
	j := Judge(run, []Check{c})
	if len(j.Checks) != 1 {
		t.Fatalf("%d verdicts for one check", len(j.Checks))
	}
	v := j.Checks[0]
	if v.Name == "" || v.Kind == "" {
		t.Errorf("a verdict without a name: %+v", v)
	}
	if v.Status != Pass && v.Why == "" {
		t.Errorf("%s is %s without a reason", v.Name, v.Status)
	}
	return v
}

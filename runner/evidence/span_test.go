package evidence

import (
	"reflect"
	"testing"
	"time"
)

func TestPhasesAreWhatReallyHappened(t *testing.T) {
	const s = time.Second
	meta := Meta{Phases: []PhaseMeta{
		{Name: "warmup", Start: 100, For: s, Warmup: true}, {Name: "outage", Start: s, For: s}, {Name: "recovery", Start: 2 * s, For: 5 * s},
	}}
	inject := Event{At: 1100, Kind: FaultInjected, Phase: "outage", Fault: "blackhole", Link: "a->b"}
	heal := Event{At: 2200, Kind: FaultHealed, Phase: "outage", Fault: "blackhole", Link: "a->b", Touched: &Touched{Connections: 3}}
	outage := FaultSpan{Phase: "outage", Fault: "blackhole", Link: "a->b", Injected: 1100, Healed: 2200, WasInjected: true, WasHealed: true, Touched: heal.Touched}
	start := func(at time.Duration, p string) Event { return Event{At: at, Kind: PhaseStart, Phase: p} }
	end := func(at time.Duration, p, text string) Event {
		return Event{At: at, Kind: PhaseEnd, Phase: p, Text: text}
	}
	warm := Span{Name: "warmup", Start: 100, End: 1000, Planned: s, Complete: true, Warmup: true}
	for name, c := range map[string]struct {
		events []Event
		last   time.Duration
		want   []Span
	}{
		"all went well": {
			[]Event{start(100, "warmup"), end(1000, "warmup", ""), start(1050, "outage"), inject, end(2100, "outage", ""), heal, start(2300, "recovery"), end(9000, "recovery", "")}, 9000,
			[]Span{warm, {Name: "outage", Start: 1050, End: 2100, Planned: s, Complete: true, Faults: []FaultSpan{outage}}, {Name: "recovery", Start: 2300, End: 9000, Planned: 5 * s, Complete: true}},
		},
		"told a little after the edge of the schedule": {
			[]Event{start(5*time.Millisecond, "warmup"), end(s+3*time.Millisecond, "warmup", ""), start(s+4*time.Millisecond, "outage"), end(2*s+1, "outage", "")}, 3 * s,
			[]Span{{Name: "warmup", Start: 100, End: s + 100, Planned: s, Complete: true, Warmup: true}, {Name: "outage", Start: s, End: 2 * s, Planned: s, Complete: true}},
		},
		"cut short": {
			[]Event{start(100, "warmup"), end(1000, "warmup", ""), start(1050, "outage"), end(1500, "outage", "cut short")}, 9000,
			[]Span{warm, {Name: "outage", Start: 1050, End: 1500, Planned: s}},
		},
		"killed early": {
			[]Event{start(100, "warmup"), end(1000, "warmup", ""), start(1050, "outage"), inject}, 1500,
			[]Span{warm, {Name: "outage", Start: 1050, End: 1500, Planned: s, Faults: []FaultSpan{{Phase: "outage", Fault: "blackhole", Link: "a->b", Injected: 1100, WasInjected: true}}}},
		},
		"killed, with evidence past the plan": {
			[]Event{start(0, "outage")}, 3 * s,
			[]Span{{Name: "outage", Start: 0, End: s, Planned: s}},
		},
		"a phase without end": {
			[]Event{start(100, "warmup"), start(1050, "outage"), {At: 1800, Kind: RunEnd}}, 9000,
			[]Span{{Name: "warmup", Start: 100, End: 1050, Planned: s, Warmup: true}, {Name: "outage", Start: 1050, End: 1800, Planned: s}},
		},
		"a fault that could not be healed": {
			[]Event{start(100, "warmup"), {At: 200, Kind: FaultInjected, Phase: "warmup", Fault: "x"}, {At: 900, Kind: FaultFailed, Phase: "warmup", Fault: "x", Text: "heal: no"}, end(1000, "warmup", "")}, 1000,
			[]Span{{Name: "warmup", Start: 100, End: 1000, Planned: s, Complete: true, Warmup: true, Faults: []FaultSpan{{Phase: "warmup", Fault: "x", Injected: 200, WasInjected: true, Failed: "heal: no"}}}},
		},
		"a run that ended before its timeline": {
			[]Event{{At: 1, Kind: RunStart}, {At: 1500 * time.Millisecond, Kind: RunEnd}}, 1500 * time.Millisecond,
			nil,
		},
		"no events": {
			nil, 1500 * time.Millisecond,
			[]Span{{Name: "warmup", Start: 100, End: s + 100, Planned: s, Complete: true, Warmup: true}, {Name: "outage", Start: s, End: 1500 * time.Millisecond, Planned: s}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := spans(&meta, c.events, c.last); !reflect.DeepEqual(got, c.want) {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
		})
	}
}

func TestTheSameFaultTwiceIsTwoFaults(t *testing.T) {
	e := func(at time.Duration, k Kind) Event {
		return Event{At: at, Kind: k, Phase: "p", Fault: "kill", Target: "users"}
	}
	got := faultSpans([]Event{e(1, FaultInjected), e(2, FaultHealed), e(3, FaultInjected), e(4, FaultHealed), e(5, FaultHealed)})
	if len(got) != 2 || got[1].Injected != 3 || got[1].Healed != 4 || got[0].Healed != 2 {
		t.Errorf("got %+v", got)
	}
}

func TestPhaseAtGivesGapsToTheEarlierPhase(t *testing.T) {
	r := &Run{phases: []Span{{Name: "a", Start: 10, End: 20}, {Name: "b", Start: 25, End: 30}}}
	for at, want := range map[time.Duration]string{5: "", 10: "a", 22: "a", 25: "b", 99: "b"} {
		if got, ok := r.PhaseAt(at); got.Name != want || ok != (want != "") {
			t.Errorf("at %d: %q, want %q", at, got.Name, want)
		}
		if at >= 10 && (tallyAt(r, at) != want) {
			t.Errorf("the summary puts %d into %q, want %q", at, tallyAt(r, at), want)
		}
	}
	if a, _ := r.Phase("a"); a.Contains(20) || !a.Contains(10) || a.Took() != 10 {
		t.Errorf("%+v", a)
	}
}

func tallyAt(r *Run, at time.Duration) string {
	for from := range r.phases { // wherever the last call was
		t := tally{phases: r.phases, phase: from}
		if i := t.phaseAt(at); r.phases[i].Name != r.phases[tallyFirst(r, at)].Name {
			return "another one from there"
		}
	}
	return r.phases[tallyFirst(r, at)].Name
}

func tallyFirst(r *Run, at time.Duration) int {
	t := tally{phases: r.phases}
	return t.phaseAt(at)
}

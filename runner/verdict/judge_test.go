package verdict

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ordeal/runner/evidence"
)

type crashing struct{ name string }

func (c crashing) Judge(*evidence.Run) Verdict { panic("index out of range") }

func (c crashing) String() string {
	if c.name == "" {
		panic("no name either")
	}
	return c.name
}

func TestACheckThatCrashesIsInconclusive(t *testing.T) {
	s := twoPhases(t)
	s.steadily("steady", 100, nil)
	s.steadily("peak", 100, nil)
	sound := &Errors{Load: "browse", During: Phases{"steady"}, Ratio: of[RatioLimit](t, "< 5%")}
	j := Judge(s.end(), []Check{crashing{"wild"}, crashing{}, sound})
	if j.Status != Inconclusive || len(j.Checks) != 3 {
		t.Fatalf("%+v", j)
	}
	want(t, j.Checks[0], Inconclusive, "the check crashed: index out of range")
	if j.Checks[0].Name != "wild" || j.Checks[1].Name == "" {
		t.Errorf("names %q and %q", j.Checks[0].Name, j.Checks[1].Name)
	}
	want(t, j.Checks[1], Inconclusive, "the check crashed")
	want(t, j.Checks[2], Pass, "")
}

func TestTheWorstVerdictDecides(t *testing.T) {
	s := twoPhases(t)
	s.steadily("steady", 100, nil)
	run := s.end()
	good := &Errors{Load: "browse", During: Phases{"steady"}, Ratio: of[RatioLimit](t, "< 5%")}
	open := &Errors{Load: "browse", During: Phases{"peak"}, Ratio: of[RatioLimit](t, "< 5%")}
	bad := &Errors{Load: "browse", During: Phases{"steady"}, Ratio: of[RatioLimit](t, "> 5%")}
	for _, c := range []struct {
		checks []Check
		want   Status
	}{{nil, Pass}, {[]Check{good}, Pass}, {[]Check{open, good}, Inconclusive}, {[]Check{bad, open, good}, Fail}} {
		if j := Judge(run, c.checks); j.Status != c.want {
			t.Errorf("%d checks: %s, want %s: %+v", len(c.checks), j.Status, c.want, j)
		}
	}
	text, err := json.Marshal(Judge(run, []Check{bad}))
	if err != nil || !strings.Contains(string(text), `"status":"fail"`) || !strings.Contains(string(text), `"kind":"errors"`) {
		t.Errorf("%s, %v", text, err)
	}
}

// validityOf is the first verdict of a kind that did not pass.
func validityOf(t testing.TB, j Judgement, kind string) Verdict {
	t.Helper()
	for _, v := range j.Validity {
		if v.Status == Fail {
			t.Errorf("validity fails: %+v", v)
		}
		if v.Kind == kind && v.Status != Pass {
			return v
		}
	}
	t.Errorf("nothing is wrong about %s: %+v", kind, j.Validity)
	return Verdict{}
}

// faulty plays a run with a fault in its second phase. Every check below would
// pass, or fail, if the run were sound.
func faulty(t testing.TB, touched *evidence.Touched, change func(*script)) *evidence.Run {
	s := play(t, phase{"steady", 2 * time.Second}, phase{"outage", 2 * time.Second}, phase{"after", 2 * time.Second})
	for _, p := range s.meta.Phases {
		s.steadily(p.Name, 100, nil)
	}
	s.fault("outage", "gateway->users", touched)
	if change != nil {
		change(s)
	}
	return s.end()
}

func during(t testing.TB, phase string, ratio string) *Errors {
	return &Errors{Load: "browse", During: Phases{phase}, Ratio: of[RatioLimit](t, ratio)}
}

const (
	passing = "< 5%"
	failing = "> 5%"
)

func TestASoundRunIsValid(t *testing.T) {
	j := Judge(faulty(t, bitten, nil), []Check{during(t, "steady", passing), during(t, "outage", passing), during(t, "after", failing)})
	for _, v := range j.Validity {
		if v.Status != Pass {
			t.Errorf("%+v", v)
		}
	}
	if kinds := []string{"completed", "offered rate", "generator", "fault", "health", "evidence"}; true {
		for _, k := range kinds {
			if kindIndex(j.Validity, k) < 0 {
				t.Errorf("nothing is said of %q", k)
			}
		}
	}
	if j.Checks[0].Status != Pass || j.Checks[1].Status != Pass || j.Checks[2].Status != Fail {
		t.Errorf("%+v", j.Checks)
	}
}

// What is wrong with a run is taken out on the checks that rest on it, and on no others.
func TestWhatTheRunCannotCarryIsInconclusive(t *testing.T) {
	dropFault := func(kind evidence.Kind, text string) func(*script) {
		return func(s *script) {
			for i := range s.events {
				if s.events[i].Kind == kind {
					s.events[i].Kind, s.events[i].Text, s.events[i].Touched = evidence.FaultFailed, text, nil
				}
			}
		}
	}
	for name, c := range map[string]struct {
		touched                    *evidence.Touched
		change                     func(*script)
		kind, says                 string
		steady, outage, after, bad Status // bad: a check on the outage that fails otherwise
	}{
		"the fault touched nothing": {&evidence.Touched{}, nil, "fault", "acted on no traffic", Pass, Inconclusive, Pass, Inconclusive},
		"the fault was not injected": {bitten, dropFault(evidence.FaultInjected, "inject: no such link"), "fault", "could not be injected: inject: no such link",
			Pass, Inconclusive, Pass, Inconclusive},
		"the heal failed": {bitten, dropFault(evidence.FaultHealed, "heal: proxy is gone"), "heal", "healing it failed: heal: proxy is gone",
			Pass, Inconclusive, Inconclusive, Inconclusive},
		"a planned fault was left out": {bitten, func(s *script) {
			s.meta.Phases[2].Faults = []evidence.FaultMeta{{Fault: "reset on gateway->users"}}
		}, "fault", "reset on gateway->users was never injected", Pass, Pass, Inconclusive, Fail},
		"a target was sick before": {bitten, func(s *script) {
			s.event(evidence.Event{At: timelineStart - 2*ms, Kind: evidence.HealthChecked, Target: "users", Text: "before-load: refused"})
		}, "health", "users was not healthy before the load", Inconclusive, Inconclusive, Inconclusive, Inconclusive},
		"a target is sick at the end": {bitten, func(s *script) { s.sick = "gateway" },
			"health", "gateway was not healthy at", Inconclusive, Inconclusive, Inconclusive, Fail},
		"samples were lost": {bitten, func(s *script) {
			s.event(evidence.Event{})
			s.calls = append(s.calls, evidence.Sample{Load: 7, Intended: 3 * time.Second})
		},
			"evidence", "1 call outside the timeline", Inconclusive, Inconclusive, Inconclusive, Inconclusive},
		"the generator was starved": {bitten, func(s *script) {
			start, end := s.phase("outage")
			for i := range s.calls {
				if c := &s.calls[i]; c.Intended >= start && c.Intended < end {
					c.Sent, c.Done = c.Sent+200*ms, c.Done+200*ms
				}
			}
		}, "generator", "the generator was starved during outage", Pass, Inconclusive, Pass, Inconclusive},
	} {
		t.Run(name, func(t *testing.T) {
			j := Judge(faulty(t, c.touched, c.change), []Check{
				during(t, "steady", passing), during(t, "outage", passing), during(t, "after", passing), during(t, "outage", failing),
			})
			if v := validityOf(t, j, c.kind); !strings.Contains(v.Why, c.says) {
				t.Errorf("%s: %q does not say %q", c.kind, v.Why, c.says)
			}
			for i, status := range []Status{c.steady, c.outage, c.after, c.bad} {
				v := j.Checks[i]
				if v.Status != status {
					t.Errorf("%s: %s (%s), want %s", v.Name, v.Status, v.Why, status)
				}
				if v.Status == Inconclusive && !strings.Contains(v.Why, c.says) {
					t.Errorf("%s: why %q does not say %q", v.Name, v.Why, c.says)
				}
			}
		})
	}
}

// A target whose last look found it well is well, though one right after the heal did not.
func TestATargetMayNeedAMomentAfterTheHeal(t *testing.T) {
	run := faulty(t, bitten, func(s *script) {
		_, end := s.phase("outage")
		s.event(evidence.Event{At: end, Kind: evidence.HealthChecked, Target: "gateway", Text: "after-heal: refused"})
	})
	want(t, judgeBy(t, run, during(t, "after", passing)), Pass, "")
}

func TestAnInterruptedRunIsJudgedAsFarAsItGoes(t *testing.T) {
	s := twoPhases(t)
	s.steadily("steady", 100, nil)
	s.steadily("peak", 100, nil)
	s.cut = "peak"
	run := s.endAs(evidence.Interrupted)
	j := Judge(run, []Check{during(t, "steady", passing), during(t, "steady", failing), during(t, "peak", passing),
		&Errors{Load: "browse", Ratio: of[RatioLimit](t, passing)}, &Errors{Load: "browse", Ratio: of[RatioLimit](t, failing)}})
	want(t, validityOf(t, j, "completed"), Inconclusive, "the run was interrupted; not gone through: peak")
	want(t, j.Checks[0], Pass, "")
	want(t, j.Checks[1], Fail, "")
	want(t, j.Checks[2], Inconclusive, "phase peak was cut short")
	want(t, j.Checks[3], Inconclusive, "")
	want(t, j.Checks[4], Inconclusive, "")
}

// killed makes a finished run directory into one that a killed process leaves.
func killed(t testing.TB, s *script) *evidence.Run {
	t.Helper()
	dir := s.write(evidence.Completed)
	file := filepath.Join(dir, "run.json")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var meta evidence.Meta
	if err := json.Unmarshal(text, &meta); err != nil {
		t.Fatal(err)
	}
	meta.Outcome, meta.Took, meta.Files = evidence.Running, 0, nil
	if text, err = json.Marshal(meta); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, text, 0o644); err != nil {
		t.Fatal(err)
	}
	run, err := evidence.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return run
}

func TestAKilledRunIsStillJudged(t *testing.T) {
	s := twoPhases(t)
	s.steadily("steady", 100, nil)
	s.cut = "peak"
	j := Judge(killed(t, s), []Check{during(t, "steady", failing), during(t, "peak", passing), during(t, "nowhere", passing),
		&Recovery{Load: "browse", Within: time.Second}, &Target{Target: "gateway", Alive: new(true)}, breakerCheck(t)})
	want(t, validityOf(t, j, "completed"), Inconclusive, "the run did not end")
	want(t, j.Checks[0], Fail, "")
	for _, v := range j.Checks[1:] {
		want(t, v, Inconclusive, "")
	}
}

func TestChangedEvidenceCarriesNothing(t *testing.T) {
	s := twoPhases(t)
	s.steadily("steady", 100, nil)
	s.steadily("peak", 100, nil)
	dir := s.write(evidence.Completed)
	events := filepath.Join(dir, "events.jsonl")
	text, err := os.ReadFile(events)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(events, append(text, []byte(`{"at_ns":1,"kind":"note","text":"all was well"}`+"\n")...), 0o644); err != nil {
		t.Fatal(err)
	}
	run, err := evidence.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, limit := range []string{passing, failing} {
		want(t, judgeBy(t, run, during(t, "steady", limit)), Inconclusive, "was changed after the run")
	}
}

// Calls that all wait for a slow target are late, but that is no flaw of the run.
func TestASlowTargetIsNoStarvedGenerator(t *testing.T) {
	run := faulty(t, bitten, func(s *script) {
		s.meta.Loads[0].Workers = 20
		start, end := s.phase("outage")
		for i := range s.calls {
			if c := &s.calls[i]; c.Intended >= start && c.Intended < end {
				c.Sent, c.Done = c.Sent+200*ms, c.Done+400*ms
			}
		}
	})
	j := Judge(run, []Check{during(t, "outage", passing)})
	want(t, j.Checks[0], Pass, "")
	if v := j.Validity[kindIndex(j.Validity, "generator")]; v.Status != Pass || !strings.Contains(v.Why, "all 20 workers were taken") {
		t.Errorf("%+v", v)
	}
}

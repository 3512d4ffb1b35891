package verdict

import (
	"testing"
	"time"

	"ordeal/runner/evidence"
)

func TestTargetFollowsItsProcesses(t *testing.T) {
	exit := func(at time.Duration, expected bool) evidence.Event {
		return evidence.Event{At: at, Kind: evidence.TargetExit, Target: "users/1", Expected: expected, Text: "exit status 2\npanic: boom"}
	}
	start := func(at time.Duration) evidence.Event {
		return evidence.Event{At: at, Kind: evidence.TargetStart, Target: "users/1"}
	}
	for name, c := range map[string]struct {
		events          []evidence.Event
		alive, restarts Status
		says            string
	}{
		"left alone":         {nil, Pass, Fail, ""},
		"killed, back again": {[]evidence.Event{exit(4*time.Second, true), start(5 * time.Second)}, Pass, Pass, ""},
		"killed, gone":       {[]evidence.Event{exit(4*time.Second, true)}, Fail, Fail, "users/1 was not running when the timeline ended"},
		"died":               {[]evidence.Event{exit(4*time.Second, false)}, Fail, Fail, "users/1 ended on its own at 4s: exit status 2 …"},
		"died, back again":   {[]evidence.Event{exit(4*time.Second, false), start(5 * time.Second)}, Fail, Pass, "ended on its own"},
		"ended after it all": {[]evidence.Event{exit(time.Minute, true)}, Pass, Fail, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := twoPhases(t)
			s.event(evidence.Event{At: time.Second, Kind: evidence.TargetStart, Target: "users/0"})
			s.event(evidence.Event{At: time.Second, Kind: evidence.TargetStart, Target: "users/1"})
			for _, e := range c.events {
				s.event(e)
			}
			run := s.end()
			want(t, judgeBy(t, run, &Target{Target: "users", Alive: new(true)}), c.alive, c.says)
			v := judgeBy(t, run, &Target{Target: "users", Restarts: of[CountLimit](t, "= 1")})
			want(t, v, c.restarts, "")
			both := judgeBy(t, run, &Target{Target: "users", Alive: new(true), Restarts: of[CountLimit](t, "= 1")})
			if both.Status != max(c.alive, c.restarts) || len(both.Parts) != 2 {
				t.Errorf("both: %+v", both)
			}
			if opposite := judgeBy(t, run, &Target{Target: "users", Alive: new(false)}); (opposite.Status == Pass) == (c.alive == Pass) {
				t.Errorf("alive: false is %s as well", opposite.Status)
			}
		})
	}
}

func TestATargetNobodySawIsInconclusive(t *testing.T) {
	s := twoPhases(t)
	s.event(evidence.Event{At: time.Second, Kind: evidence.HealthChecked, Target: "remote", OK: true, Text: "before-load: ok"})
	s.event(evidence.Event{At: time.Minute, Kind: evidence.HealthChecked, Target: "remote", OK: true, Text: "after-load: ok"})
	run := s.end()
	want(t, judgeBy(t, run, &Target{Target: "ghost", Alive: new(true)}), Inconclusive, "no event of the run speaks of ghost")
	want(t, judgeBy(t, run, &Target{Target: "remote", Alive: new(true)}), Pass, "")
	want(t, judgeBy(t, run, &Target{Target: "remote", Restarts: of[CountLimit](t, "= 0")}), Inconclusive, "did not start it")
}

// That a process died is a fact, even in a run that did not come to its end.
func TestADeathStandsInAnInterruptedRun(t *testing.T) {
	s := twoPhases(t)
	s.cut = "peak"
	want(t, judgeBy(t, s.endAs(evidence.Interrupted), &Target{Target: "gateway", Alive: new(true)}), Inconclusive, "did not come to its end")
	s = twoPhases(t)
	s.cut = "peak"
	s.event(evidence.Event{At: 4 * time.Second, Kind: evidence.TargetExit, Target: "gateway"})
	want(t, judgeBy(t, s.endAs(evidence.Interrupted), &Target{Target: "gateway", Alive: new(true)}), Fail, "ended on its own")
}

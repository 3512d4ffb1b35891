package verdict

import (
	"testing"
	"time"

	"ordeal/runner/evidence"
)

// outage plays a run whose calls after the heal are shaped by after, which gets
// the time since the heal.
func outage(t testing.TB, watched time.Duration, after func(since time.Duration, c *evidence.Sample)) *evidence.Run {
	s := play(t, phase{"warmup", time.Second}, phase{"steady", 4 * time.Second}, phase{"outage", 2 * time.Second}, phase{"after", watched})
	_, heal := s.fault("outage", "gateway->users", bitten)
	shape := func(i int, c *evidence.Sample) bool {
		if i%7 == 0 {
			c.Done += 3 * ms
		}
		if since := c.Intended - heal; since >= 0 {
			after(since, c)
		}
		return true
	}
	s.steadily("warmup", 100, nil)
	s.steadily("steady", 100, shape)
	s.steadily("outage", 100, func(_ int, c *evidence.Sample) bool {
		c.Class, c.Code = evidence.HTTP5xx, 502
		return true
	})
	s.steadily("after", 100, shape)
	return s.end()
}

func fails(c *evidence.Sample) { c.Class, c.Code = evidence.HTTP5xx, 502 }

func TestRecoveryTakesTheTimeFromTheHeal(t *testing.T) {
	check := &Recovery{Load: "browse", Within: 3 * time.Second}
	for name, c := range map[string]struct {
		watched  time.Duration
		after    func(time.Duration, *evidence.Sample)
		status   Status
		says     string
		from, to time.Duration // what is measured
	}{
		"at once": {8 * time.Second, func(time.Duration, *evidence.Sample) {}, Pass, "", 0, 200 * ms},
		"errors for 1.5 s": {8 * time.Second, func(since time.Duration, c *evidence.Sample) {
			if since < 1500*ms {
				fails(c)
			}
		}, Pass, "", 1400 * ms, 1600 * ms},
		"errors for 4 s": {12 * time.Second, func(since time.Duration, c *evidence.Sample) {
			if since < 4*time.Second {
				fails(c)
			}
		}, Fail, "it took", 3800 * ms, 4200 * ms},
		"slow for 4 s": {12 * time.Second, func(since time.Duration, c *evidence.Sample) {
			if since < 4*time.Second {
				c.Done += 200 * ms
			}
		}, Fail, "it took", 3500 * ms, 4200 * ms},
		"degraded for 4 s": {12 * time.Second, func(since time.Duration, c *evidence.Sample) {
			if since < 4*time.Second {
				c.Mark = "circuit-open"
			}
		}, Fail, "it took", 3800 * ms, 4200 * ms},
		"errors for ever": {8 * time.Second, func(_ time.Duration, c *evidence.Sample) { fails(c) }, Fail, "was not back", 0, 0},
		"a relapse": {9 * time.Second, func(since time.Duration, c *evidence.Sample) {
			if since > 6*time.Second && since < 7*time.Second {
				fails(c)
			}
		}, Fail, "did not stay there", 0, 200 * ms},
		"a slow second": {9 * time.Second, func(since time.Duration, c *evidence.Sample) {
			if since > 6*time.Second && since < 6700*ms {
				c.Done += 300 * ms
			}
		}, Pass, "", 0, 200 * ms},
		"slow again for good": {12 * time.Second, func(since time.Duration, c *evidence.Sample) {
			if since > 6*time.Second {
				c.Done += 300 * ms
			}
		}, Fail, "did not stay there", 0, 200 * ms},
		"slow half of the time": {20 * time.Second, func(since time.Duration, c *evidence.Sample) {
			if since%(5*time.Second) > 2600*ms {
				c.Done += 300 * ms
			}
		}, Fail, "did not stay there", 0, 200 * ms},
		"watched for too short":                      {2 * time.Second, func(time.Duration, *evidence.Sample) {}, Inconclusive, "too short to tell", 0, 0},
		"watched for too short, bad to the end":      {4 * time.Second, func(since time.Duration, c *evidence.Sample) { fails(c) }, Fail, "was not back", 0, 0},
		"bad, and watched for less than it may take": {2 * time.Second, func(since time.Duration, c *evidence.Sample) { fails(c) }, Inconclusive, "too short to tell", 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			v := judgeBy(t, outage(t, c.watched, c.after), check)
			want(t, v, c.status, c.says)
			if c.to == 0 {
				return
			}
			took, err := time.ParseDuration(v.Measured)
			if err != nil || took < c.from || took > c.to {
				t.Errorf("measured %q, want %s to %s", v.Measured, c.from, c.to)
			}
		})
	}
}

func TestADegradedAnswerCanBeAccepted(t *testing.T) {
	run := outage(t, 8*time.Second, func(_ time.Duration, c *evidence.Sample) { c.Mark = "circuit-open" })
	want(t, judgeBy(t, run, &Recovery{Load: "browse", Within: time.Second}), Fail, "was not back")
	want(t, judgeBy(t, run, &Recovery{Load: "browse", Within: time.Second, AcceptDegraded: true}), Pass, "")
}

// A generator that is late after the heal cannot show that the target is.
func TestRecoveryKnowsALateGenerator(t *testing.T) {
	run := outage(t, 10*time.Second, func(since time.Duration, c *evidence.Sample) {
		if since < 4*time.Second {
			c.Sent += 300 * ms
			c.Done = c.Sent + 2*ms
		}
	})
	want(t, judgeBy(t, run, &Recovery{Load: "browse", Within: 2 * time.Second}), Inconclusive, "the generator, not the target, was late")
	want(t, judgeBy(t, run, &Recovery{Load: "browse", Within: 5 * time.Second}), Pass, "")

	// It was back, and it is the generator that falls behind later.
	run = outage(t, 12*time.Second, func(since time.Duration, c *evidence.Sample) {
		if since > 5*time.Second {
			c.Sent += 300 * ms
			c.Done = c.Sent + 2*ms
		}
	})
	want(t, (&Recovery{Load: "browse", Within: 2 * time.Second}).Judge(run), Pass, "but that was the generator")
}

func TestRecoveryNeedsAFaultThatBitAndASteadyPhase(t *testing.T) {
	check := &Recovery{Load: "browse", Within: 3 * time.Second}
	phases := []phase{{"steady", 3 * time.Second}, {"outage", time.Second}, {"after", 8 * time.Second}}
	s := play(t, phases...)
	s.steadily("steady", 100, nil)
	s.steadily("outage", 100, nil)
	s.steadily("after", 100, nil)
	want(t, judgeBy(t, s.end(), check), Inconclusive, "no fault was injected")

	s = play(t, phases...)
	s.fault("outage", "gateway->users", &evidence.Touched{})
	s.steadily("steady", 100, nil)
	s.steadily("outage", 100, nil)
	s.steadily("after", 100, nil)
	run := s.end()
	want(t, judgeBy(t, run, check), Inconclusive, "acted on no traffic")
	want(t, judgeBy(t, run, &Recovery{Load: "browse", Within: time.Second, After: "steady"}), Inconclusive, "no fault was injected during steady")
	want(t, judgeBy(t, run, &Recovery{Load: "browse", Within: time.Second, Steady: "calm"}), Inconclusive, "phase calm was not reached")

	s = play(t, phases...)
	s.fault("outage", "gateway->users", bitten)
	s.steadily("steady", 100, func(_ int, c *evidence.Sample) bool { fails(c); return true })
	s.steadily("after", 100, nil)
	want(t, judgeBy(t, s.end(), check), Inconclusive, "no call succeeded during steady")

	s = play(t, phases...)
	s.fault("outage", "gateway->users", bitten)
	s.steadily("steady", 100, nil)
	want(t, judgeBy(t, s.end(), check), Inconclusive, "no call of browse after the heal")
}

// A target that takes all workers after the heal is slow, however fast the calls
// are that get through.
func TestRecoveryKnowsATargetThatTakesAllWorkers(t *testing.T) {
	s := play(t, phase{"steady", 4 * time.Second}, phase{"outage", 2 * time.Second}, phase{"after", 10 * time.Second})
	s.meta.Loads[0].Workers = 10
	_, heal := s.fault("outage", "gateway->users", bitten)
	s.steadily("steady", 100, nil)
	s.steadily("outage", 100, func(_ int, c *evidence.Sample) bool { fails(c); return true })
	hung := 0
	s.steadily("after", 100, func(_ int, c *evidence.Sample) bool {
		if since := c.Intended - heal; since < 4*time.Second {
			if hung++; hung <= 10 {
				c.Done = heal + 4*time.Second
			} else {
				c.Sent = heal + 4*time.Second + 10*ms
				c.Done = c.Sent + 2*ms
			}
		}
		return true
	})
	want(t, judgeBy(t, s.end(), &Recovery{Load: "browse", Within: 2 * time.Second}), Fail, "it took")
}

// What the next fault does is not held against the recovery from the last one,
// and a time without calls is no recovery.
func TestRecoveryIsWatchedUntilTheNextFault(t *testing.T) {
	s := play(t, phase{"steady", 4 * time.Second}, phase{"first", time.Second}, phase{"calm", 6 * time.Second}, phase{"second", 2 * time.Second})
	s.fault("first", "gateway->users", bitten)
	s.fault("second", "gateway->users", bitten)
	bad := func(_ int, c *evidence.Sample) bool { fails(c); return true }
	s.steadily("steady", 100, nil)
	s.steadily("first", 100, bad)
	start, _ := s.phase("calm")
	s.steadily("calm", 100, func(_ int, c *evidence.Sample) bool { return c.Intended > start+2*time.Second })
	s.steadily("second", 100, bad)
	v := (&Recovery{Load: "browse", After: "first", Within: 3 * time.Second}).Judge(s.end())
	want(t, v, Pass, "")
	if took, err := time.ParseDuration(v.Measured); err != nil || took < time.Second {
		t.Errorf("back after %q, when nothing was sent for two seconds", v.Measured)
	}
}

func TestRecoveryFromAKillCountsFromTheRestart(t *testing.T) {
	run := &evidence.Run{Events: []evidence.Event{
		{At: 1 * time.Second, Kind: evidence.TargetReady, Target: "users"}, // the first start
		{At: 12 * time.Second, Kind: evidence.TargetReady, Target: "usersx"},
		{At: 13 * time.Second, Kind: evidence.TargetReady, Target: "users/1"},
		{At: 30 * time.Second, Kind: evidence.TargetReady, Target: "users"},
	}}
	span := func(target string) evidence.Span {
		return evidence.Span{Faults: []evidence.FaultSpan{{Target: target, Injected: 10 * time.Second, Healed: 20 * time.Second, WasHealed: true}}}
	}
	for target, want := range map[string]time.Duration{"users": 13 * time.Second, "other": 20 * time.Second, "": 20 * time.Second} {
		if got, why := lastHeal(run, span(target)); got != want || why != "" {
			t.Errorf("a fault on %q is healed at %v (%s), want %v", target, got, why, want)
		}
	}
}

package verdict

import (
	"strings"
	"testing"
	"time"

	"ordeal/runner/evidence"
)

func twoPhases(t testing.TB) *script {
	return play(t, phase{"warmup", time.Second}, phase{"steady", 4 * time.Second}, phase{"peak", 2 * time.Second})
}

// want checks the outcome of a verdict, and that its reason says something.
func want(t testing.TB, v Verdict, status Status, says string) {
	t.Helper()
	if v.Status != status || !strings.Contains(v.Why, says) {
		t.Errorf("%s: %s, measured %q, why %q; want %s that says %q", v.Name, v.Status, v.Measured, v.Why, status, says)
	}
}

func TestLatencyComparesEachPercentile(t *testing.T) {
	s := twoPhases(t)
	s.steadily("warmup", 500, func(_ int, c *evidence.Sample) bool { c.Done += time.Minute; return true })
	s.steadily("steady", 500, func(i int, c *evidence.Sample) bool {
		if i%50 == 0 { // 2 % of the calls
			c.Done = c.Sent + 80*ms
		}
		return true
	})
	s.steadily("peak", 500, func(_ int, c *evidence.Sample) bool { c.Done = c.Sent + 300*ms; return true })
	run := s.end()

	v := judgeBy(t, run, &Latency{Load: "browse", During: Phases{"steady"}, P95: of[DurationLimit](t, "< 8ms")})
	want(t, v, Pass, "")
	if v.Measured != "2ms" || v.Limit != "< 8ms" || v.Margin != "75%" || v.Load != "browse" || v.Phase != "steady" || len(v.Parts) != 0 {
		t.Errorf("%+v", v)
	}
	v = judgeBy(t, run, &Latency{Load: "browse", During: Phases{"steady"}, P95: of[DurationLimit](t, "< 8ms"), P99: of[DurationLimit](t, "< 50ms"), Max: of[DurationLimit](t, "< 1s")})
	want(t, v, Fail, "p99 response time is 80ms")
	if len(v.Parts) != 3 || v.Parts[0].Status != Pass || v.Parts[1].Status != Fail || v.Parts[2].Status != Pass || v.Measured != "80ms" || v.Margin != "-60%" {
		t.Errorf("%+v", v)
	}
	want(t, judgeBy(t, run, &Latency{Load: "browse", During: Phases{"peak"}, Mean: of[DurationLimit](t, "> 250ms")}), Pass, "")
	// Two phases are judged together, and the whole run leaves the warm-up out.
	want(t, judgeBy(t, run, &Latency{Load: "browse", During: Phases{"steady", "peak"}, P75: of[DurationLimit](t, "> 250ms")}), Pass, "")
	want(t, judgeBy(t, run, &Latency{Load: "browse", Max: of[DurationLimit](t, "< 1s")}), Pass, "")
	want(t, judgeBy(t, run, &Latency{Load: "browse", During: Phases{"warmup"}, Max: of[DurationLimit](t, "< 1s")}), Fail, "response time is 1m")
}

func TestLatencyWithoutEvidenceIsInconclusive(t *testing.T) {
	s := twoPhases(t)
	s.steadily("steady", 100, nil) // 400 calls
	s.steadily("peak", 100, func(_ int, c *evidence.Sample) bool { c.Class, c.Code = evidence.HTTP5xx, 500; return true })
	run := s.end()
	p99 := func(phase, limit string) *Latency {
		return &Latency{Load: "browse", During: Phases{phase}, P99: of[DurationLimit](t, limit)}
	}
	want(t, judgeBy(t, run, p99("steady", "< 50ms")), Inconclusive, "p99 needs 1,000 calls, and browse made 400 calls during steady: lengthen that to 10s at this rate, or ask for p95")
	want(t, judgeBy(t, run, p99("steady", "< 1ms")), Fail, "already the p95 of calls is 2ms")
	want(t, judgeBy(t, run, p99("warmup", "< 1s")), Inconclusive, "no call of browse during warmup")
	want(t, judgeBy(t, run, p99("nowhere", "< 1s")), Inconclusive, "phase nowhere was not reached")
	want(t, judgeBy(t, run, &Latency{Load: "browse", During: Phases{"peak"}, P50: of[DurationLimit](t, "< 1s")}), Inconclusive, "none of the 200 calls")
	want(t, judgeBy(t, run, &Latency{Load: "browse", During: Phases{"peak"}, P50: of[DurationLimit](t, "< 1s"), AcceptFailed: true}), Pass, "")
	want(t, judgeBy(t, run, &Latency{Load: "nobody", During: Phases{"peak"}, P50: of[DurationLimit](t, "< 1s")}), Inconclusive, "no load nobody")

	j := Judge(run, []Check{p99("steady", "< 50ms")})
	if i := kindIndex(j.Validity, "samples"); i < 0 || j.Validity[i].Status != Inconclusive {
		t.Errorf("the validity does not say that there are too few samples: %+v", j.Validity)
	}
}

func kindIndex(vs []Verdict, kind string) int {
	for i, v := range vs {
		if v.Kind == kind {
			return i
		}
	}
	return -1
}

// Calls that were sent late are late for their users; but when only the
// generator was late, that cannot be held against the target.
func TestWhoWasLate(t *testing.T) {
	late := func(service time.Duration, workers int) *evidence.Run {
		s := twoPhases(t)
		s.meta.Loads[0].Workers = workers
		start, _ := s.phase("steady")
		s.steadily("steady", 250, func(_ int, c *evidence.Sample) bool {
			// Nothing is sent in the second second.
			if c.Intended >= start+time.Second && c.Intended < start+2*time.Second {
				c.Sent = start + 2*time.Second
			}
			c.Done = c.Sent + service
			return true
		})
		return s.end()
	}
	generator := late(2*ms, 100)
	check := &Latency{Load: "browse", During: Phases{"steady"}, P95: of[DurationLimit](t, "< 50ms")}
	want(t, judgeBy(t, generator, check), Inconclusive, "the generator, not the target, was late: send lag p95")
	service := &Latency{Load: "browse", Of: "service", During: Phases{"steady"}, P95: of[DurationLimit](t, "< 50ms")}
	want(t, judgeBy(t, generator, service), Pass, "")
	// With the lag included it passes all the same.
	want(t, judgeBy(t, generator, &Latency{Load: "browse", During: Phases{"steady"}, P95: of[DurationLimit](t, "< 5s")}), Pass, "")
	// It fails by service time too: that is the target's.
	want(t, judgeBy(t, late(60*ms, 100), check), Fail, "p95 response time is")

	// A target that stands still for a second takes all ten workers with it.
	s := twoPhases(t)
	s.meta.Loads[0].Workers = 10
	start, _ := s.phase("steady")
	hung := 0
	s.steadily("steady", 250, func(_ int, c *evidence.Sample) bool {
		if c.Intended >= start+time.Second && c.Intended < start+2*time.Second {
			if hung++; hung > 10 {
				c.Sent = start + 2*time.Second + 5*ms
				c.Done = c.Sent + 2*ms
			} else {
				c.Done = start + 2*time.Second
			}
		}
		return true
	})
	target := s.end()
	check.P95 = of[DurationLimit](t, "< 50ms")
	want(t, judgeBy(t, target, check), Fail, "all 10 workers were taken")
	want(t, judgeBy(t, target, service), Pass, "")
}

func TestAClosedModelSaysSo(t *testing.T) {
	s := twoPhases(t)
	s.steadily("steady", 100, nil)
	s.meta.Loads[0].Model, s.meta.Loads[0].Planned = "closed", nil
	run := s.end()
	v := judgeBy(t, run, &Latency{Load: "browse", During: Phases{"steady"}, P90: of[DurationLimit](t, "< 50ms")})
	want(t, v, Pass, "")
	if !strings.Contains(v.Name, "(closed model)") {
		t.Errorf("%q does not say that the model is closed", v.Name)
	}
	want(t, judgeBy(t, run, &Rate{Load: "browse", During: Phases{"steady"}, Attained: of[RatioLimit](t, "> 99%")}), Inconclusive, "a closed model plans no calls")
}

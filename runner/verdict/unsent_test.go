package verdict

import (
	"testing"
	"time"

	"ordeal/runner/evidence"
)

// A rate is the generator's doing only as far as the calls that it did not send,
// or sent too late, would have mended it.
func TestARateIsExcusedByWhatIsMissingOnly(t *testing.T) {
	start := timelineStart + 5*time.Second // of peak, which takes 2 s
	nothing := func(int, *evidence.Sample) bool { return true }
	lagging := func(_ int, c *evidence.Sample) bool { // by 20 ms, within the phase but for its last ten calls
		c.Sent, c.Done = c.Sent+20*ms, c.Done+20*ms
		return true
	}
	halfRefused := func(next func(int, *evidence.Sample) bool) func(int, *evidence.Sample) bool {
		return func(i int, c *evidence.Sample) bool {
			if i%2 == 0 {
				c.Class, c.Code = evidence.HTTP5xx, 503
			}
			return next(i, c)
		}
	}
	without := func(n int) func(int, *evidence.Sample) bool {
		return func(i int, _ *evidence.Sample) bool { return i >= n }
	}
	late := func(n int) func(int, *evidence.Sample) bool { // the last n calls go out after the phase
		return func(i int, c *evidence.Sample) bool {
			if i >= 1000-n {
				lag := start + 2*time.Second - c.Intended + ms
				c.Sent, c.Done = c.Sent+lag, c.Done+lag
			}
			return true
		}
	}
	for name, c := range map[string]struct {
		shape  func(int, *evidence.Sample) bool
		check  Rate
		status Status
		says   string
	}{
		"above its cap, sent late":     {lagging, Rate{Succeeded: of[RateLimit](t, "80/s..115/s")}, Fail, "calls succeeded in 2s"},
		"above its cap, a few missing": {without(9), Rate{PerSecond: of[RateLimit](t, "< 300/s")}, Fail, "991 calls were sent in 2s"},
		"half failed, sent late":       {halfRefused(lagging), Rate{Succeeded: of[RateLimit](t, "> 480/s")}, Fail, "calls succeeded in 2s"},
		"half failed, one missing":     {halfRefused(without(1)), Rate{Succeeded: of[RateLimit](t, "> 480/s")}, Fail, "499 calls succeeded in 2s"},
		"half failed":                  {halfRefused(nothing), Rate{Succeeded: of[RateLimit](t, "> 480/s")}, Fail, "499 calls succeeded in 2s"},
		"what is missing is too few":   {without(100), Rate{PerSecond: of[RateLimit](t, "> 510/s")}, Fail, "900 calls were sent in 2s"},
		"missing":                      {without(100), Rate{PerSecond: of[RateLimit](t, "> 480/s")}, Inconclusive, "the generator, not the target, was behind"},
		"missing, of the plan":         {without(100), Rate{Attained: of[RatioLimit](t, ">= 100%")}, Inconclusive, "900 of 1000 planned calls were sent, but the generator"},
		"sent after the phase":         {late(100), Rate{PerSecond: of[RateLimit](t, "> 480/s")}, Inconclusive, "the generator, not the target, was behind"},
		"done after the phase":         {late(100), Rate{Succeeded: of[RateLimit](t, "> 480/s")}, Inconclusive, "900 calls succeeded in 2s, but the generator"},
		"late, but that is not enough": {late(100), Rate{Succeeded: of[RateLimit](t, "> 510/s")}, Fail, "900 calls succeeded in 2s"},
	} {
		t.Run(name, func(t *testing.T) {
			s := twoPhases(t)
			s.steadily("peak", 500, c.shape)
			c.check.Load, c.check.During = "browse", Phases{"peak"}
			want(t, judgeBy(t, s.end(), &c.check), c.status, c.says)
		})
	}
}

// Calls that were never sent make few of everything, but never too many.
func TestTooFewOfALoadThatWasNotSentIsInconclusive(t *testing.T) {
	s := twoPhases(t)
	s.steadily("peak", 100, func(i int, c *evidence.Sample) bool {
		if i%10 == 0 {
			c.Class, c.Code = evidence.HTTP5xx, 503
		}
		return i%10 < 7
	})
	start, _ := s.phase("peak")
	s.series("gateway", "requests_total", "", 50*ms, counting(70, start))
	s.series("gateway->users", linkCalls, "", 50*ms, counting(70, start))
	run := s.end()
	during := Phases{"peak"}
	errs := func(count string) Check {
		return &Errors{Load: "browse", During: during, Count: of[CountLimit](t, count)}
	}
	ratio := func(share string) Check {
		return &Errors{Load: "browse", During: during, Ratio: of[RatioLimit](t, share)}
	}
	arrived := func(count string) Check {
		return &Arrivals{Link: "gateway->users", During: during, Count: of[CountLimit](t, count)}
	}
	perSecond := func(rate string) Check {
		return &Arrivals{Link: "gateway->users", During: during, PerSecond: of[RateLimit](t, rate)}
	}
	grew := func(by string) Check {
		return &Metric{Target: "gateway", Name: "requests_total", During: during, Increase: of[NumberLimit](t, by)}
	}
	fast := func(rate string) Check {
		return &Metric{Target: "gateway", Name: "requests_total", During: during, Rate: of[RateLimit](t, rate)}
	}
	available := &Availability{Load: "browse", Over: during, AtLeast: of[Share](t, "99%")}
	for _, c := range []Check{
		errs(">= 25"), errs("25..40"), errs("= 25"), ratio("> 30%"), arrived(">= 190"), arrived("190..210"), perSecond("> 95/s"), grew(">= 190"), fast("> 95/s"),
	} {
		want(t, judgeBy(t, run, c), Inconclusive, "60 of 200 planned calls of browse were not sent during peak")
	}
	for _, c := range []Check{
		errs("< 10"), errs("= 0"), errs("5..10"), ratio("< 1%"), arrived("< 100"), arrived("= 0"), perSecond("< 50/s"), perSecond("10/s..20/s"),
		grew("< 100"), fast("< 50/s"), available,
	} {
		want(t, judgeBy(t, run, c), Fail, "")
	}
}

// A percentile that stands in for one that there are too few calls for is excused as any other is.
func TestALowerPercentileIsExcusedAsWell(t *testing.T) {
	lagging := func(service time.Duration) *evidence.Run {
		s := twoPhases(t)
		s.steadily("peak", 1500, func(i int, c *evidence.Sample) bool {
			if i%10 == 0 {
				c.Sent += 250 * ms
			}
			c.Done = c.Sent + service
			return true
		})
		return s.end()
	}
	p99 := &Latency{Load: "browse", During: Phases{"peak"}, P99: of[DurationLimit](t, "< 50ms")}
	p999 := &Latency{Load: "browse", During: Phases{"peak"}, P999: of[DurationLimit](t, "< 50ms")}
	generator, target := lagging(5*ms), lagging(60*ms)
	for _, check := range []*Latency{p99, p999} {
		want(t, judgeBy(t, generator, check), Inconclusive, "the generator, not the target, was late: send lag p99 250ms, service time p99 5ms")
		want(t, judgeBy(t, target, check), Fail, "is 310ms")
	}
	want(t, judgeBy(t, target, p999), Fail, "already the p99 of calls is 310ms")
}

// What is said of the send lag was measured.
func TestTheSendLagIsToldOfPhasesWithEnoughCalls(t *testing.T) {
	said := func(steady, peak int) Verdict {
		s := twoPhases(t)
		if steady > 0 {
			s.steadily("steady", steady, func(_ int, c *evidence.Sample) bool { c.Sent += 3 * ms; return true })
		}
		if peak > 0 {
			s.steadily("peak", peak, func(_ int, c *evidence.Sample) bool { c.Sent += 5 * ms; return true })
		}
		j := Judge(s.end(), []Check{during(t, "steady", passing), during(t, "peak", passing)})
		return j.Validity[kindIndex(j.Validity, "generator")]
	}
	for _, c := range []struct {
		steady, peak int
		measured     string
	}{
		{250, 500, "lag p50 5ms, p99 5ms, max 5ms"},
		{250, 50, "lag p50 5ms, max 5ms"}, // of 100 calls
		{250, 5, "lag max 5ms"},
		{250, 0, "lag p50 3ms, p99 3ms, max 3ms"}, // the load rests
		{0, 0, "no call was sent"},
	} {
		if v := said(c.steady, c.peak); v.Status != Pass || v.Measured != c.measured {
			t.Errorf("%d and %d calls a second: %s %q, want %q", c.steady, c.peak, v.Status, v.Measured, c.measured)
		}
	}
}

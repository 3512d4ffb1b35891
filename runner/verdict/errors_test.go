package verdict

import (
	"testing"
	"time"

	"ordeal/runner/evidence"
)

// mixed sends 1,000 calls: 20 with 503, 10 with 429, 5 that time out, and 40
// that succeed with a degraded answer.
func mixed(t testing.TB) *evidence.Run {
	s := twoPhases(t)
	s.steadily("warmup", 100, func(_ int, c *evidence.Sample) bool { c.Class, c.Code = evidence.HTTP5xx, 500; return true })
	s.steadily("steady", 250, func(i int, c *evidence.Sample) bool {
		switch {
		case i < 20:
			c.Class, c.Code, c.Mark = evidence.HTTP5xx, 503, "circuit-open"
		case i < 30:
			c.Class, c.Code = evidence.HTTP4xx, 429
		case i < 35:
			c.Class, c.Code = evidence.Timeout, 0
		case i < 75:
			c.Mark = "upstream-failed"
		}
		return true
	})
	return s.end()
}

func TestErrorsCountsWhatItIsAskedTo(t *testing.T) {
	run := mixed(t)
	class := func(names ...string) (out []Class) {
		for _, n := range names {
			out = append(out, *of[Class](t, n))
		}
		return out
	}
	for _, c := range []struct {
		check  Errors
		status Status
		says   string
	}{
		{Errors{Count: of[CountLimit](t, "= 35")}, Pass, ""},
		{Errors{Count: of[CountLimit](t, "= 20"), Classes: class("http-5xx")}, Pass, ""},
		{Errors{Count: of[CountLimit](t, "= 15"), Classes: class("timeout"), Codes: []int{429}}, Pass, ""},
		{Errors{Count: of[CountLimit](t, "= 30"), Classes: class("http-5xx"), Codes: []int{429, 503}}, Pass, ""},
		{Errors{Count: of[CountLimit](t, "= 75"), Degraded: true}, Pass, ""}, // a marked 503 counts once
		{Errors{Count: of[CountLimit](t, "= 60"), Degraded: true, Classes: class("http-5xx")}, Pass, ""},
		{Errors{Count: of[CountLimit](t, "= 0"), Codes: []int{200}, Classes: class("refused")}, Fail, "965 of 1000"},
		{Errors{Ratio: of[RatioLimit](t, "< 3.6%")}, Pass, ""},
		{Errors{Ratio: of[RatioLimit](t, "< 3.5%")}, Fail, "35 of 1000 calls: 965 ok, 20 http-5xx 503, 10 http-4xx 429, 5 timeout, 60 degraded"},
		{Errors{Ratio: of[RatioLimit](t, "> 30%")}, Fail, "35 of 1000"},
		{Errors{Ratio: of[RatioLimit](t, "< 0.05%"), Classes: class("refused")}, Inconclusive, "1000 calls are too few"},
		{Errors{Ratio: of[RatioLimit](t, "= 0"), Classes: class("refused")}, Pass, ""},
	} {
		c.check.Load, c.check.During = "browse", Phases{"steady"}
		want(t, judgeBy(t, run, &c.check), c.status, c.says)
	}
	// The warm-up is left out unless it is named.
	want(t, judgeBy(t, run, &Errors{Load: "browse", Count: of[CountLimit](t, "= 75"), Degraded: true}), Pass, "")
	want(t, judgeBy(t, run, &Errors{Load: "browse", During: Phases{"warmup"}, Ratio: of[RatioLimit](t, "= 0")}), Fail, "100 of 100")
	want(t, judgeBy(t, run, &Errors{Load: "browse", During: Phases{"peak"}, Ratio: of[RatioLimit](t, "< 1%")}), Inconclusive, "no call")
}

func TestAvailabilityCountsTheErrorBudget(t *testing.T) {
	run := mixed(t)
	available := func(atLeast string, degraded bool) Verdict {
		return judgeBy(t, run, &Availability{Load: "browse", Over: Phases{"steady"}, AtLeast: of[Share](t, atLeast), Degraded: degraded})
	}
	v := available("95%", false)
	want(t, v, Pass, "")
	if v.Measured != "96.5%" || v.Limit != ">= 95%" || v.Margin != "30%" {
		t.Errorf("%+v", v)
	}
	if p := partOf(t, v, "error budget"); p.Measured != "35 spent" || p.Limit != "50 allowed" || p.Why != "15 left of 1000 calls" {
		t.Errorf("%+v", p)
	}
	if p := partOf(t, v, "nines"); p.Measured != "1.46 nines" || p.Limit != ">= 1.3 nines" {
		t.Errorf("%+v", p)
	}
	want(t, available("96.5%", false), Pass, "") // exactly spent
	v = available("97%", false)
	want(t, v, Fail, "35 failures where the objective allows 30")
	if v.Margin != "-17%" {
		t.Errorf("margin %q", v.Margin)
	}
	want(t, available("95%", true), Fail, "75 failures where the objective allows 50")
	want(t, available("100%", false), Fail, "allows 0")
	one := &Availability{Load: "browse", Over: Phases{"steady"}, AtLeast: of[Share](t, "99.99%"), Classes: []Class{*of[Class](t, "refused")}}
	want(t, judgeBy(t, run, one), Inconclusive, "it takes 10000")
	one.AtLeast = of[Share](t, "99.9%")
	want(t, judgeBy(t, run, one), Pass, "")
}

func TestRateComparesWithThePlan(t *testing.T) {
	s := twoPhases(t)
	s.steadily("steady", 250, func(i int, c *evidence.Sample) bool {
		if i%4 == 0 {
			c.Class = evidence.HTTP5xx
		}
		return true
	})
	// Half of the calls are never sent, though workers are free.
	s.steadily("peak", 100, func(i int, c *evidence.Sample) bool { return i%2 == 0 })
	run := s.end()
	want(t, judgeBy(t, run, &Rate{Load: "browse", During: Phases{"steady"}, Attained: of[RatioLimit](t, "> 99%")}), Pass, "")
	want(t, judgeBy(t, run, &Rate{Load: "browse", During: Phases{"steady"}, PerSecond: of[RateLimit](t, "248/s..252/s")}), Pass, "")
	want(t, judgeBy(t, run, &Rate{Load: "browse", During: Phases{"steady"}, Succeeded: of[RateLimit](t, "> 200/s")}), Fail, "750 calls succeeded")
	want(t, judgeBy(t, run, &Rate{Load: "browse", During: Phases{"peak"}, Attained: of[RatioLimit](t, "> 40%")}), Pass, "")
	want(t, judgeBy(t, run, &Rate{Load: "browse", During: Phases{"peak"}, Attained: of[RatioLimit](t, "> 99%")}), Inconclusive, "100 of 200 planned calls were sent, but the generator")
	want(t, judgeBy(t, run, &Rate{Load: "browse", During: Phases{"warmup"}, Attained: of[RatioLimit](t, "> 99%")}), Inconclusive, "no call")

	// Other checks do not pass on half of the load.
	want(t, judgeBy(t, run, &Errors{Load: "browse", During: Phases{"peak"}, Ratio: of[RatioLimit](t, "< 5%")}), Inconclusive,
		"100 of 200 planned calls of browse were not sent during peak: the generator did not keep up")
	want(t, judgeBy(t, run, &Errors{Load: "browse", During: Phases{"peak"}, Ratio: of[RatioLimit](t, "> 5%")}), Inconclusive,
		"100 of 200 planned calls of browse were not sent during peak")
}

func TestUnsentCallsOfAFullPoolAreTheTargets(t *testing.T) {
	s := twoPhases(t)
	s.meta.Loads[0].Workers = 10
	start, end := s.phase("steady")
	s.steadily("steady", 100, func(i int, c *evidence.Sample) bool {
		c.Class, c.Code = evidence.Timeout, 0
		c.Done = min(start+time.Duration(i/10+1)*2*time.Second, end)
		c.Sent = c.Done - 2*time.Second
		c.Intended = min(c.Intended, c.Sent)
		return i < 20 // the pool is full of calls that hang
	})
	run := s.end()
	want(t, judgeBy(t, run, &Rate{Load: "browse", During: Phases{"steady"}, Attained: of[RatioLimit](t, "> 99%")}), Fail,
		"20 of 400 planned calls were sent: all 10 workers were taken")
	want(t, judgeBy(t, run, &Errors{Load: "browse", During: Phases{"steady"}, Ratio: of[RatioLimit](t, "> 5%")}), Inconclusive, "all 10 workers were taken")
}

// Where no call was answered, it is no merit that none was answered with an error.
func TestErrorsOfATargetThatDoesNotAnswer(t *testing.T) {
	for _, c := range []struct {
		class evidence.Class
		code  int
		asked []Class
		want  Status
		says  string
	}{
		{evidence.Refused, 0, []Class{*of[Class](t, "http-5xx")}, Inconclusive,
			"none of the 1000 calls during steady was answered (0 ok, 1000 refused), so it says nothing that 0 calls ended in http-5xx"},
		{evidence.Timeout, 0, []Class{*of[Class](t, "http-5xx")}, Inconclusive, "(0 ok, 1000 timeout)"},
		{evidence.Refused, 0, nil, Fail, "1000 of 1000"},
		{evidence.Refused, 0, []Class{*of[Class](t, "refused")}, Fail, "1000 of 1000"},
		{evidence.HTTP4xx, 429, []Class{*of[Class](t, "http-5xx")}, Pass, ""},
		{evidence.Reset, 0, []Class{*of[Class](t, "timeout")}, Pass, ""},
	} {
		s := twoPhases(t)
		s.steadily("steady", 250, func(_ int, call *evidence.Sample) bool {
			call.Class, call.Code = c.class, c.code
			return true
		})
		run := s.end()
		check := &Errors{Load: "browse", During: Phases{"steady"}, Ratio: of[RatioLimit](t, "< 1%"), Classes: c.asked}
		want(t, judgeBy(t, run, check), c.want, c.says)
		check.Ratio, check.Count = nil, of[CountLimit](t, "= 0")
		want(t, judgeBy(t, run, check), c.want, "")
		check.Count = of[CountLimit](t, "> 500") // that calls end so is what is asked for
		opposite := Fail
		if c.want == Fail {
			opposite = Pass
		}
		want(t, judgeBy(t, run, check), opposite, "")
		available := &Availability{Load: "browse", Over: Phases{"steady"}, AtLeast: of[Share](t, "99%"), Classes: c.asked}
		want(t, judgeBy(t, run, available), c.want, "")
	}
}

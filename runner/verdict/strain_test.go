package verdict

import (
	"strings"
	"testing"
	"time"

	"ordeal/runner/evidence"
)

// overloaded plays a second in which calls fall further and further behind:
// nothing is sent as it was due from then on, and the last third never. service is how
// long calls take then, workers how many may be in flight.
func overloaded(t testing.TB, service time.Duration, workers int, w worked) *evidence.Run {
	s := twoPhases(t)
	s.meta.Loads[0].Workers = workers
	start, _ := s.phase("peak")
	s.steadily("steady", 250, nil)
	s.steadily("peak", 500, func(i int, c *evidence.Sample) bool {
		c.Sent = start + (c.Intended-start)*3/2
		c.Done = c.Sent + service
		return c.Sent < start+2*time.Second
	})
	w.from, w.to = 5*time.Second, 7*time.Second
	s.machine(w)
	return s.end()
}

// Whoever was the limit is named, with the figure and what to do about it.
func TestWhoWasTheLimit(t *testing.T) {
	const busy, free = 400 * ms, 2 * ms // of 50 workers at 333/s
	for name, c := range map[string]struct {
		service time.Duration
		worked  worked
		says    string
	}{
		"the target": {busy, quiet, "all 50 workers were taken by calls that the target had not answered; raise workers or lower the rate"},
		"the target, as far as is known": {busy, worked{untold: true},
			"all 50 workers were taken by calls that the target had not answered; raise workers or lower the rate"},
		"the target, on a machine that it fills": {busy, worked{procs: 2, cpus: 2, used: 0.3, targets: 1.6, others: 0.05},
			"all 50 workers were taken by calls that the target had not answered"},
		"the target, which uses more of a full machine than the generator": {busy, worked{procs: 2, cpus: 2, used: 0.8, targets: 1.15, others: 0.05},
			"all 50 workers were taken by calls that the target had not answered"},
		"the target, while others work a little": {busy, worked{procs: 2, cpus: 2, used: 0.3, targets: 0.3, others: 0.6},
			"all 50 workers were taken by calls that the target had not answered"},
		"the target, and the scheduler is a little late": {busy, worked{procs: 2, cpus: 2, used: 0.3, targets: 0.3, sched: 5 * ms},
			"all 50 workers were taken by calls that the target had not answered"},
		"the generator's cores": {free, worked{procs: 1, cpus: 8, used: 0.98, targets: 0.4},
			"the generator used 0.98 of its 1 core (GOMAXPROCS=1); give it more cores or lower the rate"},
		"the generator's cores, though its workers were taken": {busy, worked{procs: 1, cpus: 8, used: 0.98, targets: 0.4},
			"the generator used 0.98 of its 1 core (GOMAXPROCS=1); give it more cores or lower the rate"},
		"the generator's cores, where nothing is known of the machine": {busy, worked{procs: 4, used: 3.9, withoutAMachine: true},
			"the generator used 3.9 of its 4 cores (GOMAXPROCS=4)"},
		"other processes": {free, worked{procs: 2, cpus: 2, used: 0.4, targets: 0.2, others: 1.3},
			"other processes used 1.3 of the machine's 2 cores; run it on a quiet machine"},
		"other processes, though its workers were taken": {busy, worked{procs: 2, cpus: 2, used: 0.4, targets: 0.2, others: 1.3},
			"other processes used 1.3 of the machine's 2 cores; run it on a quiet machine"},
		"the machine's host": {free, worked{procs: 2, cpus: 2, used: 0.6, targets: 0.4, stolen: 0.9},
			"the host of this virtual machine took 0.9 of its 2 cores; run it where it has cores of its own"},
		"generator and target together": {busy, worked{procs: 2, cpus: 2, used: 1.2, targets: 0.7, others: 0.05},
			"the generator used 1.2 and the targets 0.7 of the machine's 2 cores, and none was left; give the targets a machine of their own or lower the rate"},
		"the scheduler": {free, worked{procs: 2, cpus: 8, used: 1.2, targets: 0.4, sched: 120 * ms},
			"goroutines of the generator waited 120ms (p99) for a core; give it more cores or lower the rate"},
		"the scheduler, though its workers were taken": {busy, worked{procs: 2, cpus: 8, used: 1.2, targets: 0.4, sched: 120 * ms},
			"goroutines of the generator waited 120ms (p99) for a core; give it more cores or lower the rate"},
		"garbage collection": {free, worked{procs: 2, cpus: 8, used: 1, targets: 0.4, pause: 900 * ms},
			"garbage collection stopped the generator for up to 900ms; let it use more memory (GOGC) or lower the rate"},
		"nobody knows": {free, quiet, "the generator did not keep up while it had workers to spare; give it more CPU or lower the rate"},
	} {
		t.Run(name, func(t *testing.T) {
			run := overloaded(t, c.service, 50, c.worked)
			slow := &Latency{Load: "browse", During: Phases{"peak"}, P95: of[DurationLimit](t, "< 50ms")}
			quick := &Latency{Load: "browse", During: Phases{"peak"}, P95: of[DurationLimit](t, "< 10s")}
			rate := &Rate{Load: "browse", During: Phases{"peak"}, Attained: of[RatioLimit](t, "> 99%")}
			below := &Rate{Load: "browse", During: Phases{"peak"}, PerSecond: of[RateLimit](t, "< 400/s")}
			lost, none := during(t, "peak", failing), during(t, "peak", passing)
			steady := &Latency{Load: "browse", During: Phases{"steady"}, P95: of[DurationLimit](t, "< 50ms")}
			j := Judge(run, []Check{slow, quick, rate, lost, none, steady, below})
			v := validityOf(t, j, "offered rate")
			if !strings.HasPrefix(v.Why, "333 of 1000 planned calls of browse were not sent during peak: ") || !strings.Contains(v.Why, c.says) {
				t.Errorf("%q does not say %q", v.Why, c.says)
			}
			whose, lower := Inconclusive, Inconclusive // the generator's: it says nothing of the target
			if strings.HasPrefix(name, "the target") {
				whose, lower = Fail, Pass
			}
			for i, want := range []Status{whose, Inconclusive, whose, whose, Inconclusive, Pass, lower} {
				if got := j.Checks[i]; got.Status != want {
					t.Errorf("%s: %s (%s), want %s", got.Name, got.Status, got.Why, want)
				}
			}
			what, _, _ := strings.Cut(c.says, ";")
			for _, v := range []Verdict{j.Checks[1], j.Checks[2], j.Checks[4]} {
				if !strings.Contains(v.Why, what) {
					t.Errorf("%s: %q does not say %q", v.Name, v.Why, what)
				}
			}
		})
	}
}

// A load that was sent as planned passes, however hard the machine was worked.
func TestABusyMachineAloneTakesNothingBack(t *testing.T) {
	for name, w := range map[string]worked{
		"quiet": quiet,
		"full":  {procs: 1, cpus: 2, used: 0.99, targets: 0.2, others: 0.8, stolen: 0.1, sched: 40 * ms, pause: 40 * ms},
	} {
		s := twoPhases(t)
		s.steadily("peak", 500, func(i int, c *evidence.Sample) bool {
			lag := time.Duration(i%20) * ms // p99 of 19ms
			c.Sent, c.Done = c.Sent+lag, c.Done+lag+5*ms
			return true
		})
		s.machine(w)
		j := Judge(s.end(), []Check{
			&Latency{Load: "browse", During: Phases{"peak"}, P50: of[DurationLimit](t, "< 50ms"), P95: of[DurationLimit](t, "< 400ms")},
			&Rate{Load: "browse", During: Phases{"peak"}, Attained: of[RatioLimit](t, "> 99%")}, during(t, "peak", passing),
		})
		if j.Status != Pass {
			t.Errorf("%s: %+v", name, j)
		}
	}
}

// A Fail that the lag of a busy generator can account for says nothing of the
// target; one that it cannot stands, and so does one on a quiet machine.
func TestAFailMustBeTheTargets(t *testing.T) {
	taken := worked{procs: 2, cpus: 2, used: 0.3, targets: 0.3, others: 1.35}
	for _, c := range []struct {
		lag, service time.Duration
		worked       worked
		want         Status
		says         string
	}{
		{20 * ms, 60 * ms, taken, Inconclusive, "the p95 response time is 80ms, but that need not be the target's doing, for calls were sent late as well (p95 20ms): other processes used 1.4 of the machine's 2 cores; run it on a quiet machine"},
		{20 * ms, 60 * ms, quiet, Fail, "the p95 response time is 80ms"},
		{20 * ms, 600 * ms, taken, Fail, "the p95 response time is 620ms"},
		{ms, 60 * ms, taken, Fail, "the p95 response time is 61ms"},
		{20 * ms, 40 * ms, taken, Inconclusive, "the generator, not the target, was late: send lag p95 20ms, service time p95 40ms: other processes used 1.4"},
		{20 * ms, 40 * ms, quiet, Inconclusive, "the generator did not keep up while it had workers to spare"},
		{20 * ms, 20 * ms, taken, Pass, ""},
	} {
		s := twoPhases(t)
		s.steadily("peak", 500, func(_ int, call *evidence.Sample) bool {
			call.Sent += c.lag
			call.Done = call.Sent + c.service
			return true
		})
		s.machine(c.worked)
		run := s.end()
		want(t, judgeBy(t, run, &Latency{Load: "browse", During: Phases{"peak"}, P95: of[DurationLimit](t, "< 50ms")}), c.want, c.says)
		service := Pass
		if c.service > 50*ms {
			service = c.want
		}
		want(t, judgeBy(t, run, &Latency{Load: "browse", Of: "service", During: Phases{"peak"}, P95: of[DurationLimit](t, "< 50ms")}), service, "")
	}
}

// What the clients of a closed model reach says nothing of the target where the
// generator held them up.
func TestTheCeilingOfTheGeneratorIsNotTheTargets(t *testing.T) {
	const generator, target = "is the ceiling of the generator, not of the target: ", ""
	for name, c := range map[string]struct {
		worked worked
		says   string
	}{
		"quiet":                         {quiet, target},
		"untold":                        {worked{untold: true}, target},
		"a full machine, short waits":   {worked{procs: 2, cpus: 2, used: 1.1, targets: 0.9, sched: 100 * time.Microsecond}, target},
		"others, and clients that rest": {worked{procs: 2, cpus: 2, used: 0.2, targets: 0.2, others: 1.6, sched: time.Millisecond}, target},
		"the generator's cores":         {worked{procs: 1, cpus: 8, used: 0.98, targets: 0.3}, generator + "the generator used 0.98 of its 1 core (GOMAXPROCS=1); give it more cores or take fewer clients"},
		"others":                        {worked{procs: 2, cpus: 2, used: 0.2, targets: 0.2, others: 1.6, sched: 3 * ms}, generator + "other processes used 1.6 of the machine's 2 cores; run it on a quiet machine"},
		"the scheduler":                 {worked{procs: 2, cpus: 8, used: 1, targets: 0.3, sched: 3 * ms}, generator + "goroutines of the generator waited 3ms (p99)"},
	} {
		t.Run(name, func(t *testing.T) {
			s := twoPhases(t)
			s.steadily("peak", 500, nil)
			s.meta.Loads[0].Model, s.meta.Loads[0].Planned = "closed", nil
			s.machine(c.worked)
			run := s.end()
			rate := func(limit string) *Rate {
				return &Rate{Load: "browse", During: Phases{"peak"}, PerSecond: of[RateLimit](t, limit)}
			}
			latency := &Latency{Load: "browse", During: Phases{"peak"}, P95: of[DurationLimit](t, "< 50ms")}
			// Rates from below that are reached, and from above that are not kept to, are so with any generator.
			stand := Judge(run, []Check{rate("> 400/s"), rate("< 400/s"), during(t, "peak", passing)})
			if stand.Checks[0].Status != Pass || stand.Checks[1].Status != Fail || stand.Checks[2].Status != Pass {
				t.Errorf("%+v", stand.Checks)
			}
			for _, v := range stand.Validity {
				if v.Status != Pass {
					t.Errorf("no check depends on it: %+v", v)
				}
			}
			j := Judge(run, []Check{rate("< 600/s"), rate("> 600/s"), latency})
			wanted := []Status{Pass, Fail, Pass}
			if c.says != "" {
				wanted = []Status{Inconclusive, Inconclusive, Inconclusive}
				if v := validityOf(t, j, "generator"); !strings.HasPrefix(v.Why, "500/s by the clients of browse during peak is the ceiling") {
					t.Errorf("%q", v.Why)
				}
			}
			for i, v := range j.Checks {
				want(t, v, wanted[i], "")
				if !strings.Contains(v.Why, c.says) {
					t.Errorf("%s: %q does not say %q", v.Name, v.Why, c.says)
				}
			}
		})
	}
}

// What the run did not start cannot be told from what else the machine does.
func TestAnExternalTargetMayBeAmongTheOthers(t *testing.T) {
	s := twoPhases(t)
	s.meta.Targets[0].Kind = "external"
	s.steadily("peak", 500, func(i int, c *evidence.Sample) bool { return i%2 == 0 })
	s.machine(worked{procs: 2, cpus: 2, used: 0.3, others: 1.7})
	j := Judge(s.end(), []Check{during(t, "peak", passing)})
	want(t, validityOf(t, j, "offered rate"), Inconclusive,
		"processes that are not of this run (the target among them if it runs here) used 1.7 of the machine's 2 cores; run it on a quiet machine")
}

// Calls that went wrong are told by load and phase, whatever is judged of them.
func TestLateUnsentAndTimedOutCallsAreTold(t *testing.T) {
	s := twoPhases(t)
	s.steadily("steady", 250, func(i int, c *evidence.Sample) bool {
		if i < 3 {
			c.Class, c.Code = evidence.Timeout, 0
		}
		if i >= 10 && i < 14 {
			c.Sent, c.Done = c.Sent+11*ms, c.Done+11*ms
		}
		return i < 998
	})
	s.steadily("peak", 250, nil)
	checks := []Check{during(t, "steady", passing), during(t, "peak", passing)}
	j := Judge(s.end(), checks)
	v := j.Validity[kindIndex(j.Validity, "calls")]
	if v.Status != Pass || v.Measured != "steady: 4 late, 2 not sent, 3 timed out" {
		t.Errorf("%+v", v)
	}
	j = Judge(faulty(t, bitten, nil), []Check{during(t, "steady", passing)})
	if v := j.Validity[kindIndex(j.Validity, "calls")]; v.Measured != "none" {
		t.Errorf("%+v", v)
	}
}

func TestCoresIsTheSlopeOfACounter(t *testing.T) {
	s := evidence.Series{T: []time.Duration{0, time.Second, 2 * time.Second, 3 * time.Second}, V: []float64{10, 11.5, 0.2, 0.7}}
	for _, c := range []struct{ from, to, want float64 }{
		{0, 1, 1.5}, {0.5, 1, 1.5}, {1, 2, 0}, {2, 3, 0.5}, {2.5, 4, 0.25 / 1.5}, {-1, 0, 0}, {3, 3, 0},
	} {
		got := cores(s, time.Duration(c.from*1e9), time.Duration(c.to*1e9))
		if got < c.want-1e-9 || got > c.want+1e-9 {
			t.Errorf("from %v to %v: %v, want %v", c.from, c.to, got, c.want)
		}
	}
}

func TestNumbersAreWrittenAsPeopleReadThem(t *testing.T) {
	for v, want := range map[float64]string{14843.7: "14844/s", 999.96: "1000/s", 102.7143: "102.7/s", 0.01234: "0.01234/s", 30000: "30000/s"} {
		if got := formatRate(v); got != want {
			t.Errorf("%v: %q, want %q", v, got, want)
		}
	}
	for v, want := range map[float64]string{0.976: "0.98", 1.25: "1.2", 12: "12", 0: "0"} {
		if got := formatCores(v); got != want {
			t.Errorf("%v: %q, want %q", v, got, want)
		}
	}
	for n, want := range map[int64]string{1: "1 call", 999: "999 calls", 1000: "1,000 calls", 1234567: "1,234,567 calls"} {
		if got := grouped(n, "call"); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}

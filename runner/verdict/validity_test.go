package verdict

import (
	"testing"
	"time"

	"ordeal/runner/evidence"
)

// Refusals happen in the kernel: on the load's own link its calls show them.
func TestRefusedCallsShowThatAPortWasClosed(t *testing.T) {
	for _, c := range []struct {
		link, fault, target string
		class               evidence.Class
		want                Status
	}{
		{"client->gateway", "refuse new connections", "gateway", evidence.Refused, Pass},
		{"client->gateway", "refuse new connections", "gateway", evidence.Timeout, Inconclusive},
		{"client->gateway", "refuse new connections", "shop", evidence.Refused, Inconclusive},
		{"gateway->users", "refuse new connections", "gateway", evidence.Refused, Inconclusive},
		{"client->gateway", "blackhole", "gateway", evidence.Refused, Inconclusive},
	} {
		run := faulty(t, nil, func(s *script) {
			s.meta.Loads[0].Target = c.target
			start, _ := s.phase("outage")
			for i := range s.calls {
				if at := s.calls[i].Intended - start; at >= 100*ms && at < 150*ms {
					s.calls[i].Class, s.calls[i].Code = c.class, 0
				}
			}
			for i := range s.events {
				if e := &s.events[i]; e.Fault != "" {
					e.Fault, e.Link = c.fault+" on "+c.link, c.link
					if e.Kind == evidence.FaultHealed {
						e.Touched = &evidence.Touched{}
					}
				}
			}
			s.meta.Phases[1].Faults[0].Fault = c.fault + " on " + c.link
		})
		j := Judge(run, []Check{during(t, "outage", passing)})
		want(t, j.Checks[0], c.want, "")
		if v := j.Validity[kindIndex(j.Validity, "fault")]; v.Status != c.want || c.want == Pass && v.Measured != "5 calls refused, as the load saw it" {
			t.Errorf("%+v: %+v", c, v)
		}
	}
}

// A run whose targets did not start was offered no load, and the generator is
// not to blame for that.
func TestARunThatNeverBeganBlamesNoGenerator(t *testing.T) {
	s := twoPhases(t)
	s.steadily("steady", 100, func(int, *evidence.Sample) bool { return false })
	s.unbegun = true
	s.event(evidence.Event{At: s.meta.Took + time.Second, Kind: evidence.RunEnd, Text: string(evidence.Failed)}) // it waited long
	j := Judge(s.endAs(evidence.Failed), []Check{during(t, "steady", passing), &Errors{Load: "browse", Ratio: of[RatioLimit](t, passing)}})
	for _, v := range j.Validity {
		if v.Kind == "offered rate" || v.Kind == "generator" {
			t.Errorf("%+v", v)
		}
	}
	want(t, validityOf(t, j, "completed"), Inconclusive, "not gone through: warmup, steady, peak")
	want(t, j.Checks[0], Inconclusive, "the run ended before its timeline began")
	want(t, j.Checks[1], Inconclusive, "the run ended before its timeline began")
}

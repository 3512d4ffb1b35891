package verdict

import (
	"strings"
	"testing"
	"time"

	"ordeal/runner/evidence"
)

// A breaker may flap faster than it is scraped: then the counters show it.
func TestFlappingBetweenTwoScrapesIsFound(t *testing.T) {
	m := soundGateway()
	m.gullible, m.wait = true, 300*ms
	s := play(t, m.phases...)
	start, end := s.phase("outage")
	m.stall = func(at time.Duration) bool { return at > start+100*ms && at < end-100*ms }
	check := breakerCheck(t)
	check.Open, check.Reopens, check.Sheds, check.Probes = 0, nil, nil, 0
	v := judgeBy(t, m.runs(s), check)
	if p := partOf(t, v, "no flapping"); p.Status != Fail || !strings.Contains(p.Why, "closed and opened again") {
		tell(t, v)
		t.Errorf("%+v", p)
	}
	if p := partOf(t, v, "legal edges"); p.Status != Pass {
		t.Errorf("legal edges: what is hidden is taken for illegal: %+v", p)
	}
}

// Whole half-open states that fall between two scrapes are counted, but not
// taken for one long open state.
func TestHiddenHalfOpenStatesAreNoEvidence(t *testing.T) {
	m := soundGateway()
	m.wait = 400 * ms
	s := play(t, m.phases...)
	start, end := s.phase("outage")
	m.stall = func(at time.Duration) bool { return at > start+600*ms && at < end }
	check := breakerCheck(t)
	check.Open = 400 * ms
	v := judgeBy(t, m.runs(s), check)
	if v.Status == Fail {
		tell(t, v)
		t.Fatal("a sound breaker fails for want of scrapes")
	}
	if p := partOf(t, v, "reopens"); p.Status != Pass || p.Measured == "never" {
		t.Errorf("reopens: %+v", p)
	}
}

// The target's clock may differ: then its times are not used, but its counts are.
func TestAnotherClockIsNotBelieved(t *testing.T) {
	m := soundGateway()
	m.export = func(p *evidence.Point) bool {
		if p.Name == "breaker_last_transition_timestamp_seconds" && p.Value > 0 {
			p.Value += 3600
		}
		return true
	}
	v := judgeBy(t, m.runs(play(t, m.phases...)), breakerCheck(t))
	if v.Status == Fail {
		tell(t, v)
		t.Fatal("a sound breaker fails for its clock")
	}
	if p := partOf(t, v, "metric agrees"); p.Status != Inconclusive || !strings.Contains(p.Why, "clock differs") {
		t.Errorf("%+v", p)
	}
	if p := partOf(t, v, "opens within"); p.Status != Pass {
		t.Errorf("%+v", p)
	}
	m.neverCloses = true
	if p := partOf(t, judgeBy(t, m.runs(play(t, m.phases...)), breakerCheck(t)), "closes within"); p.Status != Fail {
		t.Errorf("never closes: %+v", p)
	}
}

// A breaker that exports its state alone is judged by that, as far as it goes.
func TestTheStateAloneIsJudged(t *testing.T) {
	only := func(p *evidence.Point) bool { return p.Name == "breaker_state" }
	m := soundGateway()
	m.export = only
	v := judgeBy(t, m.runs(play(t, m.phases...)), breakerCheck(t))
	if v.Status == Fail {
		tell(t, v)
		t.Fatal("a sound breaker fails")
	}
	for _, name := range []string{"opens within", "closes within", "sheds", "no leaks"} {
		if p := partOf(t, v, name); p.Status != Pass {
			t.Errorf("%+v", p)
		}
	}
	for name, change := range map[string]func(*gatewayModel){
		"opens within":  func(m *gatewayModel) { m.window = 250 },
		"closes within": func(m *gatewayModel) { m.neverCloses = true },
		"sheds":         func(m *gatewayModel) { m.leakEvery = 20 },
		"no flapping":   func(m *gatewayModel) { m.gullible = true },
	} {
		m := soundGateway()
		m.export = only
		change(&m)
		v := judgeBy(t, m.runs(play(t, m.phases...)), breakerCheck(t))
		if p := partOf(t, v, name); p.Status != Fail {
			tell(t, v)
			t.Errorf("%s: %+v", name, p)
		}
	}
}

// Without any metric the clients' history still shows whether it opened at all.
func TestABreakerWithoutMetrics(t *testing.T) {
	m := soundGateway()
	m.export = func(*evidence.Point) bool { return false }
	v := judgeBy(t, m.runs(play(t, m.phases...)), breakerCheck(t))
	want(t, v, Inconclusive, "exports no breaker_state")
	if p := partOf(t, v, "opens within"); p.Status != Pass {
		t.Errorf("%+v", p)
	}
	m.neverCloses = true
	v = judgeBy(t, m.runs(play(t, m.phases...)), breakerCheck(t))
	if p := partOf(t, v, "closes within"); p.Status != Fail || !strings.Contains(p.Why, "still shed") {
		t.Errorf("%+v", p)
	}
}

func TestABreakerThatNothingWasAskedOf(t *testing.T) {
	m := soundGateway()
	m.shuffle = func(c *evidence.Sample) bool { c.Class, c.Code, c.Mark = evidence.OK, 200, ""; return true }
	m.off = true
	v := judgeBy(t, m.runs(play(t, m.phases...)), breakerCheck(t))
	want(t, v, Inconclusive, "it had no reason to open")

	m = soundGateway()
	check := breakerCheck(t)
	check.Load = "nobody"
	want(t, judgeBy(t, m.runs(play(t, m.phases...)), check), Inconclusive, "no load nobody")
	check = breakerCheck(t)
	check.Link = "gateway->elsewhere"
	v = judgeBy(t, m.runs(play(t, m.phases...)), check)
	for _, name := range []string{"no leaks", "probes bounded"} {
		if p := partOf(t, v, name); p.Status != Inconclusive || !strings.Contains(p.Why, "was never read") {
			t.Errorf("%+v", p)
		}
	}
}

// With replicas nobody can say which breaker a call met.
func TestSeveralBreakersAreNotMixedUp(t *testing.T) {
	m := soundGateway()
	n := 0
	m.export = func(p *evidence.Point) bool {
		if p.Name == "breaker_state" {
			n++
		}
		p.Target = []string{"gateway/0", "gateway/1"}[n%2]
		return true
	}
	want(t, judgeBy(t, m.runs(play(t, m.phases...)), breakerCheck(t)), Inconclusive, "gateway/0 and gateway/1 have a breaker each")
}

// A target that does not mark its answers can be judged by its codes.
func TestShedCodesStandForMarks(t *testing.T) {
	m := soundGateway()
	m.shuffle = func(c *evidence.Sample) bool { c.Mark = ""; return true }
	run := m.runs(play(t, m.phases...))
	check := breakerCheck(t)
	v := judgeBy(t, run, check)
	if p := partOf(t, v, "sheds"); p.Status != Fail {
		t.Errorf("nothing is marked as shed, and yet: %+v", p)
	}
	check.ShedCodes = []int{503}
	if v := judgeBy(t, run, check); v.Status != Pass {
		tell(t, v)
		t.Error("shed by code")
	}
}

// A client that opens a new connection watches the health of the server on it:
// one stream, which passed no breaker.
func TestANewConnectionIsNoLeakAndNoProbe(t *testing.T) {
	for seed := range uint64(6) {
		m := soundGateway()
		s := play(t, m.phases...)
		start, end := s.phase("outage")
		m.seed, m.reconnects = seed, start+time.Second+time.Duration(seed)*(end-start-time.Second)/5
		v := judgeBy(t, m.runs(s), breakerCheck(t))
		if v.Status != Pass {
			tell(t, v)
			t.Fatalf("a sound breaker does not pass when the connection is opened anew at %s", m.reconnects)
		}
		m.leakEvery = 20
		if p := partOf(t, judgeBy(t, m.runs(play(t, m.phases...)), breakerCheck(t)), "no leaks"); p.Status != Fail {
			t.Errorf("leaks pass for the new connection's: %+v", p)
		}
		m.leakEvery, m.permits = 0, 8
		if p := partOf(t, judgeBy(t, m.runs(play(t, m.phases...)), breakerCheck(t)), "probes bounded"); p.Status != Fail {
			t.Errorf("probes pass for the new connection's: %+v", p)
		}
	}
}

// The heal of a link breaks its connection, and the new one's stream comes while
// the breaker is open again after its one trial: that is no second probe.
func TestANewConnectionAfterTheTrialIsNoProbe(t *testing.T) {
	m := soundGateway()
	m.wait, m.permits = 3*time.Second, 1
	check := breakerCheck(t)
	check.Open, check.Probes = m.wait, 1
	for seed := range uint64(6) {
		s := play(t, m.phases...)
		_, heal := s.phase("outage")
		m.seed, m.reconnects = seed, heal+20*ms
		if p := partOf(t, judgeBy(t, m.runs(s), check), "probes bounded"); p.Status != Pass || p.Measured != "at most 1, half-open once" {
			t.Errorf("seed %d: %+v", seed, p)
		}
	}
	// It hides no second one.
	m.permits = 2
	if p := partOf(t, judgeBy(t, m.runs(play(t, m.phases...)), check), "probes bounded"); p.Status != Fail {
		t.Errorf("%+v", p)
	}
}

// What was not watched for long enough, or not closely enough, has not failed.
func TestWhatIsNotKnownOfABreakerIsInconclusive(t *testing.T) {
	m := soundGateway()
	m.neverCloses = true
	check := breakerCheck(t)
	check.ClosesWithin = 30 * time.Second
	p := partOf(t, judgeBy(t, m.runs(play(t, m.phases...)), check), "closes within")
	if p.Status != Inconclusive || !strings.Contains(p.Why, "watched for") {
		t.Errorf("%+v", p)
	}

	// By its state alone it is known to have opened between two scrapes only.
	m = soundGateway()
	m.export = func(p *evidence.Point) bool { return p.Name == "breaker_state" }
	check = breakerCheck(t)
	check.OpensWithin = 360 * ms
	unsure := 0
	for m.seed = range uint64(5) {
		switch p := partOf(t, judgeBy(t, m.runs(play(t, m.phases...)), check), "opens within"); p.Status {
		case Fail:
			t.Errorf("seed %d: %+v", m.seed, p)
		case Inconclusive:
			unsure++
		}
	}
	if unsure == 0 {
		t.Error("scrapes a quarter of a second apart show everything to 13 ms")
	}

	// It stays open for longer than its wait because no call comes to end that.
	m = soundGateway()
	m.rate = 4
	check = &Breaker{Target: "gateway", Link: "gateway->users", Load: "browse", During: "outage", Open: 1500 * ms, Gap: 20 * ms}
	if p := partOf(t, judgeBy(t, m.runs(play(t, m.phases...)), check), "stays open"); p.Status != Inconclusive || !strings.Contains(p.Why, "no call came") {
		t.Errorf("%+v", p)
	}
}

// Rejections that other callers got are not missed among the load's calls.
func TestOtherCallersAreRejectedToo(t *testing.T) {
	m := soundGateway()
	m.export = func(p *evidence.Point) bool {
		if p.Name == "breaker_calls_total" {
			p.Value *= 2
		}
		return true
	}
	s := play(t, m.phases...)
	run := m.runs(s)
	run.Meta.Links = append(run.Meta.Links, evidence.LinkMeta{Name: "shop->gateway", From: "shop", To: "gateway"})
	if p := partOf(t, breakerCheck(t).Judge(run), "metric agrees"); p.Status != Pass {
		t.Errorf("%+v", p)
	}
}

// A counter that begins again and is soon where it was shows a new change by its time.
func TestAChangeAfterARestartIsSeen(t *testing.T) {
	series := func(name string, values ...float64) evidence.Series {
		s := evidence.Series{Target: "gateway", Name: name, Labels: `breaker="users",from="closed",to="open"`, V: values}
		for i := range values {
			s.T = append(s.T, time.Duration(i+1)*time.Second)
		}
		return s
	}
	run := &evidence.Run{}
	run.Meta.Base = time.Unix(1000, 0)
	var l timeline
	l.readTransitions(run, []evidence.Series{series("n", 0, 1, 1, 1)}, []evidence.Series{series("t", 0, 1001.5, 1001.5, 1003.5)})
	if len(l.edges) != 2 || l.edges[0].at != 1500*ms || l.edges[1].at != 3500*ms {
		t.Errorf("%+v", l.edges)
	}
}

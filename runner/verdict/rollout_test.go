package verdict

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"ordeal/runner/evidence"
)

func rolloutCheck(t testing.TB) *Rollout {
	return &Rollout{
		Deployment: "gateway", Load: "browse", During: "change", Failed: of[CountLimit](t, "= 0"),
		CompleteWithin: 4 * time.Second, MixedWithin: 3 * time.Second, SwitchWithin: 4 * time.Second,
	}
}

func judgeRollout(t testing.TB, m rolloutModel, r *Rollout) Verdict {
	t.Helper()
	return judgeBy(t, m.runs(play(t, m.phases...)), r)
}

func TestASoundRollingUpdatePassesEveryProperty(t *testing.T) {
	for name, change := range map[string]func(*rolloutModel){
		"plain":           func(*rolloutModel) {},
		"shares":          func(m *rolloutModel) { m.unavailable, m.surge, m.replicas = "25%", "50%", 7 },
		"surge alone":     func(m *rolloutModel) { m.unavailable, m.surge = 0, 1 },
		"no surge":        func(m *rolloutModel) { m.unavailable, m.surge = 2, 0 },
		"scaled up":       func(m *rolloutModel) { m.scale = 6 },
		"usual strategy":  func(m *rolloutModel) { m.unavailable, m.surge, m.without = "25%", "25%", "rollingUpdate" },
		"goes back after": func(m *rolloutModel) { m.back = "after" },
	} {
		t.Run(name, func(t *testing.T) {
			m := soundRollout()
			change(&m)
			v := judgeRollout(t, m, rolloutCheck(t))
			if v.Status != Pass || len(v.Parts) != 7 {
				tell(t, v)
				t.Fatalf("a sound rollout does not pass")
			}
			if !strings.Contains(v.Measured, "complete after") || !strings.Contains(v.Measured, "0 of 1000 calls failed") {
				t.Errorf("measured %q", v.Measured)
			}
		})
	}
}

// The way back is judged as a change of its own.
func TestTheWayBackIsAChangeToo(t *testing.T) {
	m := soundRollout()
	m.back = "after"
	r := rolloutCheck(t)
	r.During = "after"
	v := judgeRollout(t, m, r)
	if v.Status != Pass {
		tell(t, v)
		t.Fatal("a sound way back does not pass")
	}
	m.stuck = true // the Pods of the other template never came
	if v := judgeRollout(t, m, rolloutCheck(t)); v.Status != Fail {
		tell(t, v)
		t.Error("a change that got stuck passes because it was taken back")
	}
}

func TestABrokenRolloutFailsByName(t *testing.T) {
	for _, c := range []struct {
		name  string
		part  string
		model func(*rolloutModel)
		check func(*Rollout)
		why   string
	}{
		{"a call fails", "failed calls", func(m *rolloutModel) { m.failing = 1 }, nil, "1 of 1000 calls failed: 999 ok, 1 reset"},
		{"never complete", "complete", func(m *rolloutModel) { m.stuck = true }, nil, "it was not complete in the"},
		{"never complete, no limit", "complete", func(m *rolloutModel) { m.stuck = true }, func(r *Rollout) { r.CompleteWithin = 0 }, "it was not complete in the"},
		{"late", "complete", func(m *rolloutModel) { m.start = 2 * time.Second }, func(r *Rollout) { r.CompleteWithin = 3 * time.Second }, "until every Pod was of the new version"},
		{"mixed for long", "mixed answers", func(m *rolloutModel) { m.start = time.Second }, func(r *Rollout) { r.MixedWithin = 500 * ms }, "both versions answered calls for"},
		{"mixed for long, unseen by calls", "mixed Pods", func(m *rolloutModel) { m.start, m.unnamed = time.Second, true }, func(r *Rollout) { r.MixedWithin = 500 * ms }, "Pods of both versions were Ready for"},
		{"old Pods go on answering", "switched", func(m *rolloutModel) { m.lingers = 4 * time.Second }, nil, "the old version answered calls until"},
		{"too few Pods", "max unavailable", func(m *rolloutModel) { m.extraDown = 1 }, nil, "only 2 of 4 Pods were Ready"},
		{"too many Pods", "max surge", func(m *rolloutModel) { m.extraUp = 1 }, nil, "there were 6 Pods where 4 were wanted"},
		{"stricter than its strategy", "max unavailable", func(*rolloutModel) {}, func(r *Rollout) { r.MaxUnavailable = of[PodShare](t, "0") }, "only 3 of 4 Pods were Ready"},
		{"stricter surge", "max surge", func(*rolloutModel) {}, func(r *Rollout) { r.MaxSurge = of[PodShare](t, "0") }, "there were 5 Pods where 4 were wanted"},
		{"too few Pods of the usual", "max unavailable", func(m *rolloutModel) { m.unavailable, m.surge, m.without = "50%", "25%", "rollingUpdate" }, nil, "only 2 of 4 Pods were Ready"},
		{"too few though scaled", "max unavailable", func(m *rolloutModel) { m.extraDown, m.scale = 2, 6 }, nil, "Pods were Ready"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, r := soundRollout(), rolloutCheck(t)
			c.model(&m)
			if c.check != nil {
				c.check(r)
			}
			v := judgeRollout(t, m, r)
			if p := partOf(t, v, c.part); p.Status != Fail || v.Status != Fail || !strings.Contains(p.Why, c.why) {
				tell(t, v)
				t.Fatalf("%s: %+v", c.part, p)
			}
			for _, p := range v.Parts { // nothing else is blamed that is sound
				if p.Status == Fail && p.Name == "failed calls" && c.part != p.Name {
					t.Errorf("failed calls are blamed too: %+v", p)
				}
			}
		})
	}
}

// What was not seen is never a pass.
func TestARolloutThatWasNotSeenIsInconclusive(t *testing.T) {
	kind := func(kinds ...string) func(*evidence.Event) bool {
		return func(e *evidence.Event) bool { return slices.Contains(kinds, e.Object.Kind) }
	}
	for _, c := range []struct {
		name  string
		model func(*rolloutModel)
		part  string // "" for the whole verdict
		why   string
	}{
		{"no Pod", func(m *rolloutModel) { m.unseen = kind("Pod") }, "", "nobody watched the cluster"},
		{"no ReplicaSet", func(m *rolloutModel) { m.unseen = kind("ReplicaSet") }, "mixed answers", "nothing was seen of a ReplicaSet"},
		{"no Deployment", func(m *rolloutModel) { m.unseen = kind("Deployment") }, "complete", "nothing was seen of Deployment gateway"},
		{"no Deployment, bounds", func(m *rolloutModel) { m.unseen = kind("Deployment") }, "max surge", "nothing was seen of Deployment gateway"},
		{"nothing after the change", func(m *rolloutModel) {
			m.unseen = func(e *evidence.Event) bool { return e.At > 6*time.Second }
		}, "max unavailable", "nothing was seen of the Pods"},
		{"nothing of the Deployment after the change", func(m *rolloutModel) {
			m.unseen = func(e *evidence.Event) bool { return e.At > 6*time.Second && e.Object.Kind == "Deployment" }
		}, "complete", "changing"},
		{"nothing before the change", func(m *rolloutModel) {
			m.unseen = func(e *evidence.Event) bool { return e.At < 6*time.Second && e.Object.Kind == "ReplicaSet" }
		}, "switched", "it is not known which template"},
		{"no name in answers", func(m *rolloutModel) { m.unnamed = true }, "mixed answers", "no answer names a Pod"},
		{"no change of the template", func(m *rolloutModel) { m.same = true }, "switched", "no other template"},
		{"not whole before", func(m *rolloutModel) { m.lame, m.unavailable = true, 0 }, "max unavailable", "it was not whole before"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := soundRollout()
			c.model(&m)
			v := judgeRollout(t, m, rolloutCheck(t))
			why, status := v.Why, v.Status
			if c.part != "" {
				p := partOf(t, v, c.part)
				why, status = p.Why, p.Status
			}
			if status != Inconclusive || v.Status == Pass || !strings.Contains(why, c.why) {
				tell(t, v)
				t.Errorf("%s: %s", status, why)
			}
		})
	}
}

func TestARolloutNeedsItsChangeAndItsPhase(t *testing.T) {
	m := soundRollout()
	r := rolloutCheck(t)
	r.Deployment = "users"
	want(t, judgeRollout(t, m, r), Inconclusive, "no change of Deployment users was made in phase change")
	r = rolloutCheck(t)
	r.During = "steady"
	want(t, judgeRollout(t, m, r), Inconclusive, "no change of Deployment gateway was made in phase steady")
	s := m.play(play(t, m.phases...))
	s.cut = "change"
	want(t, judgeBy(t, s.endAs(evidence.Interrupted), rolloutCheck(t)), Inconclusive, "cut short")
}

// A change whose next one comes too soon cannot show what may take longer, unless
// nothing of the old version was left by then.
func TestARolloutThatWasWatchedForTooShort(t *testing.T) {
	m := soundRollout()
	m.phases[2].took, m.phases[3].took = time.Second, time.Second
	r := rolloutCheck(t)
	r.SwitchWithin = 10 * time.Second
	if v := judgeRollout(t, m, r); v.Status != Pass {
		tell(t, v)
		t.Error("it was complete, and does not pass")
	}
	m.start = 3 * time.Second
	v := judgeRollout(t, m, r)
	for _, name := range []string{"switched", "complete"} {
		if p := partOf(t, v, name); p.Status != Inconclusive || p.Why == "" {
			tell(t, v)
			t.Errorf("%+v", p)
		}
	}
	s := soundSwitch()
	run := s.runs(t)
	c := switchCheck(t)
	c.SwitchWithin = 10 * time.Second
	if p := partOf(t, judgeBy(t, run, c), "switched"); p.Status != Inconclusive || !strings.Contains(p.Why, "less than it may take") {
		t.Errorf("%+v", p)
	}
	c.SwitchWithin = 8 * time.Second // as long as it was watched, but for a moment
	if p := partOf(t, judgeBy(t, run, c), "switched"); p.Status != Pass {
		t.Errorf("%+v", p)
	}
}

// A bad release that a fault brings later is none of the change's.
func TestARolloutEndsWhereAFaultBringsAnotherTemplate(t *testing.T) {
	m := soundRollout()
	m.back = "after" // as the fault would do it
	s := m.play(play(t, m.phases...))
	for i, e := range s.events {
		if e.Kind == evidence.Changed && e.Phase == "after" {
			s.events[i] = evidence.Event{At: e.At, Kind: evidence.FaultInjected, Phase: "after", Fault: "crash_loop on gateway", Target: "gateway"}
		}
	}
	_, heal := s.phase("after")
	for i, e := range s.events { // its injection is told when it acts: after its template was seen
		if e.Kind == evidence.FaultInjected {
			s.events[i].At += 500 * ms
		}
	}
	s.event(evidence.Event{At: heal, Kind: evidence.FaultHealed, Phase: "after", Fault: "crash_loop on gateway", Target: "gateway", Touched: &evidence.Touched{Connections: 1}})
	if v := judgeBy(t, s.end(), rolloutCheck(t)); v.Status != Pass {
		tell(t, v)
		t.Error("the template of a fault is taken for the change's")
	}
}

func TestPodSharesAreRoundedAsKubernetesDoes(t *testing.T) {
	for _, c := range []struct {
		text             string
		wanted, down, up int
	}{
		{"1", 4, 1, 1}, {"25%", 4, 1, 1}, {"25%", 5, 1, 2}, {"25%", 2, 0, 1}, {"0", 9, 0, 0}, {"0%", 9, 0, 0}, {"100%", 3, 3, 3}, {"10%", 10, 1, 1}, {"30%", 10, 3, 3},
	} {
		p := of[PodShare](t, c.text)
		if p.down(c.wanted) != c.down || p.up(c.wanted) != c.up || p.String() != c.text {
			t.Errorf("%s of %d: %d and %d as %s", c.text, c.wanted, p.down(c.wanted), p.up(c.wanted), p)
		}
	}
	for _, text := range []string{"", "-1", "1.5", "2.5%", "some", "%", "9999%"} {
		var p PodShare
		if err := p.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is read as %s", text, p)
		}
	}
}

func TestRolloutIsChecked(t *testing.T) {
	for _, c := range []struct {
		r    Rollout
		want string
	}{
		{Rollout{Deployment: "gateway"}, ""},
		{Rollout{Service: "gateway", Failed: of[CountLimit](t, "= 0")}, ""},
		{Rollout{Service: "gateway"}, ": nothing to judge"},
		{Rollout{Service: "gateway", SwitchWithin: -1}, "switch_within: -1ns is negative"},
		{Rollout{Service: "gateway", SwitchWithin: 1, CompleteWithin: 1}, "complete_within: a Service"},
		{Rollout{Service: "gateway", SwitchWithin: 1, MaxSurge: of[PodShare](t, "1")}, "max_surge: a Service"},
	} {
		got := problemsOf(&c.r)
		if (c.want == "") != (len(got) == 0) || c.want != "" && !strings.HasPrefix(got[0], c.want) {
			t.Errorf("%s: got %q, want %q", &c.r, got, c.want)
		}
	}
}

func problemsOf(r *Rollout) []string {
	var all []string
	r.Validate(func(field, format string, args ...any) {
		all = append(all, field+": "+fmt.Sprintf(format, args...))
	})
	return all
}

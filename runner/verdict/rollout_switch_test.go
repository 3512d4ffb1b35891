package verdict

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"ordeal/runner/evidence"
)

// switchModel writes the evidence of a Service "gateway" that is switched from
// its blue Pods to its green ones where the phase "change" starts, and back where
// the phase "after" starts.
type switchModel struct {
	takes   time.Duration // from the change to the first call that follows it
	overlap time.Duration // for which both colours answer then
	back    bool
	green   string // the label of the green Pods
	unseen  func(*evidence.Event) bool
	failing int // calls that fail in the change
}

func soundSwitch() switchModel { return switchModel{takes: 100 * ms, overlap: 50 * ms, green: "green"} }

func (m switchModel) runs(t testing.TB) *evidence.Run {
	s := play(t, phase{"steady", 3 * time.Second}, phase{"change", 4 * time.Second}, phase{"after", 4 * time.Second})
	for _, colour := range []string{"blue", "green"} {
		for i := range 2 {
			name := fmt.Sprintf("gateway-%s-%d", colour, i)
			label := colour
			if colour == "green" {
				label = m.green
			}
			s.see("found", "Pod", name, 900*ms, fields{
				"metadata": fields{"name": name, "uid": name, "labels": fields{"app": "gateway", "version": label}},
				"status":   fields{"phase": "Running", "conditions": []any{fields{"type": "Ready", "status": "True"}}},
			}, m.unseen)
		}
	}
	service := func(at time.Duration, colour string) {
		s.see("changed", "Service", "gateway", at, fields{
			"metadata": fields{"name": "gateway", "uid": "s"}, "spec": fields{"selector": fields{"app": "gateway", "version": colour}},
		}, m.unseen)
	}
	change := func(phase, colour string) time.Duration {
		at, _ := s.phase(phase)
		s.event(evidence.Event{At: at + ms, Kind: evidence.Changed, Phase: phase, Text: "switch of Service gateway: version=" + colour,
			Object: &evidence.Object{Kind: "Service", Name: "gateway"}})
		service(at+4*ms, colour)
		return at
	}
	service(900*ms, "blue")
	to := change("change", "green")
	back := time.Hour
	if m.back {
		back = change("after", "blue")
	}
	for _, p := range s.meta.Phases {
		s.steadily(p.Name, 200, func(i int, c *evidence.Sample) bool {
			colour := "blue"
			for n, at := range []time.Duration{to, back} {
				switch since := c.Sent - at - m.takes; {
				case since >= m.overlap, since >= 0 && i%2 == 0:
					colour = []string{"green", "blue"}[n]
				}
			}
			c.Backend = fmt.Sprintf("gateway-%s-%d", colour, i%2)
			if p.Name == "change" && i < m.failing {
				c.Class, c.Code, c.Backend = evidence.Refused, 0, ""
			}
			return true
		})
	}
	return s.end()
}

func switchCheck(t testing.TB) *Rollout {
	return &Rollout{Service: "gateway", Load: "browse", During: "change", Failed: of[CountLimit](t, "= 0"), MixedWithin: 500 * ms, SwitchWithin: time.Second}
}

func TestASoundSwitchPassesThereAndBack(t *testing.T) {
	m := soundSwitch()
	m.back = true
	run := m.runs(t)
	for _, during := range []string{"change", "after"} {
		r := switchCheck(t)
		r.During = during
		v := judgeBy(t, run, r)
		if v.Status != Pass || len(v.Parts) != 3 || !strings.Contains(v.Measured, "switched after 1") {
			tell(t, v)
			t.Errorf("%s: a sound switch does not pass", during)
		}
	}
}

func TestABrokenSwitchFailsByName(t *testing.T) {
	for name, c := range map[string]struct {
		part  string
		model func(*switchModel)
	}{
		"late":         {"switched", func(m *switchModel) { m.takes = 1500 * ms }},
		"mixed":        {"mixed answers", func(m *switchModel) { m.overlap = 800 * ms }},
		"a call fails": {"failed calls", func(m *switchModel) { m.failing = 1 }},
		"never":        {"switched", func(m *switchModel) { m.takes = time.Hour }},
	} {
		t.Run(name, func(t *testing.T) {
			m := soundSwitch()
			c.model(&m)
			v := judgeBy(t, m.runs(t), switchCheck(t))
			if p := partOf(t, v, c.part); p.Status != Fail || v.Status != Fail || p.Why == "" {
				tell(t, v)
				t.Errorf("%s: %+v", c.part, p)
			}
		})
	}
}

func TestASwitchThatWasNotSeenIsInconclusive(t *testing.T) {
	for why, model := range map[string]func(*switchModel){
		"what Service gateway selected before": func(m *switchModel) {
			m.unseen = func(e *evidence.Event) bool { return e.Object.Kind == "Service" && e.At < 2*time.Second }
		},
		"nothing was seen of Service gateway selecting other Pods": func(m *switchModel) {
			m.unseen = func(e *evidence.Event) bool { return e.Object.Kind == "Service" && e.At > 2*time.Second }
		},
		"were of no Pod that is known": func(m *switchModel) { m.green = "grey" },
	} {
		m := soundSwitch()
		model(&m)
		v := judgeBy(t, m.runs(t), switchCheck(t))
		if p := partOf(t, v, "switched"); p.Status != Inconclusive || !strings.Contains(p.Why, why) {
			tell(t, v)
			t.Errorf("%s: %+v", why, p)
		}
	}
}

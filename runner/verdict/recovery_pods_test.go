package verdict

import (
	"fmt"
	"testing"
	"time"

	"ordeal/runner/evidence"
)

// killedPods is a run in which one of three Pods of the gateway is killed where the
// phase "outage" starts, and another is Ready after a time. Calls are slow for as
// long as slow after that.
func killedPods(t testing.TB, after, slow time.Duration, change func(*script)) *evidence.Run {
	s := play(t, phase{"steady", 3 * time.Second}, phase{"outage", 4 * time.Second}, phase{"after", 6 * time.Second})
	start, heal := s.phase("outage")
	pod := func(at time.Duration, action string, n int, ready bool) {
		status := map[bool]string{true: "True", false: "False"}[ready]
		name := fmt.Sprintf("gateway-%d", n)
		s.see(action, "Pod", name, at, fields{"metadata": fields{"name": name, "uid": name}, "status": fields{"phase": "Running",
			"conditions": []any{fields{"type": "Ready", "status": status}}}}, nil)
		s.events[len(s.events)-1].Target = "gateway"
	}
	for n := range 3 {
		pod(900*ms, "found", n, true)
	}
	pod(start+2*ms, "deleted", 1, false)
	pod(start+5*ms, "added", 3, false)
	pod(start+after, "changed", 3, true)
	const fault = "pod_kill 1 on gateway"
	s.event(evidence.Event{At: start + 10*ms, Kind: evidence.FaultInjected, Phase: "outage", Fault: fault, Target: "gateway"})
	s.event(evidence.Event{At: heal + ms, Kind: evidence.FaultHealed, Phase: "outage", Fault: fault, Target: "gateway", Touched: &evidence.Touched{Connections: 1}})
	s.meta.Phases[1].Faults = []evidence.FaultMeta{{Fault: fault, Target: "gateway"}}
	for _, p := range s.meta.Phases {
		s.steadily(p.Name, 100, func(_ int, c *evidence.Sample) bool {
			if c.Intended >= start && c.Intended < start+after+slow {
				c.Done = c.Sent + 300*ms
			}
			return true
		})
	}
	if change != nil {
		change(s)
	}
	return s.end()
}

func TestRecoveryFromKilledPodsCountsFromWhenOthersWereReady(t *testing.T) {
	check := &Recovery{Load: "browse", After: "outage", Within: time.Second, Hold: time.Second}
	if v := judgeBy(t, killedPods(t, time.Second, 500*ms, nil), check); v.Status != Pass || v.Measured == "0s" {
		t.Errorf("%s: %s, %s", v.Status, v.Measured, v.Why)
	}
	// Counted from the heal at the end of the phase, 2.5 s would be nothing.
	if v := judgeBy(t, killedPods(t, time.Second, 2500*ms, nil), check); v.Status != Fail {
		t.Errorf("%s: %s, %s", v.Status, v.Measured, v.Why)
	}
}

// Where nobody saw the Pods, the heal is what is known.
func TestRecoveryFromKilledPodsThatNobodySaw(t *testing.T) {
	check := &Recovery{Load: "browse", After: "outage", Within: time.Second, Hold: time.Second}
	run := killedPods(t, time.Second, 500*ms, func(s *script) {
		for i := range s.events {
			if s.events[i].Kind == evidence.ObjectSeen {
				s.events[i].Target = ""
			}
		}
	})
	if v := judgeBy(t, run, check); v.Status != Pass || v.Measured != "0s" {
		t.Errorf("%s: %s, %s", v.Status, v.Measured, v.Why)
	}
}

package verdict

import (
	"strings"
	"testing"
	"time"

	"ordeal/runner/evidence"
)

func TestASoundAutoscalerPasses(t *testing.T) {
	custom := []any{fields{"type": "Pods", "pods": fields{"metric": fields{"name": "requests"}, "target": fields{"type": "AverageValue", "averageValue": "50"}}}}
	for name, change := range map[string]func(*hpaModel){
		"with a behavior":    func(*hpaModel) {},
		"without behavior":   func(m *hpaModel) { m.behavior = nil },
		"on a custom metric": func(m *hpaModel) { m.metrics = custom },
		"on two metrics":     func(m *hpaModel) { m.metrics = append(m.metrics, custom...) },
		"slowly":             func(m *hpaModel) { m.sync = 2 * time.Second },
		"a Pod is not measured for a while": func(m *hpaModel) {
			m.unmetered = func(pod string, at time.Duration) bool {
				return pod == "gateway-2" && at > 20*time.Second && at < 24*time.Second
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			m := soundHPA()
			change(&m)
			s := play(t, m.phases...)
			v := judgeBy(t, m.runs(s), hpaCheckOf(s))
			if v.Status != Pass {
				tell(t, v)
				t.Fatal("a sound autoscaler does not pass")
			}
			if !strings.Contains(v.Measured, "first step after") || !strings.Contains(v.Measured, "back to 2 after") {
				t.Errorf("measured %q", v.Measured)
			}
		})
	}
}

// The negative controls: each property fails by itself.
func TestABrokenAutoscalerFails(t *testing.T) {
	window := func(seconds int) func(*hpaModel) {
		return func(m *hpaModel) { m.behavior["scaleDown"].(fields)["stabilizationWindowSeconds"] = seconds }
	}
	for name, tc := range map[string]struct {
		change func(*hpaModel)
		check  func(*HPA)
		part   string
		why    string
	}{
		"more than it may":     {func(m *hpaModel) { m.told = func(o *hpaObject) { o.Spec.MaxReplicas = 12 }; m.demand["surge"] = 600 }, nil, "bounds kept", "it went to"},
		"more than is claimed": {nil, func(h *HPA) { h.Max = 4 }, "bounds kept", "it went to"},
		"asleep as the load comes": {func(m *hpaModel) {
			m.asleep = func(at time.Duration) bool { return at > 11*time.Second && at < 20*time.Second }
		}, nil, "first scale within", "it asked for more replicas"},
		"min = max":                 {func(m *hpaModel) { m.min, m.max = 2, 2 }, nil, "first scale within", "its minimum and its maximum are 2"},
		"a maximum that is too low": {func(m *hpaModel) { m.max = 5 }, func(h *HPA) { h.Max = 5 }, "enough within", "more than the maximum of 5"},
		"Pods that start slowly":    {func(m *hpaModel) { m.start = 20 * time.Second; m.set.CPUInitializationPeriod = time.Minute }, nil, "enough within", "Ready"},
		"too many": {func(m *hpaModel) {
			m.decide = func(at time.Duration, from, to int32) int32 {
				if to > from {
					return 10
				}
				return to
			}
		}, func(h *HPA) { h.Overshoot = of[CountLimit](t, "<= 0") }, "overshoot", "it went up to"},
		"too few": {func(m *hpaModel) {
			m.min, m.demand["calm"] = 1, 190
			m.decide = func(at time.Duration, from, to int32) int32 {
				if at > 60*time.Second && at < 63*time.Second {
					return 1
				}
				return to
			}
		}, func(h *HPA) { h.Min, h.BackWithin = 1, 0 }, "undershoot", "it went down to 1"},
		"flapping": {func(m *hpaModel) {
			m.decide = func(at time.Duration, from, to int32) int32 {
				if at > 30*time.Second && at < 36*time.Second {
					return 7 + int32(at/time.Second)%2
				}
				return to
			}
		}, nil, "flaps", "it changed its direction"},
		"steps where it is to stand still": {nil, func(h *HPA) { h.Steps = of[CountLimit](t, "= 0") }, "steps", "it made"},
		"a window that is too long":        {window(300), nil, "stabilization window", "as many still"},
		"a window that is a bit longer":    {window(20), nil, "stabilization window", "more than 10s"},
		"no window":                        {window(0), nil, "stabilization window", "after the metrics had asked for more"},
		"a shorter window":                 {window(5), nil, "stabilization window", "after the metrics had asked for more"},
		"back too late":                    {nil, func(h *HPA) { h.BackWithin = 5 * time.Second }, "back to minimum within", "it was back at 2 replicas"},
		"never back":                       {window(300), nil, "back to minimum within", "not back at 2"},
		"too fast": {func(m *hpaModel) {
			m.told = func(o *hpaObject) { o.Spec.Behavior.ScaleUp.Policies[0].Value = 900 }
		}, nil, "rate policy kept", "are allowed"},
		"fewer than asked for": {func(m *hpaModel) {
			m.decide = func(at time.Duration, from, to int32) int32 {
				if to > from {
					return max(from, to-2)
				}
				return to
			}
		}, nil, "steps explained", "it stayed at"},
		"a step for nothing": {func(m *hpaModel) {
			m.decide = func(at time.Duration, from, to int32) int32 {
				if at > 7*time.Second && at < 8*time.Second {
					return from + 1
				}
				return to
			}
		}, nil, "steps explained", "it went from 2 to 3"},
		"a tolerance that it was not told": {func(m *hpaModel) {
			m.told = func(o *hpaObject) { v := quantity(1); o.Spec.Behavior.ScaleUp.Tolerance = &v }
		}, nil, "steps explained", "it stayed at"},
		"steps by somebody else": {func(m *hpaModel) {
			m.hand = func(at time.Duration, wanted int32) (int32, bool) { return 4, at == 8*time.Second }
		}, nil, "steps announced", "somebody else"},
		"no Event": {func(m *hpaModel) {
			m.unseen = func(e *evidence.Event) bool { return e.Object.Kind == "Event" && e.At > 20*time.Second }
		}, nil, "steps announced", "no Event"},
	} {
		t.Run(name, func(t *testing.T) {
			m := soundHPA()
			if tc.change != nil {
				tc.change(&m)
			}
			s := play(t, m.phases...)
			check := hpaCheckOf(s)
			if tc.check != nil {
				tc.check(check)
			}
			v := judgeBy(t, m.runs(s), check)
			p := partOf(t, v, tc.part)
			if p.Status != Fail || !strings.Contains(p.Why, tc.why) || v.Status != Fail {
				tell(t, v)
				t.Errorf("%+v", p)
			}
		})
	}
}

func TestStepsOfAnAutoscalerAreCounted(t *testing.T) {
	m := soundHPA()
	s := play(t, m.phases...)
	check := hpaCheckOf(s)
	check.Steps = of[CountLimit](t, "1..9")
	v := judgeBy(t, m.runs(s), check)
	if p := partOf(t, v, "steps"); p.Status != Pass || p.Measured == "0" {
		t.Errorf("%+v", p)
	}
}

// A broken property leaves those alone that have nothing to do with it.
func TestAWindowThatWasClaimedWronglyIsExplained(t *testing.T) {
	m := soundHPA()
	m.behavior["scaleDown"].(fields)["stabilizationWindowSeconds"] = 300
	s := play(t, m.phases...)
	v := judgeBy(t, m.runs(s), hpaCheckOf(s))
	for _, name := range []string{"bounds kept", "first scale within", "enough within", "overshoot", "undershoot", "flaps", "rate policy kept", "steps explained", "steps announced"} {
		if p := partOf(t, v, name); p.Status != Pass {
			t.Errorf("%+v", p)
		}
	}
}

func TestWithoutMetricsNothingIsClaimedOfAnAutoscaler(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*hpaModel)
		why    string
	}{
		"not recorded": {func(m *hpaModel) { m.unpolled = func(time.Duration) bool { return true } }, "nothing was recorded of the metrics API"},
		"not recorded for a while": {func(m *hpaModel) {
			m.unpolled = func(at time.Duration) bool { return at > 14*time.Second && at < 34*time.Second }
		}, "no metrics were recorded"},
		"missing all the time": {func(m *hpaModel) { m.down = func(time.Duration) bool { return true } }, "missing"},
		"missing while the load is high": {func(m *hpaModel) {
			m.down = func(at time.Duration) bool { return at > 10*time.Second && at < 42*time.Second }
		}, "missing"},
		"of another kind": {func(m *hpaModel) {
			m.metrics = append(m.metrics, fields{"type": "External", "external": fields{"metric": fields{"name": "queue"}, "target": fields{"averageValue": "1"}}})
		}, "External"},
		"a load that needs no more": {func(m *hpaModel) { m.demand["surge"] = 95 }, "did not ask for more than 2 replicas"},
	} {
		t.Run(name, func(t *testing.T) {
			m := soundHPA()
			tc.change(&m)
			s := play(t, m.phases...)
			v := judgeBy(t, m.runs(s), hpaCheckOf(s))
			if v.Status != Inconclusive || !strings.Contains(v.Why, tc.why) {
				tell(t, v)
				t.Errorf("it is %s: %s", v.Status, v.Why)
			}
		})
	}
}

func TestAnAutoscalerThatWasNotSeenIsInconclusive(t *testing.T) {
	for kind, why := range map[string]string{"HorizontalPodAutoscaler": "nothing was seen of an autoscaler gateway", "Deployment": "nothing was seen of Deployment gateway"} {
		m := soundHPA()
		s := m.play(play(t, m.phases...))
		var kept []evidence.Event
		for _, e := range s.events {
			if e.Object == nil || e.Object.Kind != kind {
				kept = append(kept, e)
			}
		}
		s.events = kept
		if v := judgeBy(t, s.end(), hpaCheckOf(s)); v.Status != Inconclusive || !strings.Contains(v.Why, why) {
			t.Errorf("it is %s: %s", v.Status, v.Why)
		}
	}
}

// An autoscaler that is blind for a while and does nothing then is a sound one.
func TestABlindAutoscalerStandsStill(t *testing.T) {
	m := soundHPA()
	m.phases = append([]phase{m.phases[0], m.phases[1], {"blind", 8 * time.Second}}, m.phases[2:]...)
	m.demand["blind"] = m.demand["surge"]
	m.down = func(at time.Duration) bool { return at >= 12*time.Second && at < 20*time.Second }
	s := play(t, m.phases...)
	check := &HPA{Name: "gateway", During: "blind", Steps: of[CountLimit](t, "= 0")}
	if v := judgeBy(t, m.runs(s), check); v.Status != Pass {
		tell(t, v)
		t.Error("standing still while blind is held against it")
	}
	m.decide = func(at time.Duration, from, to int32) int32 {
		if at > 16*time.Second && at < 17*time.Second {
			return from + 2
		}
		return to
	}
	s = play(t, m.phases...)
	v := judgeBy(t, m.runs(s), check)
	if p := partOf(t, v, "steps explained"); p.Status != Fail || !strings.Contains(p.Why, "no metric was valid") {
		t.Errorf("%+v", p)
	}
	if p := partOf(t, v, "steps"); p.Status != Fail {
		t.Errorf("%+v", p)
	}
}

func TestAnExpectationOfAnAutoscalerIsChecked(t *testing.T) {
	for field, h := range map[string]HPA{
		"first_scale_within": {FirstWithin: -1}, "max": {Min: 4, Max: 2}, "min": {Min: -1}, "calm": {During: "a", Calm: "a"},
		"stabilization": {Stabilization: 1}, "undershoot": {Undershoot: &CountLimit{}}, "back_to_min_within": {BackWithin: 1}, "sync": {Sync: -1},
	} {
		found := ""
		h.Validate(func(f, _ string, _ ...any) { found += f })
		if found != field {
			t.Errorf("found %q wrong, want %q", found, field)
		}
	}
}

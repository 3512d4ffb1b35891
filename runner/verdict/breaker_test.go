package verdict

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"ordeal/runner/evidence"
)

func soundGateway() gatewayModel {
	return gatewayModel{
		phases: []phase{{"warmup", time.Second}, {"steady", 3 * time.Second}, {"outage", 5 * time.Second}, {"after", 5 * time.Second}},
		rate:   100, wait: 1500 * ms, permits: 3, window: 10, seed: 1,
	}
}

func breakerCheck(t testing.TB) *Breaker {
	return &Breaker{
		Target: "gateway", Link: "gateway->users", Load: "browse", During: "outage",
		OpensWithin: time.Second, Sheds: of[Share](t, "100%"), Probes: 3, Reopens: of[CountLimit](t, "> 0"),
		Open: 1500 * ms, ClosesWithin: 3 * time.Second, Drain: 500 * ms,
	}
}

func partOf(t testing.TB, v Verdict, name string) Part {
	t.Helper()
	i := slices.IndexFunc(v.Parts, func(p Part) bool { return p.Name == name })
	if i < 0 {
		t.Fatalf("no part %q in %+v", name, v)
	}
	return v.Parts[i]
}

func tell(t testing.TB, v Verdict) {
	t.Helper()
	t.Logf("%s: %s: %s (%s)", v.Status, v.Name, v.Why, v.Measured)
	for _, p := range v.Parts {
		t.Logf("  %-12s %-14s %s (limit %s) %s", p.Status, p.Name, p.Measured, p.Limit, p.Why)
	}
}

func TestASoundBreakerPassesEveryProperty(t *testing.T) {
	for name, change := range map[string]func(*gatewayModel){
		"plain":         func(*gatewayModel) {},
		"with fallback": func(m *gatewayModel) { m.fallsBack = true },
		"one probe":     func(m *gatewayModel) { m.permits = 1 },
		"another rate":  func(m *gatewayModel) { m.rate = 317 },
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(5) {
				m := soundGateway()
				m.seed = seed
				change(&m)
				v := judgeBy(t, m.runs(play(t, m.phases...)), breakerCheck(t))
				if v.Status != Pass {
					tell(t, v)
					t.Fatalf("seed %d: a sound breaker does not pass", seed)
				}
				if len(v.Parts) != 11 {
					t.Errorf("%d properties were judged", len(v.Parts))
				}
				if !strings.HasPrefix(v.Measured, "open after 3") || !strings.Contains(v.Measured, "after the heal") {
					t.Errorf("measured %q", v.Measured)
				}
			}
		})
	}
}

func TestABrokenBreakerFailsByName(t *testing.T) {
	for _, c := range []struct {
		name  string
		part  string
		model func(*gatewayModel)
		check func(*Breaker)
	}{
		{"off", "opens within", func(m *gatewayModel) { m.off = true }, nil},
		{"opens late", "opens within", func(m *gatewayModel) { m.window = 250 }, nil},
		{"never closes", "closes within", func(m *gatewayModel) { m.neverCloses = true }, nil},
		{"stays open for ever", "closes within", func(m *gatewayModel) { m.wait = time.Hour }, func(b *Breaker) { b.Open, b.Reopens, b.Probes = 0, nil, 0 }},
		{"closes late", "closes within", func(*gatewayModel) {}, func(b *Breaker) { b.ClosesWithin = 100 * ms }},
		{"leaks", "sheds", func(m *gatewayModel) { m.leakEvery = 20 }, nil},
		{"leaks onto the link", "no leaks", func(m *gatewayModel) { m.leakEvery = 20 }, func(b *Breaker) { b.Sheds, b.Leaks = of[Share](t, "10%"), of[CountLimit](t, "= 0") }},
		{"too many probes", "probes bounded", func(m *gatewayModel) { m.permits = 8 }, nil},
		{"flaps", "no flapping", func(m *gatewayModel) { m.gullible = true }, nil},
		{"skips half-open", "legal edges", func(m *gatewayModel) { m.skipsHalf = true }, nil},
		{"opens for too short", "stays open", func(m *gatewayModel) { m.wait = 700 * ms }, nil},
		{"opens for too long", "stays open", func(m *gatewayModel) { m.wait = 3 * time.Second }, nil},
		{"rejects slowly", "rejects fast", func(m *gatewayModel) { m.slowReject = 280 * ms }, nil},
		{"state always closed", "metric agrees", func(m *gatewayModel) {
			m.export = func(p *evidence.Point) bool {
				if p.Name == "breaker_state" {
					p.Value = 0
				}
				return true
			}
		}, nil},
		{"exports nothing but zeros", "metric agrees", func(m *gatewayModel) {
			m.export = func(p *evidence.Point) bool { p.Value = 0; return true }
		}, nil},
		{"does not count rejections", "metric agrees", func(m *gatewayModel) {
			m.export = func(p *evidence.Point) bool {
				if p.Name == "breaker_calls_total" {
					p.Value = 0
				}
				return true
			}
		}, nil},
		{"counts rejections twice", "metric agrees", func(m *gatewayModel) {
			m.export = func(p *evidence.Point) bool {
				if p.Name == "breaker_calls_total" {
					p.Value *= 2
				}
				return true
			}
		}, nil},
		{"hides that it was half-open", "legal edges", func(m *gatewayModel) {
			m.export = func(p *evidence.Point) bool { return !strings.Contains(p.Labels, `to="half-open"`) }
		}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := soundGateway()
			c.model(&m)
			check := breakerCheck(t)
			if c.check != nil {
				c.check(check)
			}
			v := judgeBy(t, m.runs(play(t, m.phases...)), check)
			if p := partOf(t, v, c.part); p.Status != Fail || v.Status != Fail || p.Why == "" {
				tell(t, v)
				t.Fatalf("%s does not fail: %+v", c.part, p)
			}
			if !strings.Contains(v.Why, ": ") {
				t.Errorf("why %q names no property", v.Why)
			}
		})
	}
}

// busy makes the machine stand still once, and scrapes fail for a while.
func (m *gatewayModel) busy(seed uint64) {
	const total = 14 * time.Second
	rng := rand.New(rand.NewPCG(seed, 2))
	at := func() time.Duration { return timelineStart + time.Duration(rng.Int64N(int64(total))) }
	from := at()
	m.seed, m.freeze = seed, [2]time.Duration{from, from + 200*ms + time.Duration(rng.Int64N(int64(700*ms)))}
	gap := at()
	length := time.Duration(rng.Int64N(int64(2 * time.Second)))
	m.stall = func(at time.Duration) bool { return at > gap && at < gap+length }
}

// A breaker is sound on a busy machine too: it must not be called broken because
// scrapes come late or the machine stands still for a while.
func TestABusyMachineBreaksNoBreaker(t *testing.T) {
	passed := 0
	const runs = 40
	for seed := range uint64(runs) {
		m := soundGateway()
		m.busy(seed)
		check := breakerCheck(t)
		check.OpensWithin, check.Reopens = 2*time.Second, nil
		v := judgeBy(t, m.runs(play(t, m.phases...)), check)
		if v.Status == Fail {
			t.Logf("seed %d: stood still from %s to %s", seed, m.freeze[0], m.freeze[1])
			tell(t, v)
			t.Fatal("a sound breaker fails")
		}
		if v.Status == Pass {
			passed++
		} else {
			t.Logf("seed %d: %s", seed, v.Why)
		}
	}
	if passed < runs*3/4 {
		t.Errorf("only %d of %d runs pass", passed, runs)
	}
}

// And a busy machine is no excuse for a broken one.
func TestABusyMachineExcusesNoBreaker(t *testing.T) {
	for name, change := range map[string]func(*gatewayModel){
		"off":          func(m *gatewayModel) { m.off = true },
		"opens late":   func(m *gatewayModel) { m.window = 350 },
		"never closes": func(m *gatewayModel) { m.neverCloses = true },
		"leaks":        func(m *gatewayModel) { m.leakEvery = 20 },
		"flaps":        func(m *gatewayModel) { m.gullible = true },
	} {
		for seed := range uint64(8) {
			m := soundGateway()
			m.busy(seed)
			change(&m)
			check := breakerCheck(t)
			check.OpensWithin, check.Reopens = 2*time.Second, nil
			if v := judgeBy(t, m.runs(play(t, m.phases...)), check); v.Status != Fail {
				tell(t, v)
				t.Errorf("%s, seed %d: a broken breaker does not fail", name, seed)
			}
		}
	}
}

package breaker

import (
	"slices"
	"testing"
	"time"
)

// model is the breaker as one would explain it: it keeps every result of the current state in a list, and
// looks through the end of that list for each decision.
type model struct {
	cfg     Config
	state   State
	epoch   int // number of transitions so far
	entered time.Time
	results []string // of calls that started in this state
	given   int      // permits out of this half-open state, less those returned
	illegal bool
}

func (m *model) enter(s State, now time.Time) {
	m.illegal = m.illegal || m.state == s || m.state == Closed && s == HalfOpen || m.state == Open && s == Closed
	m.state, m.entered, m.results, m.given = s, now, nil, 0
	m.epoch++
}

func (m *model) overdue(now time.Time) bool {
	return m.state == HalfOpen && m.cfg.MaxHalfOpenWait > 0 && now.Sub(m.entered) > m.cfg.MaxHalfOpenWait
}

func (m *model) acquire(now time.Time) bool {
	if m.overdue(now) {
		m.enter(Open, now)
	} else if m.state == Open && now.Sub(m.entered) > m.cfg.OpenFor {
		m.enter(HalfOpen, now)
	}
	switch {
	case m.state == Closed:
		return true
	case m.state == HalfOpen && m.given < m.cfg.HalfOpenPermits:
		m.given++
		return true
	}
	return false
}

func (m *model) complete(epoch int, result string, now time.Time) {
	if m.overdue(now) {
		m.enter(Open, now)
	}
	if epoch != m.epoch {
		return
	}
	if result == "ignored" {
		m.given--
		return
	}
	m.results = append(m.results, result)
	size := m.cfg.Window
	if m.state == HalfOpen {
		size = m.cfg.HalfOpenPermits
	}
	if len(m.results) > size {
		m.results = m.results[len(m.results)-size:]
	}
	n := len(m.results)
	if n < m.cfg.MinimumCalls && n < size {
		return
	}
	bad := m.rate("failed", "failed slow") >= m.cfg.FailureRate ||
		m.cfg.SlowAfter > 0 && m.rate("slow", "failed slow") >= m.cfg.SlowRate
	if bad {
		m.enter(Open, now)
	} else if m.state == HalfOpen {
		m.enter(Closed, now)
	}
}

func (m *model) rate(kinds ...string) float64 {
	n := 0
	for _, r := range m.results {
		if slices.Contains(kinds, r) {
			n++
		}
	}
	return float64(n) / float64(len(m.results))
}

// flight is a call under way, in both worlds.
type flight struct {
	permit  *Permit
	epoch   int
	started time.Time
}

// FuzzAgainstModel reads a configuration and a list of deeds from the bytes and does them to both.
func FuzzAgainstModel(f *testing.F) {
	f.Add([]byte{9, 9, 128, 5, 0, 0, 0, 0, 10, 0, 10, 0, 10, 0, 10, 0, 10, 30, 0, 5})
	f.Add([]byte{1, 1, 128, 2, 1, 3, 100, 4, 0, 0, 0, 10, 10, 10, 30, 30, 0, 0, 5, 15, 20, 0, 5, 30, 0})
	f.Add([]byte{3, 1, 250, 1, 3, 0, 0, 0, 0, 1, 2, 10, 35, 40, 0, 0, 0, 0, 15, 15, 5, 35, 0, 20})
	f.Fuzz(func(t *testing.T, in []byte) {
		if len(in) < 8 {
			return
		}
		c := newClock()
		cfg := Config{
			Window: 1 + int(in[0]%12), MinimumCalls: 1 + int(in[1]%12), FailureRate: float64(1+int(in[2])) / 256,
			OpenFor: time.Duration(1 + in[3]%8), HalfOpenPermits: 1 + int(in[4]%12),
			SlowAfter: time.Duration(in[5] % 4), SlowRate: float64(1+int(in[6])) / 256,
			MaxHalfOpenWait: time.Duration(in[7] % 6), Now: c.now,
		}
		b, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		m := &model{cfg: cfg}
		var inFlight, done []flight
		for i, x := range in[8:] {
			deed, which := x%5, int(x/5)
			switch {
			case deed == 0: // a call starts
				epochOK := m.acquire(c.now())
				p, err := b.Acquire()
				if (err == nil) != epochOK {
					t.Fatalf("deed %d: Acquire says %v, the model %v (%v)", i, err, epochOK, m.state)
				}
				if err == nil {
					inFlight = append(inFlight, flight{&p, m.epoch, c.now()})
				}
			case deed == 4: // time passes, or somebody looks, or completes twice
				if which%4 == 0 && len(done) > 0 {
					complete(done[which%len(done)].permit, "sfi"[which%3])
				}
				_ = b.State()
				c.advance(time.Duration(which % 10))
			case len(inFlight) > 0: // a call ends
				k := which % len(inFlight)
				fl := inFlight[k]
				inFlight = slices.Delete(inFlight, k, k+1)
				done = append(done, fl)
				complete(fl.permit, "?sfi"[deed])
				m.complete(fl.epoch, m.result(deed, c.now().Sub(fl.started)), c.now())
			}
			s := b.Snapshot()
			if s.State != m.state {
				t.Fatalf("deed %d: state is %v, the model's %v", i, s.State, m.state)
			}
			if m.state != Open && s.Calls != len(m.results) {
				t.Fatalf("deed %d: window holds %d, the model's %d", i, s.Calls, len(m.results))
			}
			if m.illegal {
				t.Fatalf("deed %d: the model took an illegal edge", i)
			}
		}
		transitions := 0
		for _, e := range b.Snapshot().Edges {
			transitions += int(e.Count)
		}
		if transitions != m.epoch {
			t.Fatalf("%d transitions counted, the model made %d", transitions, m.epoch)
		}
	})
}

func (m *model) result(deed byte, took time.Duration) string {
	slow := m.cfg.SlowAfter > 0 && took > m.cfg.SlowAfter
	switch {
	case deed == 3:
		return "ignored"
	case deed == 2 && slow:
		return "failed slow"
	case deed == 2:
		return "failed"
	case slow:
		return "slow"
	}
	return "good"
}

package load

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

func rate(v float64) *Rate { r := Rate(v); return &r }

func holdAt(v float64) *Curve { return &Curve{Hold: rate(v)} }

func phases(spans ...time.Duration) []PhaseSpan {
	var ps []PhaseSpan
	var at time.Duration
	for i, span := range spans {
		ps = append(ps, PhaseSpan{Name: string(rune('a' + i)), Start: at, For: span})
		at += span
	}
	return ps
}

func ptr[T any](v T) *T { return &v }

// curves has one of every kind, and what the integral of each over 10 s is,
// worked out by hand.
var curves = map[string]struct {
	curve *Curve
	calls float64
}{
	"hold":        {holdAt(250), 2500},
	"ramp up":     {&Curve{Ramp: &Ramp{From: 0, To: 200}}, 1000},
	"ramp down":   {&Curve{Ramp: &Ramp{From: 200, To: 0}}, 1000},
	"ramp over":   {&Curve{Ramp: &Ramp{From: 0, To: 100, Over: 4 * time.Second}}, 800},
	"step up":     {&Curve{Step: &Step{From: 10, To: 30, By: 10, Every: 2 * time.Second}}, 20 + 40 + 180},
	"step down":   {&Curve{Step: &Step{From: 30, To: 5, By: 10, Every: 4 * time.Second}}, 120 + 80 + 20},
	"spike":       {&Curve{Spike: &Spike{Base: 10, Peak: 100, For: 2 * time.Second}}, 280},
	"spike first": {&Curve{Spike: &Spike{Base: 0, Peak: 100, For: 2 * time.Second, At: ptr(time.Duration(0))}}, 200},
	"sine":        {&Curve{Sine: &Sine{Mean: 100, Amplitude: 100, Period: 5 * time.Second}}, 1000},
	"sine half":   {&Curve{Sine: &Sine{Mean: 100, Amplitude: 50, Period: 20 * time.Second}}, 1000 + 50*20/math.Pi},
}

func schedule(t testing.TB, spec Spec, ps []PhaseSpan, seed uint64) Schedule {
	t.Helper()
	s, err := spec.Schedule(ps, seed)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// offsets walks a schedule to its end.
func offsets(t testing.TB, s Schedule) []time.Duration {
	t.Helper()
	var all []time.Duration
	for n := uint64(0); ; n++ {
		at, ok := s.At(n)
		if !ok {
			return all
		}
		if len(all) > 0 && at < all[len(all)-1] {
			t.Fatalf("call %d at %v is before the call before it, at %v", n, at, all[len(all)-1])
		}
		all = append(all, at)
	}
}

func TestUniformFollowsTheIntegral(t *testing.T) {
	for name, c := range curves {
		t.Run(name, func(t *testing.T) {
			all := offsets(t, schedule(t, Spec{Rate: c.curve}, phases(10*time.Second), 1))
			if want := int(math.Ceil(c.calls - 1e-6)); len(all) != want {
				t.Errorf("%d calls, want %d", len(all), want)
			}
			// Against the rate itself, summed in small steps: a different way to the
			// same number, which a wrong inverse does not survive.
			l := newLine(c.curve.shape().pieces(10 * time.Second))
			var due float64
			const step = time.Millisecond
			n := 0
			for at := time.Duration(0); at < 10*time.Second; at += step {
				due += rateOf(l, at+step/2) * step.Seconds()
				for n < len(all) && all[n] < at+step {
					n++
				}
				if d := math.Abs(float64(n) - due); d > 1.5+0.002*c.calls {
					t.Fatalf("%d calls before %v, the rate adds up to %.2f", n, at+step, due)
				}
			}
		})
	}
}

func rateOf(l *line, at time.Duration) float64 {
	for i := range l.pieces {
		if t := at.Seconds() - l.start[i]; t >= 0 && t < l.pieces[i].span {
			return l.pieces[i].rateAt(t)
		}
	}
	return 0
}

func TestUniformDoesNotDrift(t *testing.T) {
	// Three calls a second: a third of a second has no exact form in binary, so a
	// schedule that adds gaps up is off after a day.
	s := schedule(t, Spec{Rate: holdAt(3)}, phases(48*time.Hour), 1)
	for _, n := range []uint64{0, 3, 3 * 3600, 3 * 86400} {
		if at, ok := s.At(n); !ok || at != time.Duration(n/3)*time.Second {
			t.Errorf("call %d at %v, %v", n, at, ok)
		}
	}
	if at, ok := s.At(3 * 48 * 3600); ok {
		t.Errorf("a call past the end, at %v", at)
	}
}

func TestPhasesOverride(t *testing.T) {
	ps := phases(2*time.Second, 3*time.Second, 5*time.Second, time.Second)
	ps[1].Rate = holdAt(1000)
	ps[2].Rate = holdAt(0)
	spec := Spec{Name: "l", Rate: &Curve{Ramp: &Ramp{From: 0, To: 110}}}
	// The ramp is over the whole 11 s: 10 calls/s more each second.
	want := map[string]int64{"a": 20, "b": 3000, "c": 0, "d": 105}
	for _, arrivals := range []string{"uniform", "poisson"} {
		spec.Arrivals = arrivals
		s := schedule(t, spec, ps, 5)
		counted := map[string]int64{"a": 0, "b": 0, "c": 0, "d": 0}
		for _, at := range offsets(t, s) {
			for _, p := range ps {
				if at >= p.Start && at < p.Start+p.For {
					counted[p.Name]++
				}
			}
		}
		planned := spec.Meta(ps, 5).Planned
		for name, n := range counted {
			if planned[name] != n {
				t.Errorf("%s: phase %s has %d calls, planned are %d", arrivals, name, n, planned[name])
			}
			if arrivals == "uniform" && n != want[name] {
				t.Errorf("phase %s has %d calls, want %d", name, n, want[name])
			}
			if d := math.Abs(float64(n - want[name])); d > 5*math.Sqrt(float64(want[name])) {
				t.Errorf("%s: phase %s has %d calls, too far from %d", arrivals, name, n, want[name])
			}
		}
	}
}

func TestAtIsPure(t *testing.T) {
	for _, arrivals := range []string{"uniform", "poisson"} {
		for name, c := range curves {
			spec := Spec{Name: "l", Rate: c.curve, Arrivals: arrivals}
			all := offsets(t, schedule(t, spec, phases(10*time.Second), 9))
			again := schedule(t, spec, phases(10*time.Second), 9)
			for _, n := range rand.New(rand.NewPCG(1, 2)).Perm(len(all)) {
				if at, _ := again.At(uint64(n)); at != all[n] {
					t.Fatalf("%s %s: call %d at %v when asked in another order, %v before", arrivals, name, n, at, all[n])
				}
			}
		}
	}
}

func TestClosedScheduleNeverEnds(t *testing.T) {
	s := schedule(t, Spec{Clients: 3}, phases(time.Second), 1)
	if at, ok := s.At(math.MaxUint64); !ok || at != 0 {
		t.Errorf("got %v, %v", at, ok)
	}
	ps := phases(time.Second)
	ps[0].Rate = holdAt(3)
	if _, err := (&Spec{Clients: 3}).Schedule(ps, 1); err == nil {
		t.Error("a phase may change the rate of a closed model")
	}
}

func TestPlansAreBounded(t *testing.T) {
	year := phases(365 * 24 * time.Hour)
	for _, arrivals := range []string{"uniform", "poisson"} {
		if _, err := (&Spec{Rate: holdAt(maxRate), Arrivals: arrivals}).Schedule(year, 1); err == nil {
			t.Errorf("a year of %s arrivals at %v", arrivals, Rate(maxRate))
		}
		if _, err := (&Spec{Rate: holdAt(1), Arrivals: arrivals}).Schedule(year, 1); err != nil {
			t.Error(err)
		}
	}
}

func FuzzSchedule(f *testing.F) {
	f.Add(uint8(0), 10.0, 200.0, int64(5e9), int64(1e9), uint64(7), false)
	f.Add(uint8(1), 0.0, 0.0, int64(1), int64(1), uint64(0), true)
	f.Add(uint8(4), 100.0, 100.0, int64(3e9), int64(7e8), uint64(3), true)
	f.Fuzz(func(t *testing.T, kind uint8, from, to float64, length, part int64, seed uint64, poisson bool) {
		clamp := func(v float64) Rate {
			if !(v >= 0) {
				v = 0
			}
			return Rate(min(v, 2000))
		}
		span := time.Duration(uint64(length)%uint64(20*time.Second)) + 1
		piece := time.Duration(uint64(part)%uint64(10*time.Second)) + 1
		a, b := clamp(from), clamp(to)
		curve := []*Curve{
			{Hold: &a}, {Ramp: &Ramp{From: a, To: b, Over: piece}}, {Step: &Step{From: a, To: b, By: max(b/7, 1), Every: piece}},
			{Spike: &Spike{Base: a, Peak: b, For: piece}}, {Sine: &Sine{Mean: max(a, b), Amplitude: min(a, b), Period: piece}},
		}[kind%5]
		ps := phases(span, piece, span)
		ps[1].Rate = holdAt(float64(kind) * 3)
		spec := Spec{Name: "f", Rate: curve}
		if poisson {
			spec.Arrivals = "poisson"
		}
		s := schedule(t, spec, ps, seed)
		all := offsets(t, s)
		if n := len(all); n > 0 && (all[0] < 0 || all[n-1] > 2*span+piece) {
			t.Fatalf("calls from %v to %v of a timeline of %v", all[0], all[n-1], 2*span+piece)
		}
		var planned int64
		for _, n := range Planned(s, ps) {
			planned += n
		}
		// A call may be rounded onto the very end.
		if d := int64(len(all)) - planned; d < 0 || d > 1 {
			t.Fatalf("%d calls, %d planned", len(all), planned)
		}
	})
}

func BenchmarkSchedule(b *testing.B) {
	day := phases(time.Hour, 22*time.Hour, time.Hour)
	for name, spec := range map[string]Spec{
		"hold":    {Rate: holdAt(2000)},
		"ramp":    {Rate: &Curve{Ramp: &Ramp{From: 1, To: 2000}}},
		"sine":    {Rate: &Curve{Sine: &Sine{Mean: 1000, Amplitude: 900, Period: time.Hour}}},
		"poisson": {Rate: holdAt(2000), Arrivals: "poisson"},
	} {
		b.Run(name, func(b *testing.B) {
			s := schedule(b, spec, day, 1)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				s.At(uint64(i) % 10_000_000)
			}
		})
	}
}

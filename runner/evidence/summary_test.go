package evidence

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// phased makes a run of consecutive phases of one second each, starting at
// start, with the samples given.
func phased(t testing.TB, start time.Duration, loads, phases []string, samples []Sample) *Run {
	t.Helper()
	meta := testMeta(loads...)
	meta.Start, meta.Took, meta.Phases = start, start+time.Duration(len(phases))*time.Second, nil
	for i, p := range phases {
		meta.Phases = append(meta.Phases, PhaseMeta{Name: p, Start: start + time.Duration(i)*time.Second, For: time.Second, Warmup: p == "warmup"})
	}
	dir := t.TempDir()
	w := mustCreate(t, dir, meta, openOnDisk)
	for _, p := range meta.Phases {
		w.Event(Event{At: p.Start, Kind: PhaseStart, Phase: p.Name})
		w.Event(Event{At: p.Start + p.For, Kind: PhaseEnd, Phase: p.Name})
	}
	for _, s := range samples {
		w.Sample(s)
	}
	if err := w.Close(Completed, nil); err != nil {
		t.Fatal(err)
	}
	return mustOpen(t, dir)
}

func mustSum(t testing.TB, r *Run) *Summary {
	t.Helper()
	s, err := r.Summary()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSummaryAgreesWithCountingByHand(t *testing.T) {
	const start = 3 * time.Second
	rng := rand.New(rand.NewPCG(7, 7))
	phases := []string{"warmup", "steady", "outage", "recovery"}
	var samples []Sample
	for load := range 2 {
		for i := range 8000 {
			at := start + time.Duration(i)*500*time.Microsecond
			s := Sample{
				Load: load, Seq: uint64(i), Intended: at, Sent: at + time.Duration(rng.IntN(1_000_000)), Class: OK, Code: 200, Bytes: int64(i),
				Backend: fmt.Sprintf("b%d", i%3),
			}
			s.Done = s.Sent + time.Duration(rng.ExpFloat64()*5e6)
			switch rng.IntN(20) {
			case 0:
				s.Class, s.Code = HTTP5xx, 503
			case 1:
				s.Class, s.Code = Timeout, 0
			case 2:
				s.Mark = "fallback"
			}
			samples = append(samples, s)
		}
	}
	// Calls are written in the order in which they end, and now and then much later.
	slices.SortFunc(samples, func(a, b Sample) int { return int(a.Done - b.Done) })
	for range 500 {
		i, j := rng.IntN(len(samples)), rng.IntN(len(samples))
		samples[i], samples[j] = samples[j], samples[i]
	}
	r := phased(t, start, []string{"a", "b"}, phases, samples)
	sum := mustSum(t, r)
	if sum.Interval != time.Second || sum.Tick != 100*time.Millisecond || sum.Outside != 0 || len(r.Warnings()) != 0 {
		t.Errorf("interval %v, tick %v, outside %d, %q", sum.Interval, sum.Tick, sum.Outside, r.Warnings())
	}
	between := func(load int, from, to time.Duration) []Sample {
		var out []Sample
		for _, s := range samples {
			if s.Load == load && s.Intended >= start+from && s.Intended < start+to {
				out = append(out, s)
			}
		}
		return out
	}
	for load, name := range []string{"a", "b"} {
		l := sum.Load(name)
		for i, p := range phases {
			from, to := time.Duration(i)*time.Second, time.Duration(i+1)*time.Second
			same(t, name+" "+p, l.Phases[p], between(load, from, to))
			in, of := &l.Intervals[i], between(load, from, to)
			if in.Counts != countsOf(of) || in.Response.Max() != of[latest(of, (*Sample).Response)].Response() || in.MaxLag != of[latest(of, (*Sample).Lag)].Lag() {
				t.Errorf("%s interval %d: %+v", name, i, in)
			}
			near(t, "interval p50", 0.02, first(in.Percentile(50)), exact(of, (*Sample).Response, 50))
		}
		same(t, name+" whole", l.Whole, between(load, time.Second, 4*time.Second))
		same(t, name+" merged", l.Over("steady", "recovery", "steady", "unknown"), append(between(load, time.Second, 2*time.Second), between(load, 3*time.Second, 4*time.Second)...))
		if len(l.Intervals) != 4 || len(l.Ticks) != 40 {
			t.Errorf("%d intervals, %d ticks", len(l.Intervals), len(l.Ticks))
		}
		if got, want := l.Ticks[13], countsOf(between(load, 1300*time.Millisecond, 1400*time.Millisecond)); got != want {
			t.Errorf("tick 13: %+v, want %+v", got, want)
		}
	}
	if again := mustSum(t, r); again != sum {
		t.Error("the second Summary was counted anew")
	}
}

func countsOf(samples []Sample) (c Counts) {
	for i := range samples {
		c.record(&samples[i])
	}
	return c
}

func first(d time.Duration, _ bool) time.Duration { return d }

func latest(of []Sample, by func(*Sample) time.Duration) int {
	best := 0
	for i := range of {
		if by(&of[i]) > by(&of[best]) {
			best = i
		}
	}
	return best
}

func exact(of []Sample, by func(*Sample) time.Duration, p float64) time.Duration {
	var all []time.Duration
	for i := range of {
		all = append(all, by(&of[i]))
	}
	slices.Sort(all)
	return all[max(0, min(len(all)-1, int(p/100*float64(len(all))+0.5)-1))]
}

func near(t *testing.T, what string, tolerance float64, got, want time.Duration) {
	t.Helper()
	if d := float64(got - want); d > tolerance*float64(want)+1 || -d > tolerance*float64(want)+1 {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

func same(t *testing.T, what string, got *Stats, of []Sample) {
	t.Helper()
	if got.Counts != countsOf(of) {
		t.Errorf("%s: %+v, want %+v", what, got.Counts, countsOf(of))
		return
	}
	for name, d := range map[string]struct {
		of *Distribution
		by func(*Sample) time.Duration
	}{"response": {got.Response, (*Sample).Response}, "service": {got.Service, (*Sample).Service}, "lag": {got.Lag, (*Sample).Lag}} {
		if d.of.Count() != int64(len(of)) || d.of.Histogram().TotalCount() != int64(len(of)) {
			t.Errorf("%s %s: %d values, want %d", what, name, d.of.Count(), len(of))
		}
		for _, p := range []float64{10, 50, 90, 99} {
			near(t, fmt.Sprint(what, " ", name, " p", p), 0.001, first(d.of.Percentile(p)), exact(of, d.by, p))
		}
		if got, want := d.of.Max(), d.by(&of[latest(of, d.by)]); got != want {
			t.Errorf("%s %s max is %v, want %v", what, name, got, want)
		}
	}
	var bytes, b1, c503 int64
	for _, s := range of {
		bytes += s.Bytes
		if s.Backend == "b1" {
			b1++
		}
		if s.Code == 503 {
			c503++
		}
	}
	marked := make(map[ClassCode]int64)
	for _, s := range of {
		if s.Mark != "" {
			marked[ClassCode{s.Class, s.Code}]++
		}
	}
	if !maps.Equal(got.MarkedCodes, marked) {
		t.Errorf("%s: marked calls by code %v, want %v", what, got.MarkedCodes, marked)
	}
	if got.Bytes != bytes || got.Backends["b1"] != b1 || got.Codes[ClassCode{HTTP5xx, 503}] != c503 || got.Marks["fallback"] != got.Marked {
		t.Errorf("%s: bytes %d, backends %v, codes %v, marks %v", what, got.Bytes, got.Backends, got.Codes, got.Marks)
	}
	if n := got.Where(func(c Class, code int) bool { return c == Timeout || code == 503 }); n != got.Of(Timeout, HTTP5xx) {
		t.Errorf("%s: Where gives %d", what, n)
	}
}

func TestCallsOutsideOfTheTimelineAreTold(t *testing.T) {
	r := phased(t, 5*time.Second, []string{"a"}, []string{"steady"}, []Sample{
		{Intended: 5 * time.Second, Done: 6 * time.Second}, // the only sound one
		{Seq: 1, Intended: time.Second},
		{Seq: 2, Intended: 99 * time.Hour},
		{Seq: 3, Load: 1, Intended: 5 * time.Second},
		{Seq: 4, Load: -1, Intended: 5 * time.Second},
	})
	sum := mustSum(t, r)
	if sum.Outside != 4 || len(r.Warnings()) != 1 || sum.Loads[0].Intervals[0].Calls != 1 {
		t.Errorf("outside %d, warnings %q, %+v", sum.Outside, r.Warnings(), sum.Loads[0].Intervals)
	}
}

func TestIntervalsGrowWithTheRunNotTheirNumber(t *testing.T) {
	meta := testMeta("a")
	meta.Took = 26 * time.Hour
	dir := t.TempDir()
	w := mustCreate(t, dir, meta, openOnDisk)
	w.Event(Event{Kind: PhaseStart, Phase: "steady"})
	w.Sample(Sample{Intended: 26*time.Hour - 1, Done: 26 * time.Hour})
	if err := w.Close(Completed, nil); err != nil {
		t.Fatal(err)
	}
	sum := mustSum(t, mustOpen(t, dir))
	l := &sum.Loads[0]
	if sum.Interval != 26*time.Second || sum.Tick != 2600*time.Millisecond || len(l.Intervals) != 3600 || l.Intervals[3599].Calls != 1 || l.Ticks[35999].Calls != 1 {
		t.Errorf("interval %v, tick %v, %d intervals", sum.Interval, sum.Tick, len(l.Intervals))
	}
}

func TestManyLoadsShareABoundOnIntervals(t *testing.T) {
	for _, c := range []struct {
		extent time.Duration
		loads  int
		want   time.Duration
	}{
		{0, 0, time.Second}, {time.Hour, 1, time.Second}, {time.Hour, 100, time.Second}, {time.Hour + 1, 1, 2 * time.Second},
		{time.Hour, 1000, 10 * time.Second}, {time.Hour, 1 << 30, time.Hour}, {1<<63 - 1 - 2*time.Second, 1, 2562048 * time.Second},
	} {
		if got := intervalFor(c.extent, c.loads); got != c.want {
			t.Errorf("%v with %d loads: %v, want %v", c.extent, c.loads, got, c.want)
		}
	}
	r := &Run{phases: make([]Span, 1000)}
	r.Meta.Loads = make([]LoadMeta, 1000)
	if _, err := r.Summary(); err == nil {
		t.Error("a million distributions were made")
	}
}

func TestCodesBackendsAndMarksAreBounded(t *testing.T) {
	var samples []Sample
	for i := range 1000 {
		samples = append(samples, Sample{Seq: uint64(i), Class: HTTP4xx, Code: i, Backend: fmt.Sprint(i), Mark: fmt.Sprint(i)})
	}
	s := mustSum(t, phased(t, 0, []string{"a"}, []string{"steady"}, samples)).Loads[0].Whole
	if len(s.Codes) != distinct || len(s.Backends) != distinct || len(s.Marks) != distinct {
		t.Errorf("%d codes, %d backends, %d marks", len(s.Codes), len(s.Backends), len(s.Marks))
	}
	if n := s.Where(func(Class, int) bool { return true }); n != 1000 || s.Backends[more] != 1000-distinct+1 {
		t.Errorf("%d calls by code, %d other backends", n, s.Backends[more])
	}
}

func TestCallsSentLateAreCounted(t *testing.T) {
	var c Counts
	c.record(&Sample{Intended: time.Second, Sent: time.Second + LateAfter, Done: 2 * time.Second}) // at the edge: not late
	c.record(&Sample{Intended: time.Second, Sent: time.Second + LateAfter + 1, Done: 2 * time.Second})
	if c.Late != 1 || c.Calls != 2 {
		t.Errorf("%d of %d calls are late, want 1 of 2", c.Late, c.Calls)
	}
	sum := c
	sum.Add(c)
	if sum.Late != 2 {
		t.Errorf("added up, %d are late, want 2", sum.Late)
	}
}

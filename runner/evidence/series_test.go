package evidence

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestSeriesAreGatheredInTimeOrder(t *testing.T) {
	dir := t.TempDir()
	w := mustCreate(t, dir, testMeta("a"), openOnDisk)
	put := func(at time.Duration, target, name, labels string, v float64) {
		w.Point(Point{At: at, Target: target, Name: name, Labels: labels, Value: v})
	}
	for i := 2000; i > 0; i-- { // the wrong way round, over several batches
		put(time.Duration(i), "users/0", "calls", `code="0"`, float64(i))
	}
	put(5, "users/1", "calls", `code="0"`, 7)
	put(6, "users/1", "calls", `code="14"`, 8)
	put(5, "users", "up", "", 1)
	put(5, "users2", "calls", "", 9)
	put(5, "gateway", "calls", "", 3)
	if err := w.Close(Completed, nil); err != nil {
		t.Fatal(err)
	}
	r := mustOpen(t, dir)
	for _, c := range []struct {
		target, name string
		want         []string
	}{
		{"users", "calls", []string{`users/0 calls code="0"`, `users/1 calls code="0"`, `users/1 calls code="14"`}},
		{"users/1", "", []string{`users/1 calls code="0"`, `users/1 calls code="14"`}},
		{"users", "up", []string{"users up "}},
		{"", "calls", []string{"gateway calls ", `users/0 calls code="0"`, `users/1 calls code="0"`, `users/1 calls code="14"`, "users2 calls "}},
		{"nobody", "", nil},
	} {
		all, err := r.Series(c.target, c.name)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, s := range all {
			got = append(got, s.Target+" "+s.Name+" "+s.Labels)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%q %q: %q, want %q", c.target, c.name, got, c.want)
		}
	}
	all, err := r.Series("users/0", "calls")
	if err != nil || len(all) != 1 || all[0].Len() != 2000 || !slices.IsSorted(all[0].T) || !slices.IsSorted(all[0].V) {
		t.Fatalf("%d series, %v", len(all), err)
	}
}

func TestSeriesAreCutAndLookedUp(t *testing.T) {
	s := Series{Labels: `breaker="a,b=\"c\"",state="open"`, T: []time.Duration{10, 20, 20, 30}, V: []float64{1, 2, 3, 4}}
	for _, c := range []struct {
		from, to time.Duration
		want     []float64
	}{{0, 5, nil}, {10, 20, []float64{1, 2, 3}}, {11, 29, []float64{2, 3}}, {30, 99, []float64{4}}, {31, 99, nil}, {25, 15, nil}} {
		if got := s.Between(c.from, c.to); !slices.Equal(got.V, c.want) || len(got.T) != len(got.V) {
			t.Errorf("%v to %v: %v, want %v", c.from, c.to, got.V, c.want)
		}
	}
	for at, want := range map[time.Duration]float64{9: 0, 10: 1, 19: 1, 20: 3, 99: 4} {
		if v, ok := s.At(at); v != want || ok != (at >= 10) {
			t.Errorf("at %v: %v, %v", at, v, ok)
		}
	}
	got := map[string]string{}
	for _, name := range []string{"breaker", "state", "reaker", "b=", ""} {
		if v, ok := s.Label(name); ok {
			got[name] = v
		}
	}
	if want := map[string]string{"breaker": `a,b="c"`, "state": "open"}; !reflect.DeepEqual(got, want) {
		t.Errorf("labels %q, want %q", got, want)
	}
	if _, ok := (Series{Labels: `broken="`}).Label("x"); ok {
		t.Error("a label was found in broken text")
	}
}

func TestSeriesAskedForAgainAreTheSame(t *testing.T) {
	dir := t.TempDir()
	w := mustCreate(t, dir, testMeta("a"), openOnDisk)
	for i := range 40 {
		w.Point(point(i%4, i/4))
	}
	w.Point(Point{At: -time.Second, Target: "users/1", Name: "early"})
	if err := w.Close(Completed, nil); err != nil {
		t.Fatal(err)
	}
	r := mustOpen(t, dir)
	for _, asked := range [][2]string{{"", ""}, {"users", ""}, {"users/1", "metric_1"}, {"users", "none"}} {
		first, err := r.Series(asked[0], asked[1])
		if err != nil {
			t.Fatal(err)
		}
		if len(first) > 0 {
			_ = append(first[0].V, -1) // must not be seen by others
		}
		again, err := r.Series(asked[0], asked[1])
		if fresh := r.readSeries([]SeriesName{{asked[0], asked[1]}}); err != nil || !reflect.DeepEqual(first, again) || !reflect.DeepEqual(again, fresh) {
			t.Errorf("%q: %+v, then %+v, read %+v", asked, first, again, fresh)
		}
	}
	times, err := r.FirstPoints()
	if err != nil || len(times) != 2 || times["users/0"] != 0 || times["users/1"] != -time.Second {
		t.Errorf("first points %v, %v", times, err)
	}
}

// Series decodes only what it is asked for; the same must come of it as of
// looking at every point.
func TestSeriesAreThosePointsAlone(t *testing.T) {
	dir := t.TempDir()
	w := mustCreate(t, dir, testMeta("a"), openOnDisk)
	r := rand.New(rand.NewPCG(9, 9))
	for i := range 3*groupRows/2 + 77 {
		p := point(r.IntN(7), i)
		if i%1000 == 0 {
			p.Target, p.Labels = "users", fmt.Sprintf("seldom=%q", strings.Repeat("x", i%50))
		}
		w.Point(p)
	}
	if err := w.Close(Completed, nil); err != nil {
		t.Fatal(err)
	}
	askedFor := [][2]string{{"", ""}, {"users", ""}, {"users/1", ""}, {"users", "metric_1"}, {"", "metric_6"}, {"users/0", "metric_1"}, {"user", "metric_1"}}
	t.Run("each by itself", func(t *testing.T) { comparePoints(t, mustOpen(t, dir), askedFor) })
	t.Run("gathered", func(t *testing.T) {
		run := mustOpen(t, dir)
		var names []SeriesName
		for _, asked := range askedFor {
			names = append(names, SeriesName{asked[0], asked[1]})
		}
		run.Gather(append(names[1:], names[2]))
		if len(run.series) != len(names)-1 {
			t.Errorf("%d kept, want %d", len(run.series), len(names)-1)
		}
		comparePoints(t, run, askedFor)
	})
}

func comparePoints(t *testing.T, run *Run, askedFor [][2]string) {
	t.Helper()
	for _, asked := range askedFor {
		want := make(map[Point]int)
		for p, err := range run.Points() {
			if err != nil {
				t.Fatal(err)
			}
			if (asked[1] == "" || p.Name == asked[1]) && isOf(p.Target, asked[0]) {
				want[p]++
			}
		}
		got := make(map[Point]int)
		all, err := run.Series(asked[0], asked[1])
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range all {
			for i := range s.T {
				got[Point{At: s.T[i], Target: s.Target, Name: s.Name, Labels: s.Labels, Value: s.V[i]}]++
			}
		}
		if !maps.Equal(got, want) {
			t.Errorf("%q: %d distinct points, want %d", asked, len(got), len(want))
		}
	}
}

func TestOddValuesOfASeriesSurvive(t *testing.T) {
	dir := t.TempDir()
	w := mustCreate(t, dir, testMeta("a"), openOnDisk)
	want := []float64{math.NaN(), math.Inf(1), math.Inf(-1), math.Copysign(0, -1), math.SmallestNonzeroFloat64}
	for i, v := range want {
		w.Point(Point{At: time.Duration(i), Name: "odd", Value: v})
	}
	if err := w.Close(Completed, nil); err != nil {
		t.Fatal(err)
	}
	s, err := mustOpen(t, dir).Series("", "odd")
	if err != nil || len(s) != 1 || len(s[0].V) != len(want) {
		t.Fatalf("%+v, %v", s, err)
	}
	for i, v := range s[0].V {
		if math.Float64bits(v) != math.Float64bits(want[i]) {
			t.Errorf("value %d is %v, want %v", i, v, want[i])
		}
	}
}

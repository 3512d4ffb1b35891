package main

import (
	"math/rand/v2"
	"testing"
	"time"
)

// upTo gives the durations 1 ms to n ms, in no order.
func upTo(n int) []time.Duration {
	out := make([]time.Duration, n)
	for i, j := range rand.Perm(n) {
		out[j] = time.Duration(i+1) * time.Millisecond
	}
	return out
}

func TestExactFigures(t *testing.T) {
	ms := time.Millisecond
	for _, tc := range []struct {
		n    int
		want [len(percentiles)]figure
	}{
		{10_000, [...]figure{{5000 * ms, true}, {9000 * ms, true}, {9900 * ms, true}, {9990 * ms, true}, {10_000 * ms, true}}},
		// One fewer, and only nine lie beyond p99.9.
		{9_999, [...]figure{{5000 * ms, true}, {9000 * ms, true}, {9900 * ms, true}, {9990 * ms, false}, {9999 * ms, true}}},
		{1, [...]figure{{ms, false}, {ms, false}, {ms, false}, {ms, false}, {ms, true}}},
		{0, [len(percentiles)]figure{}},
	} {
		got := exactly(upTo(tc.n))
		if got.count != int64(tc.n) || got.at != tc.want {
			t.Errorf("of %d: %+v, want %+v", tc.n, got, tc.want)
		}
	}
}

func TestRuleOfComparison(t *testing.T) {
	ms := time.Millisecond
	for _, tc := range []struct {
		name       string
		truth, got figure
		want       mark
	}{
		{"the same", figure{2 * time.Second, true}, figure{2 * time.Second, true}, within},
		{"2 % more", figure{2 * time.Second, true}, figure{2040 * ms, true}, within},
		{"a little more than 2 % more", figure{2 * time.Second, true}, figure{2041 * ms, true}, off},
		{"2 % less", figure{2 * time.Second, true}, figure{1960 * ms, true}, within},
		{"a little more than 2 % less", figure{2 * time.Second, true}, figure{1959 * ms, true}, off},
		{"1 ms where that is much", figure{ms / 4, true}, figure{ms / 4 * 5, true}, within},
		{"more than 1 ms", figure{ms / 4, true}, figure{ms/4*5 + 1, true}, off},
		{"service time for response time", figure{1758 * ms, true}, figure{2 * ms, true}, off},
		{"the truth has it alone", figure{ms, true}, figure{ms, false}, missing},
		{"the report has it alone", figure{ms, false}, figure{ms, true}, off},
		{"neither has it", figure{ms, false}, figure{9 * ms, false}, untold},
	} {
		var truth, got figures
		truth.at[3], got.at[3] = tc.truth, tc.got
		j := judge(truth, got)
		if j[3] != tc.want {
			t.Errorf("%s: %d, want %d", tc.name, j[3], tc.want)
		}
		if want := tc.want == within; j.holds() != want {
			t.Errorf("%s holds: %v", tc.name, !want)
		}
	}
}

func TestOneFigureThatIsOffFails(t *testing.T) {
	truth := exactly(upTo(20_000))
	for i := range percentiles {
		got := truth
		if !judge(truth, got).holds() {
			t.Fatal("the truth itself does not hold")
		}
		got.at[i].value = got.at[i].value * 103 / 100
		if judge(truth, got).holds() {
			t.Errorf("%s that is 3 %% off holds", columns[i])
		}
	}
	if judge(figures{}, figures{}).holds() {
		t.Error("nothing at all holds")
	}
}

func TestTruthThatIsAnInterval(t *testing.T) {
	ms := time.Millisecond
	for got, want := range map[time.Duration]mark{
		10 * ms: within, 15 * ms: within, 20 * ms: within, 9 * ms: within, 21 * ms: within, 8900 * time.Microsecond: off, 21100 * time.Microsecond: off,
	} {
		var least, most, said figures
		least.at[0], most.at[0], said.at[0] = figure{10 * ms, true}, figure{20 * ms, true}, figure{got, true}
		if j := judgeBetween(least, most, said); j[0] != want {
			t.Errorf("%v between 10 ms and 20 ms: %d, want %d", got, j[0], want)
		}
	}
}

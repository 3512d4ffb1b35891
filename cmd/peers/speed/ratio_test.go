package speed

import (
	"errors"
	"testing"
)

func TestSpreadIsTheMedianAndTheEnds(t *testing.T) {
	for _, tc := range []struct {
		values []float64
		want   spread
	}{
		{nil, spread{}},
		{[]float64{7}, spread{7, 7, 7, 1}},
		{[]float64{9, 1, 2}, spread{2, 1, 9, 3}},
		{[]float64{4, 1, 2, 100}, spread{3, 1, 100, 4}},
	} {
		if got := spreadOf(tc.values); got != tc.want {
			t.Errorf("of %v: %+v, want %+v", tc.values, got, tc.want)
		}
	}
}

func ofRates(rates ...float64) rounds {
	var r rounds
	for _, v := range rates {
		if v == 0 {
			r = append(r, result{err: errors.New("it failed")})
			continue
		}
		r = append(r, result{figures: figures{Rate: v}})
	}
	return r
}

// TestRatiosAreTakenWithinRounds has a machine that is twice as slow in one
// round, and tools that fail: the ratio stays, and no failure counts as 0.
func TestRatiosAreTakenWithinRounds(t *testing.T) {
	ours, theirs := ofRates(200, 100, 220, 0, 300), ofRates(100, 50, 110, 100, 0)
	if got := ours.over(theirs, rate); got != (spread{2, 2, 2, 3}) {
		t.Errorf("%+v, want 2 from three rounds", got)
	}
	if got := ours.of(rate); got.N != 4 || got.Min != 100 {
		t.Errorf("%+v, want four rounds and none of 0", got)
	}
	if got := ofRates(0, 0).over(theirs, rate); got.N != 0 {
		t.Errorf("a tool that always failed: %+v", got)
	}
	if got := ofRates(1, 2).over(nil, rate); got.N != 0 {
		t.Errorf("a tool that is not there: %+v", got)
	}
}

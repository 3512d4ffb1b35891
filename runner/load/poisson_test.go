package load

import (
	"math"
	"slices"
	"testing"
	"time"
)

func TestPoissonDependsOnSeedAndName(t *testing.T) {
	base := Spec{Name: "l", Rate: holdAt(100), Arrivals: "poisson"}
	other := base
	other.Name = "m"
	a := offsets(t, schedule(t, base, phases(10*time.Second), 1))
	if b := offsets(t, schedule(t, base, phases(10*time.Second), 2)); slices.Equal(a, b) {
		t.Error("two seeds give the same arrivals")
	}
	if b := offsets(t, schedule(t, other, phases(10*time.Second), 1)); slices.Equal(a, b) {
		t.Error("two loads of one run arrive at the same instants")
	}
}

// TestPoissonGaps compares the gaps with the exponential distribution
// (Kolmogorov and Smirnov), and counts in windows with the variance that a
// Poisson process has. The bounds are loose: the seeds are fixed.
func TestPoissonGaps(t *testing.T) {
	for seed := range uint64(5) {
		s := schedule(t, Spec{Name: "l", Rate: holdAt(1000), Arrivals: "poisson"}, phases(20*time.Second), seed)
		all := offsets(t, s)
		if d := math.Abs(float64(len(all)) - 20000); d > 5*math.Sqrt(20000) {
			t.Errorf("%d calls, want about 20000", len(all))
		}
		var gaps []float64
		for i := 1; i < len(all); i++ {
			gaps = append(gaps, (all[i]-all[i-1]).Seconds()*1000)
		}
		if d := distance(gaps); d > 2/math.Sqrt(float64(len(gaps))) {
			t.Errorf("seed %d: the gaps are %.4f from exponential", seed, d)
		}
		// The number in each window of 20 ms (20 calls): variance over mean is one.
		// Windows do not fit the blocks that the process is made of, so a block with
		// a fixed number of arrivals shows.
		for _, window := range []time.Duration{20 * time.Millisecond, 500 * time.Millisecond} {
			counts := make([]float64, 20*time.Second/window)
			for _, at := range all {
				counts[at/window]++
			}
			mean, variance := moments(counts)
			if r := variance / mean; r < 0.4 || r > 2 {
				t.Errorf("seed %d: windows of %v have variance/mean %.2f", seed, window, r)
			}
		}
	}
	// The control: evenly spaced calls are as far from exponential as can be.
	even := offsets(t, schedule(t, Spec{Rate: holdAt(1000)}, phases(time.Second), 1))
	var gaps []float64
	for i := 1; i < len(even); i++ {
		gaps = append(gaps, (even[i]-even[i-1]).Seconds()*1000)
	}
	if d := distance(gaps); d < 0.3 {
		t.Errorf("evenly spaced calls count as exponential: %.4f", d)
	}
}

// distance is the greatest difference between the distribution of the values
// and the exponential one with mean 1.
func distance(values []float64) (d float64) {
	slices.Sort(values)
	for i, v := range values {
		want := 1 - math.Exp(-v)
		d = max(d, math.Abs(want-float64(i)/float64(len(values))), math.Abs(want-float64(i+1)/float64(len(values))))
	}
	return d
}

func moments(values []float64) (mean, variance float64) {
	for _, v := range values {
		mean += v / float64(len(values))
	}
	for _, v := range values {
		variance += (v - mean) * (v - mean) / float64(len(values)-1)
	}
	return mean, variance
}

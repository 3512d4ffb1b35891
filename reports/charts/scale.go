package charts

import "math"

// logScale is a logarithmic scale that, unlike gonum's, holds values of zero
// and less at the lower edge and does not panic.
type logScale struct{}

// Normalize implements plot.Normalizer.
func (logScale) Normalize(lo, hi, x float64) float64 {
	if !(lo > 0) || !(hi > lo) || !(x > 0) {
		return 0
	}
	return math.Log(x/lo) / math.Log(hi/lo)
}

// onlyPositive makes gaps of values that a logarithmic scale cannot show.
func onlyPositive(v []float64) []float64 {
	out := make([]float64, len(v))
	for i, x := range v {
		out[i] = x
		if !(x > 0) {
			out[i] = math.NaN()
		}
	}
	return out
}

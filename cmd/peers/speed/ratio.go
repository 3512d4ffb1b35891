package speed

import "slices"

// spread is the median of some values, with the least and the most.
type spread struct {
	Median, Min, Max float64
	N                int // values; with none there is no median
}

// spreadOf sums values up. An even number of them has the mean of the two in
// the middle for a median.
func spreadOf(values []float64) spread {
	if len(values) == 0 {
		return spread{}
	}
	v := slices.Sorted(slices.Values(values))
	m := len(v) / 2
	median := v[m]
	if len(v)%2 == 0 {
		median = (v[m-1] + v[m]) / 2
	}
	return spread{Median: median, Min: v[0], Max: v[len(v)-1], N: len(v)}
}

// result is a tool's part in one round.
type result struct {
	figures figures
	err     error
}

// rounds are a tool's results, one a round.
type rounds []result

// of sums up one figure over the rounds without an error.
func (r rounds) of(figure func(figures) float64) spread {
	var values []float64
	for _, x := range r {
		if x.err == nil {
			values = append(values, figure(x.figures))
		}
	}
	return spreadOf(values)
}

// known is of without what is 0: a tool that tells nothing has no figure.
func (r rounds) known(figure func(figures) float64) spread {
	var told rounds
	for _, x := range r {
		if figure(x.figures) > 0 {
			told = append(told, x)
		}
	}
	return told.of(figure)
}

// over is the spread of the ratio of a figure to that of another tool, round by
// round, so that what the machine does to a whole round cancels out. A round
// in which one of the two failed has no part in it.
func (r rounds) over(other rounds, figure func(figures) float64) spread {
	var values []float64
	for i := range min(len(r), len(other)) {
		if r[i].err == nil && other[i].err == nil {
			if d := figure(other[i].figures); d > 0 {
				values = append(values, figure(r[i].figures)/d)
			}
		}
	}
	return spreadOf(values)
}

// The figures of a run, as numbers.
func rate(f figures) float64    { return f.Rate }
func cost(f figures) float64    { return float64(f.Cost.Nanoseconds()) / 1e3 } // µs
func p99(f figures) float64     { return f.P99.Seconds() * 1e3 }               // ms
func lag(f figures) float64     { return f.Lag.Seconds() * 1e3 }               // ms
func memory(f figures) float64  { return float64(f.Memory) / (1 << 20) }       // MiB
func conns(f figures) float64   { return float64(f.Conns) }
func served(f figures) float64  { return f.Server }
func others(f figures) float64  { return f.Others }
func bunched(f figures) float64 { return f.Bunched }

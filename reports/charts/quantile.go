package charts

import (
	"fmt"
	"math"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg/draw"
)

// Quantiles draws the distribution of latency as HdrHistogram plotters do: X
// is 1/(1-q), so that every further nine is as wide as the one before; V is
// seconds.
func Quantiles(label string, lines []Line) (string, error) {
	f := newFrame(290, 12, 38)
	f.right = 130
	right := 10.0
	positive := make([]Line, len(lines))
	for i, l := range lines {
		positive[i] = l
		positive[i].V = onlyPositive(l.V)
		for _, x := range l.X {
			if !math.IsInf(x, 0) {
				right = max(right, x)
			}
		}
	}
	f.X.Min, f.X.Max, f.X.Scale = 1, right, logScale{}
	lo, hi, ok := extent(positive, func(v float64) bool { return v > 0 })
	if !ok {
		lo, hi = 1e-3, 1e-1
	}
	var ticks []tick
	if hi/lo > 20 {
		lo, hi = logRange(lo, hi)
		f.Y.Min, f.Y.Max, f.Y.Scale = lo, hi, logScale{}
		ticks = logTicks(lo, hi, seconds)
	} else {
		ticks, hi = linearTicks(hi*1.02, 6, seconds)
		f.Y.Min, f.Y.Max = 0, hi
	}
	f.draw(yAxis(ticks, ""), nines(right), xAxis(quantileTicks(right), "share of calls at least this fast"))
	for _, l := range positive {
		f.draw(l.layer())
	}
	f.draw(names(positive))
	return f.svg(label)
}

// quantileTicks labels 50 % and every nine up to right.
func quantileTicks(right float64) []tick {
	ticks := []tick{{1, "0%"}, {2, "50%"}, {4, "75%"}}
	for n, v := 1, 10.0; v <= right*(1+1e-9) && n < 9; n, v = n+1, v*10 {
		ticks = append(ticks, tick{v, nine(n)})
	}
	return ticks
}

// nine writes a quantile of n nines: "90%", "99%", "99.9%".
func nine(n int) string {
	if n < 3 {
		return fmt.Sprintf("%.0f%%", 100-100/math.Pow(10, float64(n)))
	}
	return strconv.FormatFloat(100-100/math.Pow(10, float64(n)), 'f', n-2, 64) + "%"
}

// nines draws the faint vertical lines.
func nines(right float64) layer {
	return func(c draw.Canvas, p *plot.Plot) {
		x, _ := p.Transforms(&c)
		for _, t := range quantileTicks(right) {
			c.StrokeLine2(line(0.6, Grid), x(t.at), c.Min.Y, x(t.at), c.Max.Y)
		}
	}
}

// Dashes gives the i-th pattern that tells lines apart without colour.
func Dashes(i int) []float64 {
	patterns := [][]float64{nil, {6, 3}, {2, 2}, {8, 3, 2, 3}, {4, 4}, {1, 3}}
	return patterns[i%len(patterns)]
}

var _ plot.Normalizer = logScale{}

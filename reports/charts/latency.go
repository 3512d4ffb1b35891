package charts

// Latency draws percentiles over time on a logarithmic scale. Values are
// seconds; those of zero or less are left out.
func Latency(w Window, label string, lines []Line) (string, error) {
	positive := make([]Line, len(lines))
	for i, l := range lines {
		positive[i] = l
		positive[i].V = onlyPositive(l.V)
	}
	f := w.frame(190, true)
	lo, hi, ok := extent(positive, func(v float64) bool { return v > 0 })
	if !ok {
		lo, hi = 1e-3, 1e-1
	}
	lo, hi = logRange(lo, hi)
	f.Y.Min, f.Y.Max = lo, hi
	f.Y.Scale = logScale{}
	f.draw(yAxis(logTicks(lo, hi, seconds), ""), w.axis())
	for _, l := range positive {
		f.draw(l.layer())
	}
	f.draw(names(positive))
	return f.svg(label)
}

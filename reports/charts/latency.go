package charts

// Latency draws percentiles over time on a logarithmic scale. Values are
// seconds; those of zero or less are left out.
func Latency(w Window, label string, lines []Line) (string, error) {
	return logarithmic(w.frame(190, true), w, label, lines)
}

// Delays draws times as Latency does, in less height and without the names of
// bands: for what stands below a chart that has them.
func Delays(w Window, label string, lines []Line) (string, error) {
	return logarithmic(w.frame(108, false), w, label, lines)
}

func logarithmic(f *frame, w Window, label string, lines []Line) (string, error) {
	positive := make([]Line, len(lines))
	for i, l := range lines {
		positive[i] = l
		positive[i].V = onlyPositive(l.V)
	}
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

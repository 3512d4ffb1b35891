package charts

import "math"

// Replicas draws numbers of Pods: the first line filled down to zero, the others
// over it. Only whole numbers are written beside it.
func Replicas(w Window, label string, lines []Line) (string, error) {
	f := w.frame(88, false)
	_, hi, _ := extent(lines, func(v float64) bool { return v >= 0 })
	ticks, top := linearTicks(max(hi, 1)*1.04, 4, wholeOnly)
	f.Y.Min, f.Y.Max = 0, top
	f.draw(yAxis(ticks, ""), w.axis())
	for i, l := range lines {
		if i == 0 {
			f.draw(area(l))
		}
		f.draw(l.layer())
	}
	f.draw(names(lines))
	return f.svg(label)
}

func wholeOnly(v float64) string {
	if math.Abs(v-math.Round(v)) > 1e-9 {
		return ""
	}
	return count(v)
}

package evidence

import "time"

// occupancy is how many of many intervals lie over each tick, on average. An
// interval costs the same however long it is: whole ticks go into a difference
// array that is added up in the end.
type occupancy struct {
	part  []float64 // share of the tick that intervals with an end in it take up
	steps []float64 // intervals that take up the tick and what follows, less those that no longer do
}

func (o *occupancy) growTo(ticks int) {
	if n := ticks - len(o.part); n > 0 {
		o.part, o.steps = append(o.part, make([]float64, n)...), append(o.steps, make([]float64, n)...)
	}
}

// add counts an interval given in ticks. What lies before the first tick or
// after the most there may be is cut off.
func (o *occupancy) add(from, to float64, most int) {
	from, to = max(from, 0), min(to, float64(most))
	if !(to > from) {
		return
	}
	first, last := int(from), int(to)
	if last >= len(o.part) {
		o.growTo(last + ticksEach)
	}
	if first == last {
		o.part[first] += to - from
		return
	}
	o.part[first] += float64(first+1) - from
	o.part[last] += to - float64(last)
	o.steps[first+1]++
	o.steps[last]--
}

// settle adds the whole ticks up and gives so many ticks; nothing is added after it.
func (o *occupancy) settle(ticks int) []float64 {
	o.growTo(ticks)
	var over float64
	for i := range o.part {
		over += o.steps[i]
		o.part[i] += over
	}
	o.steps = nil
	return o.part[:ticks:ticks]
}

// ticksOf gives offsets from the start in ticks.
type ticksOf struct {
	start time.Duration
	each  float64 // ticks a nanosecond
}

func (t ticksOf) at(offset time.Duration) float64 { return float64(offset-t.start) * t.each }

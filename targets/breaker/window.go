package breaker

// outcome is what one completed call was: a set of two bits.
type outcome uint8

const (
	failed outcome = 1 << iota
	slow
)

// window holds the outcomes of the last calls, at most size of them.
type window struct {
	ring                  []outcome
	size, next            int
	calls, failures, slow int
}

// reset empties the window and sets how many calls it holds, at most len(ring).
func (w *window) reset(size int) {
	*w = window{ring: w.ring, size: size}
}

// add takes in one outcome and, when full, drops the oldest.
func (w *window) add(o outcome) {
	if w.calls == w.size {
		w.count(w.ring[w.next], -1)
	}
	w.ring[w.next] = o
	w.count(o, +1)
	if w.next++; w.next == w.size {
		w.next = 0
	}
}

func (w *window) count(o outcome, by int) {
	w.calls += by
	if o&failed != 0 {
		w.failures += by
	}
	if o&slow != 0 {
		w.slow += by
	}
}

// atLeast reports whether part of whole is rate or more. It divides, so that 7 of 100 is exactly the 0.07 of a
// configuration; 0.07 times 100 would be a little above 7.
func atLeast(part, whole int, rate float64) bool {
	return float64(part)/float64(whole) >= rate
}

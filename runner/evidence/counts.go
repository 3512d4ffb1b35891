package evidence

import "time"

// LateAfter is the send lag above which a call counts as sent late: beyond the
// slack of timers, whatever is measured.
const LateAfter = 10 * time.Millisecond

// Counts is how many calls there were and how they ended.
type Counts struct {
	Calls  int64
	Class  [NumClasses]int64 // calls by class; their sum is Calls
	Marked int64             // calls whose answer was not the real one (Sample.Mark not empty), of any class
	Late   int64             // calls sent more than LateAfter after their time
}

// OK is the number of calls answered with success, marked ones included.
func (c *Counts) OK() int64 { return c.Class[OK] }

// Errors is the number of calls that did not end in success, whatever the class.
func (c *Counts) Errors() int64 { return c.Calls - c.Class[OK] }

// ErrorRatio is Errors as a share of Calls, 0 to 1; 0 where there were no
// calls, so look at Calls before trusting it.
func (c *Counts) ErrorRatio() float64 {
	if c.Calls == 0 {
		return 0
	}
	return float64(c.Errors()) / float64(c.Calls)
}

// Of is the number of calls of the given classes.
func (c *Counts) Of(classes ...Class) int64 {
	var n int64
	for _, k := range classes {
		if int(k) < NumClasses {
			n += c.Class[k]
		}
	}
	return n
}

// Add adds another count to this one.
func (c *Counts) Add(o Counts) {
	c.Calls += o.Calls
	for i := range c.Class {
		c.Class[i] += o.Class[i]
	}
	c.Marked += o.Marked
	c.Late += o.Late
}

func (c *Counts) record(s *Sample) {
	c.Calls++
	c.Class[knownClass(s.Class)]++
	if s.Mark != "" {
		c.Marked++
	}
	if s.Lag() > LateAfter {
		c.Late++
	}
}

func knownClass(c Class) Class {
	if int(c) >= NumClasses {
		return Other
	}
	return c
}

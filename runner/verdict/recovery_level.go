package verdict

import (
	"fmt"
	"math"
	"time"

	"ordeal/runner/evidence"
)

// The resolution of recovery times.
const recoveryTick = 100 * time.Millisecond

// A window of calls says something about a ratio and a percentile from so many calls on.
const windowCalls = 20

// steadyLevel is what a load must be back to: over a sliding window, the share
// of bad calls and a percentile of the time that a call takes. The percentile
// is the highest of p99, p95, p90 and p50 that has ten calls of a window beyond it.
type steadyLevel struct {
	window     int           // in ticks; a second, more for a slow load
	least      float64       // calls that a window must have to show traffic at all
	percentile float64       // in percent
	time       time.Duration // the most that the percentile may be
	bad        float64       // the most that the share of bad calls may be
}

func (l steadyLevel) String() string {
	return fmt.Sprintf("p%g <= %s and bad calls <= %s", l.percentile, formatDuration(l.time), formatShare(l.bad))
}

// level derives the level from the steady phase.
func (r *Recovery) level(stats *evidence.Stats, steady evidence.Span) (steadyLevel, string) {
	if stats.OK() == 0 {
		return steadyLevel{}, fmt.Sprintf("no call succeeded during %s, so it shows no steady level", steady.Name)
	}
	perTick := float64(stats.Calls) / (float64(steady.Took()) / float64(recoveryTick))
	l := steadyLevel{window: max(int(time.Second/recoveryTick), int(math.Ceil(windowCalls/perTick))), percentile: 50}
	inWindow := perTick * float64(l.window)
	for _, p := range []float64{99, 95, 90} {
		if inWindow*(1-p/100) >= 10-1e-9 {
			l.percentile = p
			break
		}
	}
	l.least = inWindow / 4
	usual, enough := stats.Response.Percentile(l.percentile)
	if !enough {
		return l, fmt.Sprintf("%d calls during %s are too few to show a steady level", stats.Calls, steady.Name)
	}
	factor, above := r.LatencyFactor, r.LatencyAbove
	if factor == 0 {
		factor = 2
	}
	if above == 0 {
		above = 50 * time.Millisecond
	}
	l.time = max(time.Duration(float64(usual)*factor), usual+above)
	errorsAbove := 0.01
	if r.ErrorsAbove != nil {
		errorsAbove = float64(*r.ErrorsAbove)
	}
	bad := outcomes{degraded: !r.AcceptDegraded}.count(stats)
	l.bad = errorsAbove + float64(bad)/float64(stats.Calls)
	return l, ""
}

// tickCounts are the calls of one tick by their intended start.
type tickCounts struct {
	calls, bad int
	slow       [2]int // calls slower than the level, by response and by service time
}

// The two ways to time a call, as indexes of tickCounts.slow.
const (
	responseTime = iota
	serviceTime
)

// observe counts the calls from the heal on.
func (r *Recovery) observe(run *evidence.Run, heal, until time.Duration, level steadyLevel) ([]tickCounts, error) {
	ticks := make([]tickCounts, max(0, int((until-heal)/recoveryTick)))
	last := 0
	asked := evidence.Query{
		Fields: evidence.WithIntended | evidence.WithSent | evidence.WithDone | evidence.WithClass | evidence.WithMark,
		From:   heal, To: until,
	}
	err := eachCall(run, r.Load, asked, func(c *evidence.Sample) {
		at := int((c.Intended - heal) / recoveryTick)
		if c.Intended < heal || at >= len(ticks) {
			return
		}
		last = max(last, at+1)
		t := &ticks[at]
		t.calls++
		if c.Class != evidence.OK || c.Mark != "" && !r.AcceptDegraded {
			t.bad++
		}
		if c.Response() > level.time {
			t.slow[responseTime]++
		}
		if c.Service() > level.time {
			t.slow[serviceTime]++
		}
	})
	return ticks[:last], err
}

// back is when a load was back.
type back struct {
	found    bool
	after    time.Duration // from the heal
	relapse  time.Duration // when it left the level again, from the heal; 0: never
	tooShort bool          // it was not watched for long enough to say no
	watched  time.Duration
}

// left says for each tick whether the level is left there: too many calls of the
// window are bad, or this and all following windows are slow for longer than
// hold. A machine that shares its processors has slow seconds; they are no relapse.
func (l steadyLevel) left(windows []window, hold time.Duration) []bool {
	// Two windows more, because the first and the last may hold a little of the spell only.
	spell := int(hold/recoveryTick)/l.window + 2
	left := make([]bool, len(windows))
	for i, w := range windows {
		left[i] = w.bad
		if !w.slow || i+(spell-1)*l.window >= len(windows) {
			continue
		}
		slow := true
		for k := 1; slow && k < spell; k++ {
			slow = windows[i+k*l.window].slow
		}
		left[i] = left[i] || slow
	}
	return left
}

// back finds the first tick with a good window from which on the level is not
// left for at least hold.
func (l steadyLevel) back(seen []tickCounts, by int, hold, within time.Duration) back {
	b := back{watched: time.Duration(len(seen)) * recoveryTick}
	windows := l.windows(seen, by)
	left := l.left(windows, hold)
	firstLeft := func(from, to int) int {
		for i := from; i < min(to, len(left)); i++ {
			if left[i] {
				return i
			}
		}
		return -1
	}
	holdTicks := max(int(hold/recoveryTick), l.window)
	for t := range left {
		if w := windows[t]; w.none || w.bad || w.slow || firstLeft(t, t+holdTicks-l.window+1) >= 0 {
			continue
		}
		if t+holdTicks > len(seen) {
			b.tooShort = true // good to the end, but not for long enough
			return b
		}
		b.found, b.after = true, time.Duration(t)*recoveryTick
		again := firstLeft(t, len(left))
		if again < 0 {
			again = l.mostlySlow(seen, windows, by, t)
		}
		if again >= 0 {
			b.relapse = time.Duration(again) * recoveryTick
		}
		return b
	}
	b.tooShort = b.watched < within
	return b
}

// mostlySlow finds the first slow window where, over all that was watched from a
// tick on, far more calls are slow than the level allows; else it is -1.
func (l steadyLevel) mostlySlow(seen []tickCounts, windows []window, by, from int) int {
	calls, slow := 0, 0
	for _, t := range seen[from:] {
		calls += t.calls
		slow += t.slow[by]
	}
	if float64(slow) <= 4*(1-l.percentile/100)*float64(calls) {
		return -1
	}
	for i := from; i < len(windows); i++ {
		if windows[i].slow {
			return i
		}
	}
	return -1
}

// window is what is to be said of the calls of one stretch.
type window struct {
	none bool // no calls to speak of: no evidence either way
	bad  bool // too many of them are bad
	slow bool // too many of them are slower than the level
}

// windows looks at the stretches that begin at each tick.
func (l steadyLevel) windows(seen []tickCounts, by int) []window {
	var out []window
	for i := 0; i+l.window <= len(seen); i++ {
		var sum tickCounts
		for _, t := range seen[i : i+l.window] {
			sum.calls += t.calls
			sum.bad += t.bad
			sum.slow[by] += t.slow[by]
		}
		n := float64(sum.calls)
		out = append(out, window{
			none: n < max(1, l.least),
			bad:  float64(sum.bad) > l.bad*n+1e-9,
			slow: float64(sum.slow[by]) > (1-l.percentile/100)*n+1e-9,
		})
	}
	return out
}

package verdict

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"ordeal/runner/evidence"
)

// judgeFigure compares one figure with its limit, and asks whose doing it is
// where it does not keep to that.
func (l *Latency) judgeFigure(v Verdict, w *witness, t timing, f figure) Verdict {
	value, enough := f.of(t.of)
	if !enough {
		return l.tooFew(v, w, t, f)
	}
	told := fmt.Sprintf("the %s %s is %s", f.name, l.what(), formatSeconds(value.Seconds()))
	return l.judgeValue(v, w, t, f, value, told+silence(t))
}

// judgeValue compares what a figure is with its limit. told says what it is.
func (l *Latency) judgeValue(v Verdict, w *witness, t timing, f figure, value time.Duration, told string) Verdict {
	v = v.against(f.limit.limit, value.Seconds())
	if t.service == nil {
		return l.excuse(v, w, t, f, value, told).failing("%s", told)
	}
	service, _ := f.of(t.service)
	if f.limit.holds(service.Seconds()) == f.limit.holds(value.Seconds()) {
		return l.excuse(v, w, t, f, value, told).failing("%s", told)
	}
	// Only the send lag makes the difference: whose fault was it?
	lag, _ := f.of(t.lag)
	late := w.late(l.Load, l.During)
	switch reason := late.reason(); {
	case l.Of == ofMessages && (reason == unexplained || reason == slowTarget):
		// Within a stream a message waits for those before it, not for a worker.
		return v.failing("%s: messages waited up to %s because those before them were held up", told, formatDuration(t.lag.Max()))
	case late.byTarget():
		return v.failing("%s: calls waited up to %s because all %d workers were taken by calls that the target had not answered",
			told, formatDuration(t.lag.Max()), late.workers)
	}
	return v.unknown("the generator, not the target, was late: send lag %s %s, service time %s %s: %s",
		f.name, formatDuration(lag), f.name, formatDuration(service), late.because())
}

func (l *Latency) what() string {
	switch l.Of {
	case ofService:
		return "service time"
	case ofMessages:
		return "response time of messages"
	}
	return "response time"
}

// What is measured of a call may contain as many waits for a core as this: the
// generator's to send it and to read the answer, and the target's and that of
// what the target calls. The send lag shows the first of them.
const waitsEach = 4

// A send lag that is a smaller share of the limit than this excuses nothing.
const lagShare = 0.1

// excuse takes back a Fail that waits for a core can account for, where the
// generator or its machine was at its limit. What is further over the limit
// than that stands.
func (l *Latency) excuse(v Verdict, w *witness, t timing, f figure, value time.Duration, told string) Verdict {
	limit := f.limit.high
	if v.Status != Fail || !f.limit.capped() || value.Seconds() <= limit {
		return v
	}
	lag, _ := f.of(t.lag)
	if lag.Seconds() < lagShare*limit || value.Seconds()-waitsEach*lag.Seconds() > limit {
		return v
	}
	late := w.late(l.Load, l.During)
	if r := late.reason(); r == unexplained || r == slowTarget {
		return v
	}
	return v.unknown("%s, but that need not be the target's doing, for calls were sent late as well (%s %s): %s",
		told, f.name, formatDuration(lag), late.because())
}

// of reads the figure from a distribution; enough is false where there are too
// few calls to tell it.
func (f figure) of(d *evidence.Distribution) (value time.Duration, enough bool) {
	if f.p == meanFigure {
		return d.Mean(), d.Count() > 0
	}
	return d.Percentile(f.p)
}

// tooFew is the verdict on a percentile that has fewer than ten calls beyond
// it. It can still fail: a lower percentile that there are enough calls for may
// already be over the limit.
func (l *Latency) tooFew(v Verdict, w *witness, t timing, f figure) Verdict {
	v.Limit = f.limit.String()
	lower, told := f.told(t.of)
	if told && f.limit.capped() {
		if value, _ := lower.of(t.of); value.Seconds() > f.limit.high {
			why := fmt.Sprintf("already the %s of %s is %s", lower.name, plural(t.noun), formatSeconds(value.Seconds()))
			return l.judgeValue(v, w, t, lower, value, why+silence(t))
		}
	}
	return v.unknown("%s", l.lacking(t, f))
}

// silence says how many messages had no answer; "" where all had. Their times
// count as what they lasted at least.
func silence(t timing) string {
	if t.silent == 0 {
		return ""
	}
	return fmt.Sprintf(" (%d of %s had no answer, and count for as long as their calls went on)", t.silent, grouped(t.of.Count(), t.noun))
}

// told is the highest percentile below the figure that there are enough values for.
func (f figure) told(d *evidence.Distribution) (lower figure, ok bool) {
	for _, p := range []float64{99.9, 99, 95, 90, 75, 50} {
		lower = figure{name: "p" + strconv.FormatFloat(p, 'g', -1, 64), p: p, limit: f.limit}
		if _, enough := d.Percentile(p); enough && p < f.p {
			return lower, true
		}
	}
	return figure{}, false
}

// lacking says how many values a percentile takes, and how to come by them.
func (l *Latency) lacking(t timing, f figure) string {
	needs := math.Ceil(10/(1-f.p/100) - 1e-6) // ten values must lie beyond it
	has := t.of.Count()
	text := fmt.Sprintf("%s needs %s, and %s made %s %s", f.name, grouped(int64(needs), t.noun), l.Load, grouped(has, t.noun), l.During)
	if has > 0 && t.took > 0 {
		longer := time.Duration(math.Ceil(t.took.Seconds()*needs/float64(has))) * time.Second
		text += fmt.Sprintf(": lengthen that to %s at this rate", longer)
	} else {
		text += ": lengthen that"
	}
	if lower, ok := f.told(t.of); ok {
		text += ", or ask for " + lower.name
	}
	return text
}

// sampleSizes looks whether the percentiles that are asked for can be told.
func sampleSizes(run *evidence.Run, checks []Check) []finding {
	var found []finding
	asked := 0
	for _, c := range checks {
		l, ok := c.(*Latency)
		if !ok {
			continue
		}
		t, why := l.timing(run)
		if why != "" {
			continue // the check says so itself
		}
		for _, f := range l.figures() {
			asked++
			if _, enough := f.of(t.of); !enough {
				v := inconclusive("samples", fmt.Sprintf("there are enough %s for %s %s", plural(t.noun), l.Load, f.name), l.lacking(t, f))
				v.Load, v.Phase, v.Measured = l.Load, l.During.label(), grouped(t.of.Count(), t.noun)
				found = append(found, finding{verdict: v}) // bears on that check alone, which knows
			}
		}
	}
	if asked > 0 && len(found) == 0 {
		found = append(found, finding{verdict: Verdict{Kind: "samples", Name: "there are enough calls for the percentiles", Measured: fmt.Sprintf("%d asked for", asked)}})
	}
	return found
}

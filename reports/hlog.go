package reports

import (
	"fmt"
	"io"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"ordeal/runner/evidence"
)

// HLog writes the response times as a log of HdrHistograms, format 1.3: a
// histogram of nanoseconds with two digits for each interval of each load that
// is selected, tagged with its name. Intervals without calls are left out. The
// log is of the whole timeline, warmup included; where phases begin and end is
// told in comments.
func HLog(of Selection) Renderer {
	return func(w io.Writer, d *Document) error {
		if len(of.Phases) > 0 {
			return choice("an hlog is cut into intervals, not phases: choose by time in what reads it (its comments say when phases begin)")
		}
		s, err := of.in(d)
		if err != nil {
			return err
		}
		sum, err := d.run.Summary()
		if err != nil {
			return fmt.Errorf("sum up the run's calls: %w", err)
		}
		out := hdrhistogram.NewHistogramLogWriter(w)
		base, err := logHeader(out, d)
		if err != nil {
			return fmt.Errorf("write hlog: %w", err)
		}
		for i := range intervals(sum, s) {
			for _, l := range s.loads {
				load := &sum.Loads[l.index]
				if i >= len(load.Intervals) || load.Intervals[i].Response.Count() == 0 {
					continue
				}
				h := packed(load.Intervals[i].Response)
				from := d.Run.Base.Add(sum.Start + time.Duration(i)*sum.Interval)
				h.SetTag(token(l.Name)) // a tag must not hold commas or spaces
				h.SetStartTimeMs(from.UnixMilli())
				h.SetEndTimeMs(from.Add(sum.Interval).UnixMilli())
				if err := out.OutputIntervalPackedHistogram(h); err != nil {
					return fmt.Errorf("write hlog: interval at %s of %s: %w", offset(from.Sub(base)), clean(l.Name), err)
				}
			}
		}
		return nil
	}
}

// packed copies a distribution of two digits.
func packed(d *evidence.Distribution) *hdrhistogram.PackedHistogram {
	h := hdrhistogram.NewPacked(1, int64(time.Hour), 2)
	d.Buckets(func(v time.Duration, n int64) bool { return h.RecordValues(int64(v), n) == nil })
	return h
}

func intervals(sum *evidence.Summary, s selected) int {
	n := 0
	for _, l := range s.loads {
		n = max(n, len(sum.Loads[l.index].Intervals))
	}
	return n
}

// logHeader writes what comes before the intervals, and gives the instant that
// their times count from: a whole second, since the format holds no less.
func logHeader(out *hdrhistogram.HistogramLogWriter, d *Document) (base time.Time, err error) {
	base = d.Run.Base.Add(d.Run.Start).Truncate(time.Second)
	write := func(e error) {
		if err == nil {
			err = e
		}
	}
	write(out.OutputComment("[Response time in ns; run " + token(d.Run.ID) + "]"))
	write(out.OutputLogFormatVersion())
	for _, p := range d.Phases {
		write(out.OutputComment(fmt.Sprintf("[Phase %s: %.3f to %.3f]", token(p.Name),
			d.Run.Base.Add(p.Start).Sub(base).Seconds(), d.Run.Base.Add(p.End).Sub(base).Seconds())))
	}
	write(out.OutputStartTime(base.UnixMilli()))
	write(out.OutputBaseTime(base.UnixMilli()))
	write(out.OutputLegend())
	out.SetBaseTime(base.UnixMilli())
	return base, err
}

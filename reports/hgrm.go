package reports

import (
	"fmt"
	"io"
	"time"
)

// ticksPerHalf is how many percentiles a distribution lists in each halving of
// what is left to 100 %: what HdrHistogram's own tools use.
const ticksPerHalf = 5

// HGRM writes the distribution of response times of one load, in milliseconds,
// as the percentile text that HdrHistogram's plotters read.
func HGRM(of Selection) Renderer {
	return func(w io.Writer, d *Document) error {
		s, err := of.in(d)
		if err != nil {
			return err
		}
		l, err := s.one("hgrm")
		if err != nil {
			return err
		}
		sum, err := d.run.Summary()
		if err != nil {
			return fmt.Errorf("sum up the run's calls: %w", err)
		}
		stats := s.over(&sum.Loads[l.index])
		if stats.Calls == 0 {
			return fmt.Errorf("write hgrm: no call of %s in %s", clean(l.Name), s.words())
		}
		if _, err := stats.Response.Histogram().PercentilesPrint(w, ticksPerHalf, float64(time.Millisecond)); err != nil {
			return fmt.Errorf("write hgrm: %w", err)
		}
		// At the end: some readers take the first line for a title.
		_, err = fmt.Fprintf(w, "#[Response time in ms of %s in %s; run %s]\n", clean(l.Name), s.words(), clean(d.Run.ID))
		return err
	}
}

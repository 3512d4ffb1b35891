package speed

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// full is the part of its processors from which on a server is called the limit.
const full = 0.95

// head is the first line of a comparison's table.
func (o outcome) head() []string {
	list := []string{"tool", "rate/s", "CPU µs/call", "p99 ms", "MiB", "server"}
	switch {
	case o.job.rate > 0:
		list = append(list, "bursts")
	case o.job.paced:
		list[3] = "lag ms"
	}
	return list
}

// row is a line of a comparison's table.
func (o outcome) row(t *tool) []string {
	r := o.results[t.name]
	if r.of(rate).N == 0 {
		return append([]string{t.name, "no figures"}, make([]string, len(o.head())-2)...)
	}
	busy := percent(o.used(t.name))
	if o.limited(t.name) {
		busy += "*"
	}
	last, latency := "–", p99
	if o.job.paced {
		latency = lag
	}
	if v := r.of(latency).Median; v > 0 {
		last = number(v, 2)
	}
	list := []string{
		t.name, text(r.of(rate), 0), text(r.of(cost), 1), last,
		number(r.of(memory).Median, 0), busy,
	}
	if o.job.rate > 0 {
		list = append(list, percent(r.of(bunched).Median))
	}
	return list
}

// used is the part that the server used of the processors that it may run on.
func (o outcome) used(name string) float64 {
	return o.results[name].of(served).Median / float64(max(1, o.serverCPUs))
}

// limited reports whether the server used all that it may run on, so that a
// faster tool would have been no faster.
func (o outcome) limited(name string) bool { return o.used(name) >= full }

func percent(part float64) string { return fmt.Sprintf("%.0f%%", 100*part) }

func text(s spread, digits int) string {
	return fmt.Sprintf("%s [%s–%s]", number(s.Median, digits), number(s.Min, digits), number(s.Max, digits))
}

// number writes a value with digits behind the point, and three digits at least.
func number(v float64, digits int) string {
	if v >= 100 {
		digits = 0
	}
	return fmt.Sprintf("%.*f", digits, v)
}

// errors are the rounds without figures, a sentence a tool.
func (o outcome) errors() []string {
	var list []string
	for _, t := range o.tools {
		var failed int
		var first error
		for _, r := range o.results[t.name] {
			if r.err != nil {
				failed++
				if first == nil {
					first = r.err
				}
			}
		}
		if failed > 0 {
			list = append(list, fmt.Sprintf("%s failed in %d of %d rounds: %v", t.name, failed, len(o.results[t.name]), first))
		}
	}
	return list
}

// notes are what must be known to read the table.
func (o outcome) notes() []string {
	list := o.errors()
	if slices.ContainsFunc(o.tools, func(t *tool) bool { return o.limited(t.name) }) {
		list = append(list, "* The server used all the processor time that there was for it: it was the limit, a faster tool could have been no faster. What that leaves open about a ratio of rates is marked ≈.")
	}
	if o.job.rate > 0 {
		list = append(list, "The cost at a fixed rate is not judged: a tool can save processor time by sending calls late or in bursts. "+
			"In bursts are calls that arrive less than half of the time between two calls after the one before: 0% of them where they come evenly, 39% where at random.")
	}
	if o.job.paced {
		list = append(list, "The lag is the p99 of how long after their time calls were sent, as Ordeal reports it of what comes after the warm-up. Half of a rate is half of its median so far.")
	}
	if n := o.noises.note(); n != "" {
		list = append(list, n)
	}
	for _, t := range o.tools {
		if n := o.unlike(t); n != "" {
			list = append(list, n)
		}
	}
	if busy := o.busy(); busy.Median > 0.05 {
		list = append(list, fmt.Sprintf("Other work, the kernel's own included, used %.2f [%.2f–%.2f] processors meanwhile.", busy.Median, busy.Min, busy.Max))
	}
	return list
}

// busy is how many processors others used meanwhile.
func (o outcome) busy() spread {
	var all rounds
	for _, r := range o.results {
		all = append(all, r...)
	}
	return all.of(others)
}

// unlike says where a tool did not do what the others did.
func (o outcome) unlike(t *tool) string {
	r := o.results[t.name]
	got, want := r.of(conns), float64(o.job.conns)
	if want == 0 {
		want = float64(o.job.clients) // HTTP/1.1: a connection each
	}
	switch reached := r.of(rate); {
	case got.N == 0:
		return ""
	case o.job.paced:
		return ""
	case o.job.rate == 0 && (got.Min != want || got.Max != want):
		return fmt.Sprintf("%s had %s connections open, not %.0f.", t.name, text(got, 0), want)
	case reached.Median < 0.99*float64(o.job.rate):
		return fmt.Sprintf("%s did not reach the rate: %s/s of %d/s.", t.name, text(reached, 0), o.job.rate)
	}
	return ""
}

// Table writes the study for a terminal of 80 columns.
func (s *Study) Table(w io.Writer) error {
	var b strings.Builder
	for _, o := range s.outcomes {
		fmt.Fprintf(&b, "\n%s (%s, %s)\n", o.title, o.server, o.load())
		columns := widths
		if o.job.rate > 0 {
			columns = widthsFixed
		}
		line(&b, columns, o.head())
		for _, t := range o.tools {
			line(&b, columns, o.row(t))
		}
		for _, n := range o.notes() {
			b.WriteString(wrap(n))
		}
		b.WriteString("\n")
		for _, v := range o.verdicts() {
			fmt.Fprintf(&b, "%s %s %s %s\n", v.mark(), pad(v.name, 34), pad(v.ratio(), 35), v.limit())
		}
	}
	b.WriteString("\n")
	for _, n := range s.conditions() {
		b.WriteString(wrap(n))
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write the table: %w", err)
	}
	return nil
}

// load says what every tool did.
func (o outcome) load() string {
	switch {
	case o.job.paced:
		return "open model, all it can and half"
	case o.job.rate > 0:
		return fmt.Sprintf("%d/s", o.job.rate)
	}
	return fmt.Sprintf("%d clients", o.job.clients)
}

// conditions say how it was measured.
func (s *Study) conditions() []string {
	list := slices.Clone(s.absent)
	where := "The server was pinned to one processor, the tool to another."
	if !s.machine.pinned {
		where = "Server and tool shared all processors, neither was pinned: a rate tells of both."
	}
	return append(list, fmt.Sprintf("Medians [least–most] of rounds: %d, each measured for %v after %v of warm-up. %s",
		s.options.Rounds, s.options.For, s.options.Warm, where))
}

// widths of the columns of the terminal's table; the first is for names. Where
// the rate is fixed there is one more.
var (
	widths      = []int{20, 23, 17, 7, 5, 8}
	widthsFixed = []int{18, 19, 17, 7, 5, 7, 7}
)

func line(b *strings.Builder, widths []int, cells []string) {
	var text strings.Builder
	for i, c := range cells {
		if i == 0 {
			c = pad(c, widths[i])
		} else {
			c = strings.Repeat(" ", max(0, widths[i]-utf8.RuneCountInString(c))) + c
		}
		text.WriteString(c)
	}
	b.WriteString(strings.TrimRight(text.String(), " ") + "\n")
}

func pad(text string, width int) string {
	return text + strings.Repeat(" ", max(0, width-utf8.RuneCountInString(text)))
}

// wrap breaks a sentence into lines of 80 columns.
func wrap(sentence string) string {
	var b strings.Builder
	column := 0
	for i, word := range strings.Fields(sentence) {
		n := utf8.RuneCountInString(word)
		switch {
		case i == 0:
		case column+1+n > 80:
			b.WriteString("\n")
			column = 0
		default:
			b.WriteString(" ")
			column++
		}
		b.WriteString(word)
		column += n
	}
	b.WriteString("\n")
	return b.String()
}

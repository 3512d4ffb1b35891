package reports

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// Progress is how a run stands at one moment.
type Progress struct {
	Phase    string
	Elapsed  time.Duration // since the timeline began
	Total    time.Duration // of the timeline; 0 where not known
	Rate     float64       // calls per second, all loads together, of late
	P99      time.Duration // response time of late; 0 where there is too little to tell
	Errors   int64         // since the timeline began
	InFlight int64
	Faults   []string // that act now
}

// String is the moment in one line of at most 79 letters, so that a terminal
// of 80 columns does not break it.
func (p Progress) String() string {
	at := span(p.Elapsed)
	if p.Total > 0 {
		at += "/" + span(p.Total)
	}
	p99 := missing
	if p.P99 > 0 {
		p99 = duration(p.P99)
	}
	s := fmt.Sprintf("%-11s %-10s %7s  p99 %-6s  errors %s", at, cut(clean(p.Phase), 10), perSecond(p.Rate), p99, thousands(p.Errors))
	if p.InFlight > 0 {
		s += fmt.Sprintf("  in flight %d", p.InFlight)
	}
	const width = terminalWidth - 1
	if len(p.Faults) == 0 {
		return cut(s, width)
	}
	// Faults matter more than the calls in flight, and are never left out.
	faults := "  ✗ " + clean(strings.Join(p.Faults, ", "))
	const least = 12
	if letters(s)+min(least, letters(faults)) > width {
		s, _, _ = strings.Cut(s, "  in flight")
		s = cut(s, width-least)
	}
	return s + cut(faults, width-letters(s))
}

// Live shows progress while a run goes on. On a terminal one line is written
// over and over; elsewhere, such as in a CI log, a line comes every few
// seconds and whenever the phase or the faults change. It is used from one
// goroutine.
type Live struct {
	w        io.Writer
	terminal bool
	every    time.Duration
	next     time.Duration
	shown    string // phase and faults last shown
	open     bool   // a line stands on the terminal without an end
}

// NewLive shows progress on w; terminal says whether w is one.
func NewLive(w io.Writer, terminal bool) *Live {
	return &Live{w: w, terminal: terminal, every: 5 * time.Second}
}

// Show shows a moment.
func (l *Live) Show(p Progress) error {
	if l.terminal {
		l.open = true
		_, err := fmt.Fprintf(l.w, "\r\x1b[K%s", p)
		return err
	}
	key := p.Phase + "\x00" + strings.Join(p.Faults, "\x00")
	if p.Elapsed < l.next && key == l.shown {
		return nil
	}
	l.next, l.shown = p.Elapsed+l.every, key
	_, err := fmt.Fprintln(l.w, p)
	return err
}

// Print writes a line of its own that stays, above the progress.
func (l *Live) Print(line string) error {
	if l.open {
		l.open = false
		_, err := fmt.Fprintf(l.w, "\r\x1b[K%s\n", clean(line))
		return err
	}
	_, err := fmt.Fprintln(l.w, clean(line))
	return err
}

// Close takes the line away.
func (l *Live) Close() error {
	if !l.open {
		return nil
	}
	l.open = false
	_, err := io.WriteString(l.w, "\r\x1b[K")
	return err
}

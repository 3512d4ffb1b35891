package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// table is a case as it is printed, at most 80 columns wide.
func (r *result) table() string {
	var b strings.Builder
	word := "fail"
	if r.passes() {
		word = "pass"
	}
	fmt.Fprintf(&b, "\n%s: %s\n  %s\n", r.c.name, word, r.c.about)
	fmt.Fprintf(&b, "  target: %s (%s); %v, at most %d in flight\n\n", r.c.program, r.c.kind, r.c.schedule, r.c.workers)
	for i := range r.attempts {
		a := &r.attempts[i]
		if len(r.attempts) > 1 {
			fmt.Fprintf(&b, "  attempt %d of at most %d: %s\n", i+1, maxAttempts, map[bool]string{true: "pass", false: "fail"}[a.passes()])
		}
		a.write(&b, r.c)
	}
	if r.c.control && len(r.attempts) > 0 {
		if r.blind() {
			b.WriteString("  control: NOT SEEN TO FAIL: service times passed for response times\n")
		} else {
			b.WriteString("  control: service times in place of response times fail, as they must\n")
		}
	}
	r.writePeers(&b)
	return b.String()
}

func header(b *strings.Builder, of string) {
	fmt.Fprintf(b, "  %-22s", "")
	for _, c := range columns {
		fmt.Fprintf(b, "%9s", c)
	}
	fmt.Fprintf(b, "%10s\n", of)
}

func row(b *strings.Builder, label string, f figures) {
	fmt.Fprintf(b, "  %-22s", label)
	for _, v := range f.at {
		fmt.Fprintf(b, "%9s", v)
	}
	fmt.Fprintf(b, "%10s\n", grouped(f.count))
}

func (a *attempt) write(b *strings.Builder, c *testCase) {
	if a.calls.trueResponse.count > 0 {
		header(b, "calls")
		a.calls.write(b)
	}
	if a.messages != nil {
		header(b, "messages")
		a.messages.write(b)
	}
	if unissued := a.planned - int(a.calls.response.count); unissued > 0 && a.calls.response.count > 0 {
		fmt.Fprintf(b, "  %s calls of the schedule were never issued: in no figure, on either side\n", grouped(int64(unissued)))
	}
	if a.clocks != (clocks{}) {
		fmt.Fprintf(b, "  shortest way to the target %v, and back %v\n",
			a.clocks.toTarget.Round(time.Microsecond), a.clocks.fromTarget.Round(time.Microsecond))
	}
	for _, p := range a.problems {
		fmt.Fprintf(b, "  wrong: %s\n", p)
	}
}

func (c *comparison) write(b *strings.Builder) {
	if c.least != (figures{}) && c.least != c.trueResponse {
		row(b, "truth, at least", c.least)
		row(b, "truth, at most", c.trueResponse)
	} else {
		row(b, "truth", c.trueResponse)
	}
	row(b, "Ordeal, response time", c.response)
	fmt.Fprintf(b, "  %-22s", "  its error")
	for i, m := range c.judged {
		fmt.Fprintf(b, "%9s", deviation(m, c.nearest(i), c.response.at[i]))
	}
	b.WriteString("\n")
	row(b, "Ordeal, service time", c.service)
	row(b, "  its truth", c.trueService)
}

// nearest is the truth of a percentile that its report is nearest to.
func (c *comparison) nearest(i int) figure {
	t := c.trueResponse.at[i]
	if c.least != (figures{}) {
		t.value = min(max(c.response.at[i].value, c.least.at[i].value), t.value)
	}
	return t
}

// deviation is an error in the unit that it is judged by; one that is out of
// bounds has a ! after it.
func deviation(m mark, truth, got figure) string {
	var text string
	switch d := got.value - truth.value; {
	case m == untold:
		return "—"
	case m == missing:
		return "untold!"
	case float64(truth.value)*boundShare > float64(boundTime):
		text = fmt.Sprintf("%+.2f%%", 100*float64(d)/float64(truth.value))
	default:
		text = fmt.Sprintf("%+.3fms", float64(d)/1e6)
	}
	if m == off {
		text += "!"
	}
	return text
}

func (r *result) writePeers(b *strings.Builder) {
	if len(r.peers) == 0 {
		return
	}
	header(b, "calls")
	for _, p := range r.peers {
		if p.err != nil {
			fmt.Fprintf(b, "  %s could not be run: %v\n", p.name, p.err)
			continue
		}
		truth := "truth of its run"
		if p.closed {
			truth = "its calls (closed)"
		}
		row(b, p.name+" says", p.figures)
		row(b, "  "+truth, p.truth)
	}
	for _, p := range r.peers {
		switch {
		case p.dropped > 0 && r.c.timeless:
			fmt.Fprintf(b, "  %s dropped %s calls; its truth has them as they would have been\n", p.name, grouped(int64(p.dropped)))
		case p.dropped > 0:
			fmt.Fprintf(b, "  %s dropped %s calls; they are not in its truth either\n", p.name, grouped(int64(p.dropped)))
		case p.closed && p.err == nil:
			fmt.Fprintf(b, "  %s is closed: no schedule; its truth is from the arrival of each call\n", p.name)
		}
	}
}

// String is the value with four significant digits, or a dash.
func (f figure) String() string {
	v := f.value
	switch {
	case !f.told:
		return "—"
	case v < 10*time.Millisecond:
		return fmt.Sprintf("%.3fms", float64(v)/1e6)
	case v < 100*time.Millisecond:
		return fmt.Sprintf("%.2fms", float64(v)/1e6)
	case v < time.Second:
		return fmt.Sprintf("%.1fms", float64(v)/1e6)
	}
	return fmt.Sprintf("%.3fs", v.Seconds())
}

// grouped is a number with its thousands apart.
func grouped(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

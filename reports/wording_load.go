package reports

import (
	"fmt"
	"strings"
	"time"
)

// sentWords says in one line how well a load was sent: the worst of its phases.
// In a closed model, calls have no time to be sent
// at, so there is nothing to say unless some timed out.
func (l Load) sentWords() string {
	var late, unissued, timeouts int64
	for _, f := range l.Phases {
		late, unissued, timeouts = late+f.Late, unissued+f.Unissued, timeouts+f.Timeouts
	}
	timedOut := thousands(timeouts) + " timed out"
	switch {
	case l.Closed() && timeouts == 0:
		return ""
	case l.Closed():
		return timedOut
	}
	s := worst(l, "send lag p99 at most", func(f Figures) *time.Duration { return f.Lag.P99 })
	if s == "" {
		s = "send lag"
	} else {
		s += ","
	}
	s += worst(l, " max", func(f Figures) *time.Duration { return f.Lag.Max })
	if s == "send lag" {
		return "no call was sent; " + thousands(unissued) + " not sent"
	}
	return fmt.Sprintf("%s; %s late, %s not sent, %s", s, thousands(late), thousands(unissued), timedOut)
}

// worst says where a time was longest: "max 12.0ms (outage)"; "" where it is
// not known of any phase.
func worst(l Load, what string, of func(Figures) *time.Duration) string {
	var most *time.Duration
	where := ""
	for _, f := range l.Phases {
		if v := of(f); v != nil && (most == nil || *v > *most) {
			most, where = v, f.Phase
		}
	}
	if most == nil {
		return ""
	}
	s := what + " " + duration(*most)
	if len(l.Phases) > 1 {
		s += " (" + clean(where) + ")"
	}
	return s
}

// untoldWords says why percentiles of a table are not told; "" where all are.
func (l Load) untoldWords() string {
	var parts []string
	for _, q := range []struct {
		name   string
		value  func(Latency) *time.Duration
		beyond func(Beyond) int64
	}{
		{"p50", func(t Latency) *time.Duration { return t.P50 }, func(b Beyond) int64 { return b.P50 }},
		{"p90", func(t Latency) *time.Duration { return t.P90 }, func(b Beyond) int64 { return b.P90 }},
		{"p99", func(t Latency) *time.Duration { return t.P99 }, func(b Beyond) int64 { return b.P99 }},
	} {
		var where []string
		for _, f := range l.Phases {
			if f.Calls > 0 && q.value(f.Response) == nil {
				where = append(where, fmt.Sprintf("%s (%d)", clean(f.Phase), q.beyond(f.Beyond)))
			}
		}
		if len(where) > 0 {
			parts = append(parts, q.name+" in "+strings.Join(where, ", "))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return fmt.Sprintf("%s: fewer than %d calls lie beyond %s", missing, needed, strings.Join(parts, "; "))
}

// messageWords says what the latency of messages is; "" where there are none.
func (l Load) messageWords() string {
	if l.Messages == "" {
		return ""
	}
	return "messages: " + clean(l.Messages)
}

// unansweredWords says how many of a phase's messages had no answer; "" where
// all had.
func unansweredWords(f Figures) string {
	m := f.Messages
	if m == nil || m.Unanswered == 0 {
		return ""
	}
	return fmt.Sprintf("%s not answered (%s)", thousands(m.Unanswered), percent(float64(m.Unanswered)/float64(m.Count)))
}

// messageFigures are those of a phase's messages in the shape of its calls'.
func messageFigures(f Figures) Figures {
	m := Figures{Took: f.Took, Calls: f.Messages.Count, Response: f.Messages.Response, Service: f.Messages.Service, Lag: f.Messages.Lag, Beyond: f.Messages.Beyond}
	if f.Took > 0 {
		m.Rate = float64(m.Calls) / f.Took.Seconds()
	}
	return m
}

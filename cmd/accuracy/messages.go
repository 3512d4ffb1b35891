package main

import (
	"cmp"
	"slices"
	"time"

	"ordeal/cmd/accuracy/target"
)

// direction is who sends the messages whose latency is measured.
type direction uint8

const (
	noMessages direction = iota
	fromServer           // the gap before each message that comes
	fromClient           // from when a message was due until the stream took it
	bothWays             // from when a message was due until its answer
)

// messageTruth gives the truth of the messages of streaming calls. interval is
// the pause between two that a client sends.
func messageTruth(r *target.Record, d direction, interval time.Duration) []timed {
	calls := make(map[uint64]target.Call, len(r.Calls))
	for _, c := range r.Calls {
		calls[c.N] = c
	}
	messages := slices.Clone(r.Messages)
	slices.SortFunc(messages, func(a, b target.Message) int {
		return cmp.Or(cmp.Compare(a.Call, b.Call), cmp.Compare(a.N, b.N))
	})
	out := make([]timed, 0, len(messages))
	var before target.Message // of the same call
	var first time.Duration
	for _, m := range messages {
		call := calls[m.Call]
		due := first + time.Duration(m.N)*interval
		switch d {
		case fromServer:
			due = before.Handed
			if m.N == 0 {
				due = call.Arrived
			}
			out = append(out, timed{due: due, arrived: due, ended: m.Handed})
		case fromClient:
			if m.N == 0 {
				first, due = call.Arrived, call.Arrived
			}
			t := timed{due: due, arrived: due, ended: taken(due, m, before)}
			if m.Handed <= due {
				t.earliest = due
			}
			out = append(out, t)
		case bothWays:
			if m.N == 0 {
				first, due = m.Arrived, m.Arrived
			}
			out = append(out, timed{due: due, arrived: m.Arrived, ended: m.Handed})
		}
		before = m
	}
	return out
}

// taken is when the stream took a message from its sender. Where the target
// waited for it already, that was between when it was due and its arrival, and
// the latter is given; otherwise the stream took it once the
// one before was on its way, which the target's receiving allowed: messages are
// larger than what a stream takes ahead.
func taken(due time.Duration, m, before target.Message) time.Duration {
	if m.Handed <= due {
		return max(due, m.Arrived)
	}
	if m.N == 0 {
		return due
	}
	return max(due, before.Handed)
}

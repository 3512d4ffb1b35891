package verdict

import (
	"testing"
	"time"

	"ordeal/runner/evidence"
)

// talking plays streams of a message every 20 ms: as many as run through the
// whole timeline. shape changes a message, which otherwise takes 2 ms; false
// leaves it out.
func talking(t testing.TB, streams int, w worked, shape func(at time.Duration, m *evidence.Message) bool) *evidence.Run {
	s := twoPhases(t)
	start, _ := s.phase("warmup")
	_, end := s.phase("peak")
	for i := range streams {
		call := evidence.Sample{Seq: uint64(i), Intended: start, Sent: start, Done: end, Class: evidence.OK}
		s.calls = append(s.calls, call)
		for n, at := uint64(0), start; at < end; n, at = n+1, at+20*ms {
			m := evidence.Message{Call: call.Seq, N: n, Intended: at, Sent: at, Done: at + 2*ms}
			if shape == nil || shape(at-start, &m) {
				s.messages = append(s.messages, m)
			}
		}
	}
	s.meta.Loads[0].Planned["warmup"] = int64(streams)
	s.meta.Loads[0].Messages = "from when a message was due to its answer"
	s.machine(w)
	return s.end()
}

// held holds up every message that is due in the second second of steady until
// its end: sent late, or answered late.
func held(sent bool) func(time.Duration, *evidence.Message) bool {
	return func(at time.Duration, m *evidence.Message) bool {
		if until := 3 * time.Second; at >= 2*time.Second && at < until {
			if m.Done += until - at; sent {
				m.Sent += until - at
			}
		}
		return true
	}
}

func TestLatencyOfMessages(t *testing.T) {
	messages := func(during string, f func(*Latency)) *Latency {
		l := &Latency{Load: "browse", Of: "messages", During: Phases{during}}
		f(l)
		return l
	}
	p95 := func(limit string) func(*Latency) { return func(l *Latency) { l.P95 = of[DurationLimit](t, limit) } }
	p99 := func(l *Latency) { l.P99 = of[DurationLimit](t, "< 50ms") }

	// The streams began in the warm-up, yet each phase has its own messages.
	run := talking(t, 10, quiet, held(false))
	v := judgeBy(t, run, messages("peak", p95("< 50ms")))
	want(t, v, Pass, "")
	if v.Name != "browse messages p95 < 50ms during peak" || v.Measured != "2ms" {
		t.Errorf("%+v", v)
	}
	want(t, judgeBy(t, run, messages("steady", p99)), Fail, "the p99 response time of messages is 962ms")
	// Calls are judged by their own times.
	want(t, judgeBy(t, run, &Latency{Load: "browse", During: Phases{"warmup"}, Max: of[DurationLimit](t, "< 5s")}), Fail, "the max response time is 7s")

	// Messages that could not be sent, because those before them were not taken, are held up by the target, too;
	held := talking(t, 10, quiet, held(true))
	want(t, judgeBy(t, held, messages("steady", p99)), Fail, "messages waited up to 1s because those before them were held up")
	// unless the generator was the one that did not get round to it.
	starved := talking(t, 10, worked{procs: 1, cpus: 2, used: 0.97}, func(at time.Duration, m *evidence.Message) bool {
		m.Sent, m.Done = m.Sent+60*ms, m.Done+60*ms
		return true
	})
	want(t, judgeBy(t, starved, messages("steady", p95("< 50ms"))), Inconclusive, "the generator used 0.97 of its 1 core")
	want(t, judgeBy(t, starved, messages("steady", p95("< 500ms"))), Pass, "")

	// Too few of them, and none.
	want(t, judgeBy(t, talking(t, 1, quiet, nil), messages("steady", p99)), Inconclusive,
		"p99 needs 1,000 messages, and browse made 200 messages during steady: lengthen that to 20s at this rate, or ask for p95")
	j := Judge(talking(t, 1, quiet, nil), []Check{messages("steady", p99)})
	want(t, validityOf(t, j, "samples"), Inconclusive, "p99 needs 1,000 messages")
	silent := talking(t, 1, quiet, func(time.Duration, *evidence.Message) bool { return false })
	want(t, judgeBy(t, silent, messages("steady", p99)), Inconclusive, "there is no message of browse during steady")
	s := twoPhases(t)
	s.steadily("steady", 250, nil)
	want(t, judgeBy(t, s.end(), messages("steady", p99)), Inconclusive, "the calls of browse have no messages that are timed")
}

// Messages that nobody answered say how long their calls went on, and no more.
func TestLatencyOfMessagesThatNobodyAnswered(t *testing.T) {
	of50ms := func(f func(*Latency)) *Latency {
		l := &Latency{Load: "browse", Of: "messages", During: Phases{"steady"}, P99: of[DurationLimit](t, "< 50ms")}
		if f != nil {
			f(l)
		}
		return l
	}
	// A server stream of a port where nobody listens: a message a call, for as long as it takes to be refused.
	refused := func(answered int) *evidence.Run {
		s := twoPhases(t)
		s.meta.Loads[0].Messages = "from the message before"
		s.steadily("steady", 500, func(i int, c *evidence.Sample) bool {
			m := evidence.Message{Call: c.Seq, Intended: c.Intended, Sent: c.Sent, Done: c.Done}
			if i >= answered {
				c.Class, c.Code, c.Done = evidence.Refused, 0, c.Sent+100*time.Microsecond
				m.Class, m.Done = evidence.Refused, c.Done
			}
			s.messages = append(s.messages, m)
			return true
		})
		s.machine(quiet)
		return s.end()
	}
	none := refused(0)
	want(t, judgeBy(t, none, of50ms(nil)), Inconclusive,
		"none of the 2,000 messages of browse during steady was answered (calls: 0 ok, 2000 refused), so their times say nothing")
	want(t, judgeBy(t, none, of50ms(func(l *Latency) { l.AcceptFailed = true })), Pass, "")
	j := Judge(none, []Check{of50ms(nil)})
	if v := j.Validity[kindIndex(j.Validity, "calls")]; v.Measured != "steady: 0 late, 0 not sent, 0 timed out, 2000 of 2000 messages without an answer" {
		t.Errorf("%q", v.Measured)
	}
	// As failed calls do, those without an answer count among others, and it is told that they do.
	some := refused(1500)
	want(t, judgeBy(t, some, of50ms(nil)), Pass, "")
	want(t, judgeBy(t, some, of50ms(func(l *Latency) { l.P99 = of[DurationLimit](t, "< 1ms") })), Fail,
		"the p99 response time of messages is 2ms (500 of 2,000 messages had no answer, and count for as long as their calls went on)")
	want(t, judgeBy(t, some, of50ms(func(l *Latency) { l.P99, l.P999 = nil, of[DurationLimit](t, "< 1ms") })), Fail,
		"already the p99 of messages is 2ms (500 of 2,000 messages had no answer")
}

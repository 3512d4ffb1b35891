package evidence

import "time"

// Message is one message of a streaming call, in whichever direction its
// latency means something: LoadMeta.Messages says what it is for a load.
type Message struct {
	Load     int           // index into Meta.Loads
	Call     uint64        // Sample.Seq of the call that it is a part of
	N        uint64        // its number within the call, from 0
	Intended time.Duration // when it was due; equals Sent where nothing was due
	Sent     time.Duration // when it was handed to the stream, or began to be waited for
	Done     time.Duration // when it was answered, arrived or was accepted; without that, when its call ended
	Class    Class         // OK; where it had no answer, how its call ended, or Other where that was well
}

// Response is the time from when the message was due to its end, so that a stall
// of the stream counts for every message that it held up.
func (m *Message) Response() time.Duration { return m.Done - m.Intended }

// Service is the time from the actual send to the end.
func (m *Message) Service() time.Duration { return m.Done - m.Sent }

// Lag is how late the message was sent.
func (m *Message) Lag() time.Duration { return m.Sent - m.Intended }

// MessageStats is what is known of the messages of one load's calls in one
// phase. A load without messages has none, and its distributions are nil, which
// they may be asked.
type MessageStats struct {
	Count int64
	// Unanswered are those of Count that had no end before their call did, by the fault of either. Their times are in the
	// distributions: they lasted at least as long.
	Unanswered int64
	Response   *Distribution // from when they were due to the end, three digits
	Service    *Distribution // from the actual send to the end
	Lag        *Distribution // from when they were due to the actual send
}

func (m *MessageStats) record(c *Message) {
	m.make()
	m.Count++
	if c.Class != OK {
		m.Unanswered++
	}
	m.Response.record(c.Response())
	m.Service.record(c.Service())
	m.Lag.record(c.Lag())
}

func (m *MessageStats) merge(o *MessageStats) {
	if o.Count == 0 {
		return
	}
	m.make()
	m.Count += o.Count
	m.Unanswered += o.Unanswered
	m.Response.Merge(o.Response)
	m.Service.Merge(o.Service)
	m.Lag.Merge(o.Lag)
}

func (m *MessageStats) make() {
	if m.Response == nil {
		m.Response, m.Service, m.Lag = newDistribution(phaseDigits), newDistribution(phaseDigits), newDistribution(phaseDigits)
	}
}

package target

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Call is what the target knows of one call. Times are of Clock.
type Call struct {
	N       uint64        // its number: the generator's where it gives one, else by the order of arrival
	Arrived time.Duration // when the request was there
	Delay   time.Duration // what the program put on it
	Ended   time.Duration // when the end of the answer was handed over, or the connection reset; 0 for none
	Outcome Outcome
}

// Message is what the target knows of one message of a streaming call.
type Message struct {
	Call    uint64        // Call.N
	N       uint64        // from 0
	Arrived time.Duration // when it was received; 0 for one that the target sends unasked
	Handed  time.Duration // when the target was ready for it, or handed its own over: see Serve
}

// Log keeps calls and messages in memory that is there before the first of
// them. What does not fit is counted.
type Log struct {
	clock    Clock
	program  Program
	calls    []entry
	messages []Message
	nCalls   atomic.Int64
	nMsgs    atomic.Int64

	mu    sync.Mutex // orders arrivals, for the program
	first time.Duration
	begun bool
}

// entry is a call under way: its end is written by the goroutine that answers,
// while another may read the log.
type entry struct {
	Call
	ended   atomic.Int64
	outcome atomic.Uint32
}

// NewLog makes room for so many calls and messages. Without room for any call,
// calls are only counted.
func NewLog(program Program, calls, messages int) *Log {
	l := &Log{clock: NewClock(), program: program, calls: make([]entry, calls), messages: make([]Message, messages)}
	// Every page is touched now and not under load.
	for i := range l.calls {
		l.calls[i].N = 1
	}
	for i := range l.messages {
		l.messages[i].N = 1
	}
	return l
}

// unnumbered says that the generator gave the call no number.
const unnumbered = ^uint64(0)

// arrive logs a call and says how to treat it. The entry is nil where there is
// no more room.
func (l *Log) arrive(n uint64, at time.Duration) (*entry, Treatment) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.begun {
		l.begun, l.first = true, at
	}
	i := l.nCalls.Add(1) - 1
	if n == unnumbered {
		n = uint64(i)
	}
	t := l.program.Treat(n, at-l.first)
	if i >= int64(len(l.calls)) {
		return nil, t
	}
	e := &l.calls[i]
	e.Call = Call{N: n, Arrived: at, Delay: t.Delay}
	if t.Outcome == Silent {
		e.outcome.Store(uint32(Silent)) // it has no end that could say so
	}
	return e, t
}

// treat says how to treat a message that is there now.
func (l *Log) treat(n uint64, at time.Duration) Treatment {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.program.Treat(n, at-l.first)
}

func (l *Log) message(m Message) {
	if i := l.nMsgs.Add(1) - 1; i < int64(len(l.messages)) {
		l.messages[i] = m
	}
}

// end notes the call's end, now. It may be called again: the last one counts.
func (e *entry) end(now time.Duration, o Outcome) {
	if e != nil {
		e.ended.Store(int64(now))
		e.outcome.Store(uint32(o))
	}
}

// Record is the log as it is read again.
type Record struct {
	Calls    []Call // in the order of arrival
	Messages []Message
	Total    int64 // calls that arrived, also those there was no room for
	Lost     int64 // calls and messages without room: a sound record has none
}

// Write writes the log: a line with the totals, then a line a call and a line a
// message.
func (l *Log) Write(w io.Writer) error {
	out := bufio.NewWriter(w)
	var err error
	put := func(format string, values ...any) {
		if err == nil {
			_, err = fmt.Fprintf(out, format, values...)
		}
	}
	calls, messages := l.nCalls.Load(), l.nMsgs.Load()
	kept, keptMsgs := min(calls, int64(len(l.calls))), min(messages, int64(len(l.messages)))
	lost := messages - keptMsgs
	if len(l.calls) > 0 { // else they are only counted
		lost += calls - kept
	}
	put("total %d %d\n", calls, lost)
	for i := range l.calls[:kept] {
		e := &l.calls[i]
		put("call %d %d %d %d %d\n", e.N, e.Arrived, e.Delay, e.ended.Load(), e.outcome.Load())
	}
	for _, m := range l.messages[:keptMsgs] {
		put("message %d %d %d %d\n", m.Call, m.N, m.Arrived, m.Handed)
	}
	if err == nil {
		err = out.Flush()
	}
	if err != nil {
		return fmt.Errorf("write the target's log: %w", err)
	}
	return nil
}

// ReadRecord reads what Write wrote.
func ReadRecord(r io.Reader) (*Record, error) {
	rec := &Record{Total: -1}
	lines := bufio.NewScanner(r)
	for number := 1; lines.Scan(); number++ {
		if err := rec.line(lines.Text()); err != nil {
			return nil, fmt.Errorf("line %d of the target's log: %w", number, err)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read the target's log: %w", err)
	}
	if rec.Total < 0 {
		return nil, fmt.Errorf("the target's log has no totals: it is empty or was cut")
	}
	return rec, nil
}

func (r *Record) line(text string) error {
	kind, rest, _ := strings.Cut(text, " ")
	var v [5]int64
	words := strings.Fields(rest)
	for i, w := range words {
		if i >= len(v) {
			return fmt.Errorf("%q has too many numbers", text)
		}
		n, err := strconv.ParseInt(w, 10, 64)
		if err != nil {
			return err
		}
		v[i] = n
	}
	switch {
	case kind == "total" && len(words) == 2:
		r.Total, r.Lost = v[0], v[1]
	case kind == "call" && len(words) == 5:
		r.Calls = append(r.Calls, Call{
			N: uint64(v[0]), Arrived: time.Duration(v[1]), Delay: time.Duration(v[2]), Ended: time.Duration(v[3]), Outcome: Outcome(v[4]),
		})
	case kind == "message" && len(words) == 4:
		r.Messages = append(r.Messages, Message{uint64(v[0]), uint64(v[1]), time.Duration(v[2]), time.Duration(v[3])})
	default:
		return fmt.Errorf("%q is not understood", text)
	}
	return nil
}

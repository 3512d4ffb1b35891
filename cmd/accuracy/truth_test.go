package main

import (
	"math"
	"slices"
	"testing"
	"time"

	"ordeal/cmd/accuracy/target"
)

const ms = time.Millisecond

func TestScheduleIsTheIntegralOfItsRate(t *testing.T) {
	h := hold(500, 24*time.Second)
	if h.count() != 12_000 || h.at(0) != 0 || h.at(1) != 2*ms || h.at(11_999) != 23_998*ms {
		t.Errorf("%d calls, at %v, %v, %v", h.count(), h.at(0), h.at(1), h.at(11_999))
	}
	r := schedule{100, 900, 21 * time.Second}
	if r.count() != 10_500 || r.at(0) != 0 {
		t.Errorf("%d calls, the first at %v", r.count(), r.at(0))
	}
	for _, n := range []int{1, 99, 5000, 10_499} {
		x := r.at(n).Seconds()
		if due := 100*x + 800/21.0*x*x/2; math.Abs(due-float64(n)) > 1e-4 {
			t.Errorf("%f calls are due when call %d is", due, n)
		}
	}
}

// calls gives calls that arrive at these times and take as long as told.
func calls(first time.Duration, arrivedAndTook ...time.Duration) []target.Call {
	var out []target.Call
	for i := 0; i < len(arrivedAndTook); i += 2 {
		at := first + arrivedAndTook[i]
		out = append(out, target.Call{N: uint64(i / 2), Arrived: at, Ended: at + arrivedAndTook[i+1], Outcome: target.Answered})
	}
	return out
}

func TestTruthOfNumberedCalls(t *testing.T) {
	// 100/s: call 1 was sent 5 ms late and took 20 ms, and call 2 gets no answer.
	log := calls(time.Hour, 0, 3*ms, 15*ms, 20*ms, 20*ms, 0, 30*ms, 900*ms)
	log[2].Ended, log[2].Outcome = 0, target.Silent
	known, err := numbered([]target.Call{log[2], log[0], log[3], log[1]}, hold(100, time.Second), time.Hour, 500*ms)
	if err != nil {
		t.Fatal(err)
	}
	for n, want := range map[uint64]time.Duration{0: 3 * ms, 1: 25 * ms, 2: 500 * ms, 3: 500 * ms} {
		if got := known[n].ended - known[n].due; got != want {
			t.Errorf("the response time of call %d is %v, want %v", n, got, want)
		}
	}
	if got := services([]timed{known[1]})[0]; got != 20*ms {
		t.Errorf("the service time of call 1 is %v", got)
	}
	if _, err := numbered(append(log, log[1]), hold(100, time.Second), 0, time.Second); err == nil {
		t.Error("a call that arrived twice is no error")
	}
	if _, err := numbered([]target.Call{{N: 100}}, hold(100, time.Second), 0, time.Second); err == nil {
		t.Error("a call beyond the plan is no error")
	}
}

func TestTruthOfOrderedCalls(t *testing.T) {
	// 100/s; the first is held up by 2 ms, and call 2 caught one worker for 40 ms,
	// so that call 3 comes late.
	log := calls(time.Hour, 2*ms, ms, 10*ms, ms, 20*ms, 40*ms, 60*ms, ms, 61*ms, ms, 62*ms, ms)
	slices.Reverse(log)
	got := responses(ordered(log, hold(100, time.Second), time.Second))
	if want := []time.Duration{3 * ms, ms, 40 * ms, 31 * ms, 22 * ms, 13 * ms}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if got := ordered(nil, hold(100, time.Second), time.Second); len(got) != 0 {
		t.Errorf("no calls are %v", got)
	}
}

func TestTruthOfCallsLeftOut(t *testing.T) {
	// 100/s for 100 ms, and a stall from 25 ms for 45 ms: the one worker is caught by
	// the call of 30 ms and free at 70 ms; those of 40, 50 and 60 ms are left out.
	s := hold(100, 100*ms)
	log := calls(time.Hour, 0, ms, 10*ms, ms, 20*ms, ms, 30*ms, 40*ms, 70*ms, ms, 80*ms, ms, 90*ms, ms)
	p, err := target.ParseProgram("stall 25ms 45ms", 1)
	if err != nil {
		t.Fatal(err)
	}
	got, missed := skipping(log, s, time.Second, p)
	want := []time.Duration{ms, ms, ms, 40 * ms, 30 * ms, 20 * ms, 10 * ms, ms, ms, ms}
	if missed != 3 || !slices.Equal(responses(got), want) {
		t.Errorf("%d missed, %v, want %v", missed, responses(got), want)
	}
	// A program that needs more than the time leaves them out here, too.
	got, missed = skipping(log, s, time.Second, nil)
	if missed != 3 || len(got) != len(log) {
		t.Errorf("%d missed, %d known", missed, len(got))
	}
	// Three that come at once, late, do not push those after them ahead of their time.
	burst := calls(time.Hour, 0, ms, 50*ms, ms, 51*ms, ms, 52*ms, ms, 60*ms, ms, 70*ms, ms)
	got, missed = skipping(burst, s, time.Second, nil)
	if want := []time.Duration{ms, 21 * ms, 12 * ms, 3 * ms, ms, ms}; missed != 2 || !slices.Equal(responses(got), want) {
		t.Errorf("%d missed, %v, want %v", missed, responses(got), want)
	}
	// A tool that was late but left nothing out keeps its places.
	late := calls(time.Hour, 0, ms, 10*ms, ms, 60*ms, ms, 61*ms, ms)
	got, missed = skipping(late, hold(100, 40*ms), time.Second, nil)
	if missed != 0 || responses(got)[3] != 32*ms {
		t.Errorf("%d missed, %v", missed, responses(got))
	}
}

func TestTruthOfMessages(t *testing.T) {
	call := target.Call{N: 4, Arrived: time.Hour, Ended: time.Hour + time.Second}
	at := func(n uint64, arrived, handed time.Duration) target.Message {
		return target.Message{Call: 4, N: n, Arrived: time.Hour + arrived, Handed: time.Hour + handed}
	}
	for _, tc := range []struct {
		name     string
		d        direction
		messages []target.Message
		want     []time.Duration
	}{
		{"the gap before each", fromServer, []target.Message{at(0, 0, 5*ms), at(1, 0, 105*ms), at(2, 0, 110*ms)}, []time.Duration{5 * ms, 100 * ms, 5 * ms}},
		// Due each 10 ms from the first; the target stood still while it had message 1.
		{"its answer", bothWays, []target.Message{at(0, ms, 2*ms), at(1, 11*ms, 51*ms), at(2, 51*ms, 52*ms)}, []time.Duration{ms, 40 * ms, 31 * ms}},
		// The target waited for message 0, began to receive message 1 at 50 ms, and 2 and
		// 3 waited for that.
		{"taken", fromClient, []target.Message{at(0, ms, -ms), at(1, 51*ms, 50*ms), at(2, 52*ms, 51*ms), at(3, 53*ms, 52*ms)}, []time.Duration{ms, 0, 30 * ms, 21 * ms}},
	} {
		slices.Reverse(tc.messages)
		got := responses(messageTruth(&target.Record{Calls: []target.Call{call}, Messages: tc.messages}, tc.d, 10*ms))
		if !slices.Equal(got, tc.want) {
			t.Errorf("%s: %v, want %v", tc.name, got, tc.want)
		}
	}
}

func TestClocksThatDisagreeAreFound(t *testing.T) {
	for _, tc := range []struct {
		toTarget, fromTarget time.Duration
		agree                bool
	}{{20 * time.Microsecond, 15 * time.Microsecond, true}, {-ms, 2 * ms, false}, {2 * ms, -ms, false}} {
		k := newClocks()
		k.look(0, tc.toTarget+ms+tc.fromTarget, timed{arrived: tc.toTarget, ended: tc.toTarget + ms})
		k.look(0, time.Second, timed{arrived: 100 * ms, ended: 200 * ms})
		if err := k.check(); (err == nil) != tc.agree {
			t.Errorf("%+v: %v", tc, err)
		}
	}
}

func TestWallClockThatWasSetIsFound(t *testing.T) {
	at := time.Unix(1e9, 0)
	w := &wallClock{readings: []reading{{at, time.Hour}, {at.Add(50 * ms), time.Hour + 50*ms}, {at.Add(100 * ms), time.Hour + 90*ms}}}
	if got, err := w.monotonic(at.Add(20 * ms)); err != nil || got != time.Hour+20*ms {
		t.Errorf("%v, %v", got, err)
	}
	for _, when := range []time.Duration{70 * ms, -ms, time.Second} {
		if got, err := w.monotonic(at.Add(when)); err == nil {
			t.Errorf("a base at %v is %v on the other clock", when, got)
		}
	}
}

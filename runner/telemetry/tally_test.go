package telemetry

import (
	"runtime"
	"sync"
	"testing"
	"time"

	"ordeal/runner/evidence"
)

func TestTallyCountsEveryCallOnce(t *testing.T) {
	const workers, each = 16, 5000
	tally := NewTally(2, true)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := range each {
				s := evidence.Sample{Load: w % 2, Sent: time.Millisecond, Done: 3 * time.Millisecond, Bytes: 7}
				if i%5 == 0 {
					s.Class = evidence.Timeout
				}
				tally.Sample(&s)
				tally.Message(&evidence.Message{Load: w % 2, Intended: 1 * time.Millisecond, Sent: 2 * time.Millisecond, Done: 4 * time.Millisecond})
				if i%1000 == 0 {
					runtime.GC() // takes what is pooled
				}
			}
		})
	}
	wg.Wait()
	for load := range 2 {
		for class, want := range map[evidence.Class]uint64{evidence.OK: workers / 2 * each * 4 / 5, evidence.Timeout: workers / 2 * each / 5} {
			response, service, bytes, ok := tally.calls(load, class)
			if !ok || response.count() != want || service.count() != want || bytes != int64(want)*7 {
				t.Errorf("load %d, %v: %d response times, %d service times, %d bytes; want %d", load, class, response.count(), service.count(), bytes, want)
			}
			if n := time.Duration(want); response.sum != n*3*time.Millisecond || service.sum != n*2*time.Millisecond {
				t.Errorf("load %d, %v: sums %v and %v of %d", load, class, response.sum, service.sum, want)
			}
		}
		if _, _, _, ok := tally.calls(load, evidence.Reset); ok {
			t.Errorf("load %d has calls of a class that none had", load)
		}
		lag := tally.lag(load)
		if want := uint64(workers / 2 * each); lag.count() != want || lag.sum != time.Duration(want)*time.Millisecond {
			t.Errorf("load %d: send lag of %d calls, %v in all; want %d", load, lag.count(), lag.sum, want)
		}
		response, service, ok := tally.messages(load)
		if want := uint64(workers / 2 * each); !ok || response.count() != want || response.sum != 3*time.Duration(want)*time.Millisecond ||
			service.sum != 2*time.Duration(want)*time.Millisecond {
			t.Errorf("load %d: %d messages, %v and %v", load, response.count(), response.sum, service.sum)
		}
	}
}

func TestLookCountsAllLoadsAndForgetsNothing(t *testing.T) {
	for _, whole := range []bool{false, true} {
		tally := NewTally(3, whole)
		first := tally.Look()
		for i := range 1000 {
			s := evidence.Sample{Load: i % 3, Intended: time.Second, Sent: time.Second, Done: time.Second + 10*time.Millisecond}
			if i >= 980 {
				s.Class, s.Done = evidence.HTTP5xx, s.Sent+800*time.Millisecond
			}
			tally.Sample(&s)
		}
		second := tally.Look()
		if second.Calls != 1000 || second.Errors != 20 {
			t.Errorf("%d calls, %d errors; want 1000, 20", second.Calls, second.Errors)
		}
		if got := second.P99(&first); got < 800*time.Millisecond || got > 880*time.Millisecond {
			t.Errorf("p99 is %v, want 800ms to 880ms", got)
		}
		third := tally.Look()
		if got := third.P99(&second); got != 0 || third.Calls != 1000 {
			t.Errorf("with no new calls: p99 %v, %d calls; want 0, 1000", got, third.Calls)
		}
		tally.Sample(&evidence.Sample{Done: time.Millisecond})
		fourth := tally.Look()
		if got := fourth.P99(&third); got < time.Millisecond || got > 1100*time.Microsecond {
			t.Errorf("p99 of the one new call is %v, want 1ms", got)
		}
	}
}

func TestTallyThatIsNotServedKeepsResponseTimesAlone(t *testing.T) {
	tally := NewTally(1, false)
	tally.Sample(&evidence.Sample{Done: time.Millisecond, Bytes: 3})
	tally.Message(&evidence.Message{})
	response, service, bytes, _ := tally.calls(0, evidence.OK)
	if _, _, messages := tally.messages(0); response.count() != 1 || service.count() != 0 || bytes != 0 || messages {
		t.Errorf("%d response times, %d service times, %d bytes, messages %v", response.count(), service.count(), bytes, messages)
	}
}

func TestCountingDoesNotAllocate(t *testing.T) {
	tally := NewTally(1, true)
	s, m := evidence.Sample{Done: time.Millisecond}, evidence.Message{Done: time.Millisecond}
	if n := testing.AllocsPerRun(1000, func() { tally.Sample(&s); tally.Message(&m) }); n >= 1 {
		t.Errorf("%g allocations a call", n)
	}
}

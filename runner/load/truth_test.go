package load

import (
	"slices"
	"testing"
	"time"

	"ordeal/runner/evidence"
)

// TestStallIsSeen: the target stands still for 2 s under 500 calls a second,
// with ten workers. Measured inside the workers, p99 is that of the ten that
// were under way, a few milliseconds; from the schedule, one call in two of
// those 4 s waited, most of them for more than a second.
func TestStallIsSeen(t *testing.T) {
	t.Parallel()
	for _, sub := range subjects()[:2] { // http, grpc unary
		t.Run(sub.name, func(t *testing.T) {
			t.Parallel()
			tg := sub.target(t)
			clock := evidence.NewClock()
			spec := sub.spec
			describeFromFile(t, &spec)
			spec.Rate, spec.Workers, spec.Timeout = holdAt(500), 10, 10*time.Second
			const length, stall = 4 * time.Second, 2 * time.Second
			engine, err := spec.Engine(Env{Addrs: []string{tg.addr}, Clock: clock, End: length})
			if err != nil {
				t.Fatal(err)
			}
			// Every call that begins in the stall is answered at its end.
			begin := time.AfterFunc(500*time.Millisecond, func() { tg.until.Store(time.Now().Add(stall).UnixNano()) })
			defer begin.Stop()
			got := &collector{}
			if err := engine.Run(t.Context(), clock.Now(), schedule(t, spec, phases(length), 1), got); err != nil {
				t.Fatal(err)
			}
			var response []time.Duration
			waited, slow := 0, 0
			for _, s := range got.sorted() {
				response = append(response, s.Response())
				if s.Response() > time.Second {
					waited++
				}
				if s.Service() > time.Second {
					slow++
				}
			}
			slices.Sort(response)
			if p := response[len(response)*99/100]; p < 1600*time.Millisecond || p > 6*time.Second {
				t.Errorf("p99 of the response times is %v, the truth is about 1.95 s", p)
			}
			// The control: a tool that measures in the worker sees the ten calls that
			// were under way, and nothing of those that could not be sent. Ten more where
			// the machine is so busy that it takes a second to connect.
			if slow == 0 || slow > max(20, waited/4) {
				t.Errorf("of %d calls %d took more than a second, %d from the moment that they were sent: the stall was not what it should have been", len(response), waited, slow)
			}
		})
	}
}

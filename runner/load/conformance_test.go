package load

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ordeal/runner/evidence"
)

// Every engine passes the same suite: each call that was issued is recorded
// exactly once, with times that fit, whatever becomes of the target and of the
// run; and nothing is left behind.

// collector is a sink that keeps what it is given.
type collector struct {
	mu      sync.Mutex
	samples []evidence.Sample
}

func (c *collector) Sample(s evidence.Sample) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.samples = append(c.samples, s)
}
func (*collector) Message(evidence.Message) {}
func (*collector) Event(evidence.Event)     {}
func (*collector) Point(evidence.Point)     {}

func (c *collector) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.samples)
}

// sorted gives the samples by number.
func (c *collector) sorted() []evidence.Sample {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := slices.Clone(c.samples)
	slices.SortFunc(s, func(a, b evidence.Sample) int { return int(a.Seq) - int(b.Seq) })
	return s
}

func (c *collector) classes() (n [evidence.NumClasses]int) {
	for _, s := range c.sorted() {
		n[s.Class]++
	}
	return n
}

// subject is an engine with a target that fits.
type subject struct {
	name   string
	spec   Spec
	target func(t testing.TB) *target
}

func subjects() []subject {
	httpTarget := func(t testing.TB) *target { return newHTTPTarget(t, nil) }
	grpcTarget := func(t testing.TB) *target { return newGRPCTarget(t) }
	const service = "grpc.testing.TestService/"
	return []subject{
		{"http", Spec{HTTP: &HTTP{Target: "t", Get: "/"}}, httpTarget},
		{"grpc unary", Spec{GRPC: &GRPC{Target: "t", Call: service + "UnaryCall"}}, grpcTarget},
		{"grpc server stream", Spec{GRPC: &GRPC{Target: "t", Call: service + "StreamingOutputCall",
			Data: map[string]any{"response_parameters": []any{map[string]any{"size": 1}, map[string]any{"size": 1}}}}}, grpcTarget},
		{"grpc client stream", Spec{GRPC: &GRPC{Target: "t", Call: service + "StreamingInputCall", Repeat: 3}}, grpcTarget},
		{"trickle", Spec{Trickle: &Trickle{}}, newSilentTarget},
		{"http standard", Spec{HTTP: &HTTP{Target: "t", Get: "/", Transport: Standard}}, httpTarget},
		{"grpc bidi stream", Spec{GRPC: &GRPC{Target: "t", Call: service + "FullDuplexCall", Repeat: 3, Connections: 2}}, grpcTarget},
	}
}

// situation is what happens to the engine, and what must come of it.
type situation struct {
	name    string
	length  time.Duration // of the timeline
	load    time.Duration // an open schedule ends here; with the timeline when 0
	timeout time.Duration
	workers int                              // 10 when absent
	before  func(tg *target)                 // before the load starts
	during  func(tg *target, got *collector) // while it goes on; the run is cancelled when it returns
	check   func(t *testing.T, closed bool, planned int, got []evidence.Sample)
	silent  bool // no call is answered: fits slow clients, too
}

func count(got []evidence.Sample, class evidence.Class) (n int) {
	for _, s := range got {
		if s.Class == class {
			n++
		}
	}
	return n
}

func situations() []situation {
	return []situation{
		{
			name: "normal", length: time.Minute, load: 300 * time.Millisecond, timeout: 10 * time.Second, workers: 200,
			during: func(_ *target, got *collector) { poll(func() bool { return got.count() >= 87 }) },
			check: func(t *testing.T, closed bool, planned int, got []evidence.Sample) {
				if !closed && len(got) != planned {
					t.Errorf("%d of %d planned calls", len(got), planned)
				}
				if n := count(got, evidence.OK); n != len(got) || n == 0 {
					t.Errorf("%d of %d calls are ok", n, len(got))
				}
				for _, s := range got {
					if s.Backend == "" || s.Mark != "" {
						t.Errorf("backend %q, mark %q", s.Backend, s.Mark)
						break
					}
				}
			},
		},
		{
			name: "cancelled", length: time.Minute, timeout: 10 * time.Second,
			during: func(_ *target, got *collector) { poll(func() bool { return got.count() >= 10 }) },
			check: func(t *testing.T, _ bool, _ int, got []evidence.Sample) {
				if n := count(got, evidence.OK); n < 10 {
					t.Errorf("%d calls before the end", n)
				}
			},
		},
		{
			name: "cancelled while nothing answers", length: time.Minute, timeout: 300 * time.Millisecond, silent: true,
			before: func(tg *target) { tg.delay.Store(-1) },
			during: func(tg *target, _ *collector) { poll(func() bool { return tg.calls.Load() >= 5 }) },
			check: func(t *testing.T, _ bool, _ int, got []evidence.Sample) {
				if n := count(got, evidence.Timeout); n != len(got) || n < 5 {
					t.Errorf("%d of %d calls without an answer are timeouts", n, len(got))
				}
			},
		},
		{
			name: "timeouts", length: time.Minute, timeout: 200 * time.Millisecond, silent: true,
			before: func(tg *target) { tg.delay.Store(-1) },
			during: func(_ *target, got *collector) { poll(func() bool { return got.count() >= 15 }) },
			check: func(t *testing.T, _ bool, _ int, got []evidence.Sample) {
				if n := count(got, evidence.Timeout); n != len(got) || n < 15 {
					t.Errorf("%d of %d calls are timeouts", n, len(got))
				}
				for _, s := range got[:15] {
					if d := s.Service(); d < 100*time.Millisecond || d > 5*time.Second {
						t.Errorf("a timeout of 200ms took %v", d)
						break
					}
				}
			},
		},
		{
			name: "target dies", length: time.Minute, timeout: 10 * time.Second,
			before: func(tg *target) { tg.delay.Store(int64(20 * time.Millisecond)) },
			during: func(tg *target, got *collector) {
				poll(func() bool { return got.count() >= 10 })
				tg.kill()
				poll(func() bool { return count(got.sorted(), evidence.Refused) >= 5 })
			},
			check: func(t *testing.T, _ bool, _ int, got []evidence.Sample) {
				if n := count(got, evidence.OK); n < 10 {
					t.Errorf("%d calls are ok", n)
				}
				if n := count(got, evidence.Refused); n < 5 {
					t.Errorf("%d calls were refused", n)
				}
				// The few in flight at the moment are resets; nothing is a mystery.
				if n := count(got, evidence.Other) + count(got, evidence.GRPCStatus) + count(got, evidence.Timeout); n > 0 {
					t.Errorf("%d calls are neither ok nor refused nor reset", n)
				}
			},
		},
		{
			name: "more than the cap can carry", length: 500 * time.Millisecond, timeout: 10 * time.Second,
			before: func(tg *target) { tg.delay.Store(int64(250 * time.Millisecond)) },
			check: func(t *testing.T, closed bool, planned int, got []evidence.Sample) {
				// Ten at a time, for 250 ms each: what could not be sent in time is not sent late.
				if !closed && len(got) > planned/2 {
					t.Errorf("%d of %d planned calls, with a cap that cannot carry them", len(got), planned)
				}
			},
		},
	}
}

// describeFromFile spares a spec the question to the reflection service, which
// takes its time on a busy machine.
func describeFromFile(t testing.TB, spec *Spec) {
	if spec.GRPC != nil {
		own := *spec.GRPC
		own.Protoset = protoset(t)
		spec.GRPC = &own
	}
}

// poll waits for a condition, for a time that a loaded machine needs at most.
func poll(condition func() bool) {
	for deadline := time.Now().Add(10 * time.Second); !condition() && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
}

func TestEngines(t *testing.T) {
	t.Parallel()
	for _, sub := range subjects() {
		for _, closed := range []bool{false, true} {
			for _, sit := range situations() {
				if sub.spec.Trickle != nil && !sit.silent {
					continue
				}
				t.Run(fmt.Sprintf("%s/closed=%v/%s", sub.name, closed, sit.name), func(t *testing.T) {
					t.Parallel()
					conform(t, sub, sit, closed)
				})
			}
		}
	}
}

func conform(t *testing.T, sub subject, sit situation, closed bool) {
	spec := sub.spec
	spec.Name, spec.Timeout = "l", sit.timeout
	if spec.Trickle != nil {
		spec.Trickle = &Trickle{Target: "t", Every: 10 * time.Millisecond, Hold: sit.timeout}
	}
	describeFromFile(t, &spec)
	if closed {
		spec.Clients = 10
	} else {
		spec.Rate, spec.Workers, spec.Arrivals = holdAt(300), max(sit.workers, 10), "poisson"
	}
	tg := sub.target(t)
	if sit.before != nil {
		sit.before(tg)
	}
	clock := evidence.NewClock()
	start := clock.Now() + time.Millisecond
	var issued atomic.Int64
	engine, err := spec.Engine(Env{Index: 3, Addrs: []string{tg.addr}, Clock: clock, End: sit.length, Seed: 1, Issued: &issued})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s := schedule(t, spec, phases(cmp.Or(sit.load, sit.length)), 1)
	got := &collector{}
	cancelled := make(chan time.Time, 1)
	var helper sync.WaitGroup
	if sit.during != nil {
		helper.Go(func() {
			sit.during(tg, got)
			cancelled <- time.Now()
			cancel()
		})
	}
	if err := engine.Run(ctx, start, s, got); err != nil {
		t.Error(err)
	}
	ended := time.Now()
	helper.Wait()
	if sit.during != nil {
		// Now and then ghz takes the 10 s that it gives itself to notice that a
		// connection, which it has just closed, is closed.
		if took := ended.Sub(<-cancelled); took > min(sit.timeout, grace)+25*time.Second {
			t.Errorf("it took %v to end a cancelled run", took)
		}
	}
	samples := got.sorted()
	if int(issued.Load()) != len(samples) {
		t.Errorf("%d calls were issued, %d recorded", issued.Load(), len(samples))
	}
	for i, sample := range samples {
		if sample.Seq != uint64(i) {
			t.Fatalf("call %d was recorded in place of call %d: twice, or not at all", sample.Seq, i)
		}
		want := sample.Sent
		if !closed {
			at, _ := s.At(sample.Seq)
			want = start + at
		}
		if sample.Load != 3 || sample.Intended != want || sample.Sent < sample.Intended || sample.Done < sample.Sent {
			t.Fatalf("call %d, intended at %v: %+v", i, want, sample)
		}
	}
	planned := 0
	if !closed {
		planned = int(before(s, time.Hour))
	}
	sit.check(t, closed, planned, samples)
}

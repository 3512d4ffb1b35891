package breaker

import (
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestTransitionsAreToldInOrder has many goroutines race while the listener itself uses the breaker.
func TestTransitionsAreToldInOrder(t *testing.T) {
	var told []Transition // no lock: one at a time is part of the promise, and -race holds it to that
	var b *Breaker
	cfg := Default()
	cfg.Window, cfg.MinimumCalls, cfg.HalfOpenPermits, cfg.OpenFor = 2, 2, 2, time.Nanosecond
	cfg.OnTransition = func(tr Transition) {
		told = append(told, tr)
		b.Snapshot() // unlocked, else this hangs
	}
	b, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	hammer(b, 8, 3000, func(p *Permit, r *rand.Rand) {
		complete(p, "sssfffi"[r.IntN(7)])
	})

	state, counts := Closed, map[[2]State]uint64{}
	for i, tr := range told {
		if tr.From != state {
			t.Fatalf("transition %d is from %v, but the one before led to %v", i, tr.From, state)
		}
		state = tr.To
		counts[[2]State{tr.From, tr.To}]++
		if i > 0 && tr.At.Before(told[i-1].At) {
			t.Fatalf("transition %d is earlier than the one before", i)
		}
	}
	if state != b.State() {
		t.Errorf("the last told leads to %v, but the breaker is %v", state, b.State())
	}
	if len(told) < 10 {
		t.Fatalf("only %d transitions: the test proves nothing", len(told))
	}
	var edges uint64
	for _, e := range b.Snapshot().Edges {
		edges += e.Count
		if got := counts[[2]State{e.From, e.To}]; got != e.Count {
			t.Errorf("%v to %v was told %d times and counted %d times", e.From, e.To, got, e.Count)
		}
	}
	if edges != uint64(len(told)) {
		t.Errorf("%d transitions told, %d on legal edges", len(told), edges)
	}
}

// hammer lets goroutines make calls, each calls times, and returns how many were let through and refused.
func hammer(b *Breaker, goroutines, calls int, call func(*Permit, *rand.Rand)) (through, refused uint64) {
	var wg sync.WaitGroup
	var ok, no atomic.Uint64
	for g := range goroutines {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(g), 7))
			for range calls {
				p, err := b.Acquire()
				if err != nil {
					no.Add(1)
					continue
				}
				ok.Add(1)
				call(&p, r)
			}
		})
	}
	wg.Wait()
	return ok.Load(), no.Load()
}

func TestEveryCallIsCountedOnce(t *testing.T) {
	cfg := Default()
	cfg.OpenFor = time.Microsecond
	b, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	through, refused := hammer(b, 8, 3000, func(p *Permit, r *rand.Rand) {
		complete(p, "ssffi"[r.IntN(5)])
		p.Ignore() // as a deferred one would
	})
	s := b.Snapshot()
	if got := s.Succeeded + s.Failed + s.Ignored; got != through {
		t.Errorf("%d completed calls counted, %d were let through", got, through)
	}
	if s.Rejected != refused {
		t.Errorf("%d rejected calls counted, %d were refused", s.Rejected, refused)
	}
}

// TestNeverMoreThanThePermits lets many goroutines ask a half-open breaker at once, over and over.
func TestNeverMoreThanThePermits(t *testing.T) {
	const permits = 3
	for range 200 {
		b, _ := halfOpen(t, permits, nil)
		start := make(chan struct{})
		var granted atomic.Int64
		var wg sync.WaitGroup
		for range 12 {
			wg.Go(func() {
				<-start
				for range 3 {
					if _, err := b.Acquire(); err == nil { // the permit is never completed
						granted.Add(1)
					}
				}
			})
		}
		close(start)
		wg.Wait()
		if got := granted.Load(); got != permits {
			t.Fatalf("%d calls were let through, want %d", got, permits)
		}
	}
}

func TestOnePermitCompletedByMany(t *testing.T) {
	b, _ := make10(t, nil)
	p := acquire(t, b)
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(p.Failure)
	}
	wg.Wait()
	if s := b.Snapshot(); s.Calls != 1 || s.Failed != 1 {
		t.Errorf("one permit counted as %d calls, %d failures", s.Calls, s.Failed)
	}
}

// TestSlowListenerHoldsUpNobody keeps the listener at the first transition while two more happen.
func TestSlowListenerHoldsUpNobody(t *testing.T) {
	var told []State
	reached, goOn := make(chan struct{}), make(chan struct{})
	b, c := make10(t, func(cfg *Config) {
		cfg.OnTransition = func(tr Transition) {
			if tr.To == Open {
				close(reached)
				<-goOn
			}
			told = append(told, tr.To)
		}
	})
	var opener sync.WaitGroup
	opener.Go(func() { calls(t, b, "ffffffffff") })
	<-reached
	c.advance(b.cfg.OpenFor + 1)
	calls(t, b, "s") // hangs here, if it waits for the listener
	wantState(t, b, Closed)
	close(goOn)
	opener.Wait()
	if !slices.Equal(told, []State{Open, HalfOpen, Closed}) {
		t.Errorf("told %v, want open, half-open, closed", told)
	}
}

func TestListenerThatPanicsDoesNotSilenceTheRest(t *testing.T) {
	var told []State
	b, c := make10(t, func(cfg *Config) {
		cfg.OnTransition = func(tr Transition) {
			told = append(told, tr.To)
			if tr.To == Open {
				panic("listener")
			}
		}
	})
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		open(t, b)
	}()
	c.advance(b.cfg.OpenFor + 1)
	calls(t, b, "s")
	if len(told) != 3 || told[2] != Closed {
		t.Errorf("told %v, want open, half-open, closed", told)
	}
}

func TestAcquireDoesNotAllocate(t *testing.T) {
	b, _ := make10(t, nil)
	if n := testing.AllocsPerRun(1000, func() { calls(t, b, "s") }); n != 0 {
		t.Errorf("a call that goes through allocates %v times", n)
	}
	b, _ = make10(t, nil)
	open(t, b)
	if n := testing.AllocsPerRun(1000, func() { _, _ = b.Acquire() }); n != 0 {
		t.Errorf("a refused call allocates %v times", n)
	}
}

func BenchmarkCall(b *testing.B) {
	br, _ := make10(b, func(c *Config) { c.Now = nil })
	b.ReportAllocs()
	for b.Loop() {
		p, _ := br.Acquire()
		p.Success()
	}
}

func BenchmarkCallParallel(b *testing.B) {
	br, _ := make10(b, func(c *Config) { c.Now = nil })
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			p, _ := br.Acquire()
			p.Success()
		}
	})
}

func BenchmarkRefusal(b *testing.B) {
	br, _ := make10(b, func(c *Config) { c.Now = nil; c.OpenFor = time.Hour })
	open(b, br)
	b.ReportAllocs()
	for b.Loop() {
		_, _ = br.Acquire()
	}
}

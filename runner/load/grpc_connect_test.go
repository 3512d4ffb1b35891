package load

import (
	"context"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"
	grpcpeer "google.golang.org/grpc/peer"

	"ordeal/runner/evidence"
)

// TestGRPCNeverConnected: calls that wait for a connection until their time is
// over get to no backend, and are recorded like the others.
func TestGRPCNeverConnected(t *testing.T) {
	t.Parallel()
	lis := listen(t) // takes connections and says nothing
	defer func() { _ = lis.Close() }()
	spec := unary()
	spec.GRPC.Protoset = protoset(t)
	spec.Rate, spec.Workers, spec.Timeout = holdAt(100), 5, 200*time.Millisecond
	const length = 2 * time.Second
	clock := evidence.NewClock()
	engine, err := spec.Engine(Env{Addrs: []string{lis.Addr().String()}, Clock: clock, End: length})
	if err != nil {
		t.Fatal(err)
	}
	got := &collector{}
	if err := engine.Run(t.Context(), clock.Now(), schedule(t, spec, phases(length), 1), got); err != nil {
		t.Fatal(err)
	}
	samples := got.sorted()
	for i, s := range samples {
		if s.Seq != uint64(i) || s.Class != evidence.Timeout || s.Service() < 100*time.Millisecond {
			t.Fatalf("%+v", s)
		}
	}
	// Slots are given back: five at a time, each for 200 ms, is more than five.
	if len(samples) < 8 {
		t.Errorf("%d calls", len(samples))
	}
}

func TestGRPCReplicas(t *testing.T) {
	a, b := newGRPCTarget(t), newGRPCTarget(t)
	got := calls(t, unary(), 40, a.addr, b.addr)
	by := map[string]int{}
	for _, s := range got[20:] { // the first may find one connection only
		by[s.Backend]++
	}
	if by[a.addr] < 5 || by[b.addr] < 5 || len(by) != 2 {
		t.Errorf("backends %v", by)
	}
}

// TestGRPCReconnectsSoon: gRPC waits longer after each failure to connect. The
// target's recovery must not be measured by that.
func TestGRPCReconnectsSoon(t *testing.T) {
	t.Parallel()
	tg := newGRPCTarget(t)
	spec := unary()
	spec.Rate, spec.Timeout = holdAt(50), time.Second
	clock := evidence.NewClock()
	const length = 5 * time.Second
	engine, err := spec.Engine(Env{Addrs: []string{tg.addr}, Clock: clock, End: length})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var back time.Duration
	var helper sync.WaitGroup
	helper.Go(func() {
		time.Sleep(200 * time.Millisecond)
		tg.kill()
		time.Sleep(3 * time.Second) // attempts of gRPC alone: after 0, 1, 2.6 and 5.2 s
		var lis net.Listener
		poll(func() bool { lis, err = net.Listen("tcp", tg.addr); return err == nil })
		if err == nil {
			back = clock.Now()
			tg.start(lis)
		}
	})
	got := &collector{}
	if err := engine.Run(ctx, 0, schedule(t, spec, phases(length), 1), got); err != nil {
		t.Fatal(err)
	}
	helper.Wait()
	if back == 0 {
		t.Skip("the port was taken meanwhile")
	}
	for _, s := range got.sorted() {
		if s.Sent > back && s.Class == evidence.OK {
			if d := s.Sent - back; d > 1500*time.Millisecond { // 1.6 s at least by gRPC alone, whose times jitter
				t.Errorf("the first call after the return was ok only %v later", d)
			}
			return
		}
	}
	t.Error("no call after the return was ok")
}

// TestGoAwayIsNoFailure: a server that ends its connections gracefully (as with
// MaxConnectionAge, or before it stops) fails no call.
func TestGoAwayIsNoFailure(t *testing.T) {
	t.Parallel()
	tg := newGRPCTarget(t, grpc.KeepaliveParams(keepalive.ServerParameters{MaxConnectionAge: 50 * time.Millisecond}))
	spec := unary()
	spec.Rate = holdAt(300)
	const length = time.Second
	clock := evidence.NewClock()
	engine, err := spec.Engine(Env{Addrs: []string{tg.addr}, Clock: clock, End: length})
	if err != nil {
		t.Fatal(err)
	}
	got := &collector{}
	if err := engine.Run(t.Context(), clock.Now(), schedule(t, spec, phases(length), 1), got); err != nil {
		t.Fatal(err)
	}
	n := got.classes()
	if n[evidence.OK] < 100 || n[evidence.OK] != got.count() {
		t.Errorf("classes %v", n)
	}
}

// TestGRPCCallsEndWithTheRun: calls in flight, and calls that wait for a
// connection, do not run to their timeout when the run is cancelled; nor does
// one keep them that was let go and finds every client busy.
func TestGRPCCallsEndWithTheRun(t *testing.T) {
	t.Parallel()
	for _, sub := range subjects() {
		if sub.spec.GRPC == nil {
			continue
		}
		for _, connected := range []bool{true, false} {
			for _, closed := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/connected=%v/closed=%v", sub.name, connected, closed), func(t *testing.T) {
					t.Parallel()
					endWithTheRun(t, sub, connected, closed)
				})
			}
		}
	}
}

func endWithTheRun(t *testing.T, sub subject, connected, closed bool) {
	const inFlight = 20
	spec := sub.spec
	describeFromFile(t, &spec)
	spec.Timeout = 10 * time.Minute
	if closed {
		spec.Clients = inFlight
	} else {
		spec.Rate, spec.Workers = holdAt(1000), inFlight
	}
	tg := newSilentTarget(t)
	if connected {
		tg = sub.target(t)
		tg.delay.Store(-1) // no answer
	}
	var issued atomic.Int64
	engine, err := spec.Engine(Env{Addrs: []string{tg.addr}, Clock: evidence.NewClock(), End: time.Hour, Issued: &issued})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	cancelled := make(chan time.Time, 1)
	var helper sync.WaitGroup
	helper.Go(func() {
		poll(func() bool { return issued.Load() == inFlight && (!connected || tg.calls.Load() == inFlight) })
		cancelled <- time.Now()
		cancel()
	})
	got := &collector{}
	if err := engine.Run(ctx, 0, schedule(t, spec, phases(time.Hour), 1), got); err != nil {
		t.Error(err)
	}
	took := time.Since(<-cancelled)
	helper.Wait()
	// Now and then ghz takes 10 s more to close its connections.
	if took < grace/2 || took > grace+25*time.Second {
		t.Errorf("it took %v to end the calls", took)
	}
	if n := got.classes(); n[evidence.Timeout] != inFlight || got.count() != inFlight || issued.Load() != inFlight {
		t.Errorf("classes %v, %d issued", n, issued.Load())
	}
}

// TestGRPCConnectionsShareEvenly: every connection carries its part of the
// calls, in both models.
func TestGRPCConnectionsShareEvenly(t *testing.T) {
	t.Parallel()
	for _, closed := range []bool{false, true} {
		t.Run(fmt.Sprintf("closed=%v", closed), func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			by := map[string]int{} // the client's ends
			tg := answering(t, func(ctx context.Context, _ any) error {
				from, _ := grpcpeer.FromContext(ctx)
				mu.Lock()
				defer mu.Unlock()
				by[from.Addr.String()]++
				return nil
			})
			tg.delay.Store(int64(10 * time.Millisecond))
			spec := unary()
			describeFromFile(t, &spec)
			spec.GRPC.Connections = 4
			const wanted = 2000
			if closed {
				spec.Clients = 18 // five on two of the connections, four on the others
			} else {
				spec.Rate = holdAt(1000)
			}
			clock := evidence.NewClock()
			engine, err := spec.Engine(Env{Addrs: []string{tg.addr}, Clock: clock, End: time.Minute})
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			got := &collector{}
			if err := engine.Run(ctx, clock.Now(), schedule(t, spec, phases(time.Minute), 1), &upTo{got, wanted, cancel}); err != nil {
				t.Fatal(err)
			}
			mu.Lock()
			defer mu.Unlock()
			if len(by) != 4 {
				t.Fatalf("calls by connection: %v", by)
			}
			all := 0
			for _, n := range by {
				all += n
			}
			for _, n := range by {
				if n < all/4*7/10 || n > all/4*13/10 {
					t.Errorf("calls by connection: %v", by)
				}
			}
			if n := got.classes()[evidence.OK]; n < wanted {
				t.Errorf("%d calls are ok", n)
			}
		})
	}
}

// TestGRPCClientsAreNoMoreThanAsked: a closed model has as many calls in flight
// as clients, although one more is always let go; that one is never made when
// its turn comes after the end.
func TestGRPCClientsAreNoMoreThanAsked(t *testing.T) {
	var now, most, issued, mostIssued atomic.Int64
	got := &collector{}
	tg := answering(t, func(context.Context, any) error {
		shown := issued.Load()
		mostIssued.Store(max(mostIssued.Load(), shown-int64(got.count())))
		defer now.Add(-1)
		for n := now.Add(1); ; {
			if old := most.Load(); n <= old || most.CompareAndSwap(old, n) {
				break
			}
		}
		time.Sleep(5 * time.Millisecond)
		return nil
	})
	spec := unary()
	describeFromFile(t, &spec)
	spec.Clients, spec.GRPC.Connections = 5, 2
	clock := evidence.NewClock()
	const length = 2 * time.Second
	engine, err := spec.Engine(Env{Addrs: []string{tg.addr}, Clock: clock, End: length, Issued: &issued})
	if err != nil {
		t.Fatal(err)
	}
	start := clock.Now()
	if err := engine.Run(t.Context(), start, unpaced{}, got); err != nil {
		t.Fatal(err)
	}
	samples := got.sorted()
	if most.Load() != 5 || mostIssued.Load() > 5 || len(samples) < 10 || int(issued.Load()) != len(samples) {
		t.Errorf("%d at once, %d shown, %d calls, %d issued", most.Load(), mostIssued.Load(), len(samples), issued.Load())
	}
	for i, s := range samples {
		if s.Seq != uint64(i) || s.Sent > start+length+late {
			t.Fatalf("call %d of a timeline that ends at %v: %+v", i, start+length, s)
		}
	}
}

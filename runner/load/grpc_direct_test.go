package load

import (
	"context"
	"testing"
	"time"

	"google.golang.org/grpc/balancer"

	"ordeal/runner/evidence"
)

// TestGRPCWorkersLeaveAfterAStall: for each call that a stall holds up there is a
// worker, and when it is over those leave that nobody needs.
func TestGRPCWorkersLeaveAfterAStall(t *testing.T) {
	t.Parallel()
	tg := newGRPCTarget(t)
	tg.delay.Store(-1)
	spec := unary()
	describeFromFile(t, &spec)
	spec.Rate, spec.Workers, spec.Timeout = holdAt(60), 100, time.Minute
	clock := evidence.NewClock()
	e, err := newGRPCEngine(&spec, Env{Addrs: []string{tg.addr}, Clock: clock, End: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	got := &collector{}
	run := e.newRun(ctx, clock.Now(), schedule(t, spec, phases(time.Hour), 1), got)
	var made error
	ended := make(chan struct{})
	go func() { defer close(ended); made = e.make(ctx, run) }()
	working := func() int {
		run.direct.mu.Lock()
		defer run.direct.mu.Unlock()
		return run.hired() - len(run.direct.spare)
	}
	const held = 60
	if poll(func() bool { return tg.calls.Load() >= held }); working() < held {
		t.Errorf("%d workers for %d calls", working(), tg.calls.Load())
	}
	tg.delay.Store(0)
	go func() { // lets go of the calls that are held
		for {
			select {
			case tg.gate <- struct{}{}:
			case <-ended:
				return
			}
		}
	}()
	if poll(func() bool { return working() < held/3 }); working() >= held/3 {
		t.Errorf("%d workers are there still, for calls that are answered at once", working())
	}
	cancel()
	<-ended
	if made != nil {
		t.Error(made)
	}
	if len(run.direct.spare) != run.hired() {
		t.Errorf("%d of %d workers have not come back", run.hired()-len(run.direct.spare), run.hired())
	}
	for i, s := range got.sorted() {
		if s.Seq != uint64(i) {
			t.Fatalf("call %d is %+v", i, s)
		}
	}
}

// TestGRPCEndedCallIsLetGoOf: what gRPC had for a call is not kept until the worker
// makes another one, which may be never.
func TestGRPCEndedCallIsLetGoOf(t *testing.T) {
	run := recordOf(t.Context(), t, &collector{}, 1)
	c := run.issue(0, 0)
	c.picked(t.Context(), "a")
	if c.ctx == nil {
		t.Fatal("the call under way has no context")
	}
	c.finished(balancer.DoneInfo{BytesSent: true, BytesReceived: true})
	if c.ctx != nil {
		t.Error("the call has ended and has a context")
	}
}

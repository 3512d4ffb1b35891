package load

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/balancer"
	"google.golang.org/grpc/codes"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"ordeal/runner/evidence"
)

const testService = "grpc.testing.TestService/"

func unary() Spec { return Spec{GRPC: &GRPC{Target: "t", Call: testService + "UnaryCall"}} }

// answering is a target whose unary calls are answered by f.
func answering(t *testing.T, f func(ctx context.Context, in any) error) *target {
	return newGRPCTarget(t, grpc.UnaryInterceptor(func(ctx context.Context, in any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
		if err := f(ctx, in); err != nil {
			return nil, err
		}
		return next(ctx, in)
	}))
}

func TestGRPCRequest(t *testing.T) {
	var mu sync.Mutex
	var seen metadata.MD
	var bodies []string
	tg := answering(t, func(ctx context.Context, in any) error {
		mu.Lock()
		defer mu.Unlock()
		seen, _ = metadata.FromIncomingContext(ctx)
		bodies = append(bodies, string(in.(*testpb.SimpleRequest).GetPayload().GetBody()))
		if _, ok := ctx.Deadline(); !ok {
			t.Error("no deadline")
		}
		return grpc.SetTrailer(ctx, metadata.Pairs("x-served-by", "users-3"))
	})
	spec := unary()
	spec.GRPC.Data = map[string]any{"payload": map[string]any{"body": "{{.Row.body}}"}}
	spec.GRPC.Rows = &Data{CSV: "rows.csv"}
	spec.GRPC.Metadata = map[string]string{"X-Team": "blue {{.Seq}}"}
	spec.GRPC.Auth = &Auth{JWT: &JWT{Key: "k"}}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "rows.csv"), []byte("body\naGVsbG8=\nd29ybGQ=\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got := callsIn(t, spec, 2, Env{Addrs: []string{tg.addr}, Dir: dir})
	if got[1].Class != evidence.OK || got[1].Backend != "users-3" {
		t.Errorf("%+v", got[1])
	}
	mu.Lock()
	defer mu.Unlock()
	if bodies[0] != "hello" || bodies[1] != "world" {
		t.Errorf("bodies %q", bodies)
	}
	if v := seen.Get("x-team"); len(v) != 1 || !strings.HasPrefix(v[0], "blue ") {
		t.Errorf("metadata %v", seen)
	}
	if v := seen.Get("authorization"); len(v) != 1 || !strings.HasPrefix(v[0], "Bearer ey") {
		t.Errorf("metadata %v", seen)
	}
	for name, values := range seen {
		if strings.Contains(name, "ordeal") || strings.Contains(strings.Join(values, ""), callKey) {
			t.Errorf("the call's number is on the wire: %s %v", name, values)
		}
	}
}

func TestGRPCAnswers(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var answer error
	tg := answering(t, func(ctx context.Context, _ any) error {
		mu.Lock()
		defer mu.Unlock()
		if status.Code(answer) == codes.DeadlineExceeded {
			<-ctx.Done()
		}
		return answer
	})
	for code, want := range map[codes.Code]evidence.Class{
		codes.OK: evidence.OK, codes.NotFound: evidence.GRPCStatus, codes.Internal: evidence.GRPCStatus,
		codes.Unavailable:      evidence.GRPCStatus, // said by the server, on a connection that is well
		codes.Canceled:         evidence.GRPCStatus,
		codes.DeadlineExceeded: evidence.Timeout,
	} {
		mu.Lock()
		answer = status.Error(code, "as you wish")
		mu.Unlock()
		spec := unary()
		spec.Timeout = 10 * time.Second
		if want == evidence.Timeout {
			spec.Timeout = 300 * time.Millisecond
		}
		if s := calls(t, spec, 1, tg.addr)[0]; s.Class != want || s.Code != int(code) {
			t.Errorf("%v is %v %d, want %v", code, s.Class, s.Code, want)
		}
	}
}

// recordOf makes a run whose calls are made by hand.
func recordOf(ctx context.Context, t *testing.T, out evidence.Sink, workers int) *grpcRun {
	clock := evidence.NewClock()
	run := &grpcRun{env: Env{Clock: clock}, out: out, timeout: time.Millisecond, backends: newLabels()}
	run.pacer = newPacer(ctx, &Spec{Clients: 8}, Env{Clock: clock, End: time.Hour}, 0, unpaced{})
	t.Cleanup(run.pacer.close)
	run.hire(workers)
	return run
}

// issue begins call seq of a worker.
func (r *grpcRun) issue(worker int, seq uint64) *grpcCall {
	r.pacer.slots.take(context.Background(), time.Second)
	c := (*r.workers.Load())[worker].next(seq)
	c.begin()
	return c
}

// TestGRPCSweep: a call of which the picker never heard is recorded when ghz is
// through, with the time at which it must have ended.
func TestGRPCSweep(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	out := &collector{}
	run := recordOf(ctx, t, out, 3)
	run.issue(0, 0)
	answered := run.issue(1, 1)
	answered.picked(ctx, "a")
	answered.finished(balancer.DoneInfo{BytesSent: true, BytesReceived: true})
	run.issue(2, 2).end()
	issued := run.env.Clock.Now()
	poll(func() bool { return run.env.Clock.Now() > issued+run.timeout })
	if run.idle() {
		t.Error("a call without an end has ended")
	}
	run.sweep()
	run.sweep()
	got := out.sorted()
	if len(got) != 3 || run.pacer.slots.taken.Load() != 0 || !run.idle() {
		t.Fatalf("%d samples, %d slots taken", len(got), run.pacer.slots.taken.Load())
	}
	if got[0].Class != evidence.Timeout || got[0].Service() != time.Millisecond || got[1].Class != evidence.OK {
		t.Errorf("%+v", got)
	}
}

// TestGRPCLostCall: a call whose time ended before gRPC asked for a connection
// gives its slot back while the run goes on, and not before its time.
func TestGRPCLostCall(t *testing.T) {
	out := &collector{}
	run := recordOf(t.Context(), t, out, 2)
	run.timeout = 100 * time.Millisecond
	run.issue(0, 0)
	run.issue(1, 1).picked(t.Context(), "a") // slow, not lost
	stop := run.watch()
	poll(func() bool { return out.count() > 0 })
	stop()
	got := out.sorted()
	if len(got) != 1 || got[0].Seq != 0 || got[0].Class != evidence.Timeout || got[0].Service() != run.timeout {
		t.Errorf("%+v", got)
	}
	run.sweep()
}

// TestGRPCLostCallIsFoundByTheNext: so it is when its worker has gone on to
// another call meanwhile.
func TestGRPCLostCallIsFoundByTheNext(t *testing.T) {
	for _, kind := range []streamKind{noStream, serverStream, clientStream, bidiStream} {
		out := &collector{}
		run := recordOf(t.Context(), t, out, 1)
		run.stream.kind = kind
		run.issue(0, 0)
		run.issue(0, 1)
		got := out.sorted()
		if len(got) != 1 || got[0].Seq != 0 || got[0].Class != evidence.Timeout {
			t.Errorf("stream kind %v: %+v", kind, got)
		}
		run.sweep()
		if out.count() != 2 {
			t.Errorf("stream kind %v: %d calls", kind, out.count())
		}
	}
}

// TestRecordsServeAgain: the record of a plain call serves for the next one,
// and that of a call that may be ended by something else later does not.
func TestRecordsServeAgain(t *testing.T) {
	out := &collector{}
	run := recordOf(t.Context(), t, out, 1)
	first := run.issue(0, 0)
	first.picked(t.Context(), "a")
	first.finished(balancer.DoneInfo{BytesSent: true, BytesReceived: true})
	second := run.issue(0, 1)
	ctx, cancel := context.WithCancel(t.Context())
	second.waits(ctx)
	third := run.issue(0, 2)
	if first != second || second == third {
		t.Errorf("records %p %p %p", first, second, third)
	}
	cancel()
	run.waiting.Wait()
	third.picked(t.Context(), "b")
	third.finished(balancer.DoneInfo{BytesSent: true, BytesReceived: true})
	got := out.sorted()
	if len(got) != 3 || got[1].Class != evidence.Timeout || got[1].Backend != "" || got[2].Class != evidence.OK || got[2].Backend != "b" {
		t.Errorf("%+v", got)
	}
}

// TestRetriedCallCountsOnce: gRPC picks again when a connection turns out to be
// gone. Only the last attempt is the call's outcome.
func TestRetriedCallCountsOnce(t *testing.T) {
	out := &collector{}
	run := recordOf(t.Context(), t, out, 1)
	c := run.issue(0, 0)
	c.picked(t.Context(), "a")
	c.finished(balancer.DoneInfo{}) // not sent: the connection was not ready
	if c.outcome.known || out.count() > 0 {
		t.Error("a pick without a connection counts as an answer")
	}
	c.picked(t.Context(), "a")
	c.finished(balancer.DoneInfo{Err: status.Error(codes.Unavailable, "transport is closing"), BytesSent: true})
	if out.count() > 0 {
		t.Error("an attempt that gRPC makes again counts as the call's end")
	}
	c.picked(t.Context(), "b")
	c.finished(balancer.DoneInfo{BytesSent: true, BytesReceived: true})
	if got := out.sorted(); len(got) != 1 || got[0].Class != evidence.OK || got[0].Backend != "b" {
		t.Errorf("%+v", got)
	}
}

// TestGhzKeepsNothing: ghz's own report has room for a million calls and for
// each error text. Nothing may be in it.
func TestGhzKeepsNothing(t *testing.T) {
	tg := answering(t, func(context.Context, any) error { return status.Error(codes.NotFound, "no") })
	spec := unary()
	spec.Clients = 4
	env := Env{Addrs: []string{tg.addr}, Clock: evidence.NewClock(), End: time.Hour}
	e, err := newGRPCEngine(&spec, env)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	got := &collector{}
	run := e.newRun(ctx, 0, unpaced{}, &upTo{collector: got, n: 3000, stop: cancel})
	defer run.pacer.close()
	requester, _, leave, err := e.requester(ctx, run)
	if err != nil {
		t.Fatal(err)
	}
	defer leave()
	report, err := requester.Run()
	run.sweep()
	if err != nil || len(report.Details) > 0 || cap(report.Details) > 1000 || len(report.ErrorDist) > 0 || got.count() < 3000 {
		t.Errorf("%v: %d details (room for %d), %d error texts, of %d calls", err, len(report.Details), cap(report.Details), len(report.ErrorDist), got.count())
	}
}

// TestStopBeforeTheFirstCall: ghz panics or hangs when the pacer stops before
// its workers are there.
func TestStopBeforeTheFirstCall(t *testing.T) {
	tg := newGRPCTarget(t)
	spec := unary()
	spec.Rate, spec.GRPC.Connections = holdAt(0), 5
	for range 20 {
		engine, err := spec.Engine(Env{Addrs: []string{tg.addr}, Clock: evidence.NewClock(), End: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		got := &collector{}
		if err := engine.Run(t.Context(), 0, schedule(t, spec, phases(time.Hour), 1), got); err != nil || got.count() > 0 {
			t.Fatalf("%v, %d calls", err, got.count())
		}
	}
}

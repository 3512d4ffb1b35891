package load

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bojand/ghz/runner"
	"github.com/jhump/protoreflect/desc"
	"google.golang.org/grpc"
	"google.golang.org/grpc/balancer"
	"google.golang.org/grpc/codes"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/protoadapt"

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
		spec.Timeout = 300 * time.Millisecond
		if code == codes.OK {
			spec.Timeout = 5 * time.Second
		}
		if s := calls(t, spec, 1, tg.addr)[0]; s.Class != want || s.Code != int(code) {
			t.Errorf("%v is %v %d, want %v", code, s.Class, s.Code, want)
		}
	}
}

// TestGRPCNeverConnected: calls that wait for a connection until their time is
// over get to no backend, and are recorded like the others.
func TestGRPCNeverConnected(t *testing.T) {
	t.Parallel()
	lis := listen(t) // takes connections and says nothing
	defer func() { _ = lis.Close() }()
	spec := unary()
	spec.GRPC.Protoset = protoset(t)
	spec.Rate, spec.Workers, spec.Timeout = holdAt(100), 5, 200*time.Millisecond
	const length = 500 * time.Millisecond
	engine, err := spec.Engine(Env{Addrs: []string{lis.Addr().String()}, Clock: evidence.NewClock(), End: length})
	if err != nil {
		t.Fatal(err)
	}
	got := &collector{}
	if err := engine.Run(t.Context(), schedule(t, spec, phases(length), 1), got); err != nil {
		t.Fatal(err)
	}
	samples := got.sorted()
	for i, s := range samples {
		if s.Seq != uint64(i) || s.Class != evidence.Timeout || s.Service() < 190*time.Millisecond {
			t.Fatalf("%+v", s)
		}
	}
	// Slots are given back: five at a time, each for 200 ms, is more than five.
	if len(samples) < 8 {
		t.Errorf("%d calls", len(samples))
	}
}

// TestGRPCSweep: a call of which the picker never heard is recorded when ghz is
// through, with the time at which it must have ended.
func TestGRPCSweep(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	clock, out := evidence.NewClock(), &collector{}
	spec := Spec{Clients: 3}
	run := &grpcRun{env: Env{Clock: clock}, out: out, pacer: newPacer(ctx, &spec, Env{Clock: clock, End: time.Hour}, unpaced{}),
		timeout: time.Millisecond, backends: newLabels(), calls: map[uint64]*grpcCall{}}
	defer run.pacer.close()
	for seq := range uint64(3) {
		run.pacer.slots <- struct{}{}
		run.issue(seq)
		run.call(seq).begin()
	}
	run.call(1).finished(balancer.DoneInfo{BytesSent: true, BytesReceived: true})
	run.call(2).end()
	poll(func() bool { return clock.Now() > 5*time.Millisecond })
	run.sweep()
	run.sweep()
	got := out.sorted()
	if len(got) != 3 || len(run.pacer.slots) != 0 {
		t.Fatalf("%d samples, %d slots taken", len(got), len(run.pacer.slots))
	}
	if got[0].Class != evidence.Timeout || got[0].Service() != time.Millisecond || got[1].Class != evidence.OK {
		t.Errorf("%+v", got)
	}
}

// TestRetriedCallCountsOnce: gRPC picks again when a connection turns out to be
// gone. Only the last attempt is the call's outcome.
func TestRetriedCallCountsOnce(t *testing.T) {
	clock := evidence.NewClock()
	run := &grpcRun{env: Env{Clock: clock}, backends: newLabels(), timeout: time.Minute}
	run.pacer = newPacer(t.Context(), &Spec{Clients: 1}, Env{Clock: clock}, unpaced{})
	defer run.pacer.close()
	c := &grpcCall{run: run}
	c.begin()
	c.picked("a")
	c.finished(balancer.DoneInfo{}) // not sent: the connection was not ready
	if c.outcome != nil {
		t.Error("a pick without a connection counts as an answer")
	}
	c.picked("a")
	c.finished(balancer.DoneInfo{Err: status.Error(codes.Unavailable, "transport is closing"), BytesSent: true})
	c.picked("b")
	c.finished(balancer.DoneInfo{BytesSent: true, BytesReceived: true})
	if s := c.sample(); s.Class != evidence.OK || s.Backend != "b" {
		t.Errorf("%+v", s)
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
	run := e.newRun(ctx, unpaced{}, &upTo{collector: &collector{}, n: 300, stop: cancel})
	defer run.pacer.close()
	address, leave := run.enter()
	defer leave()
	config, err := e.config(run, address)
	if err != nil {
		t.Fatal(err)
	}
	requester, err := runner.NewRequester(config)
	if err != nil {
		t.Fatal(err)
	}
	report, err := requester.Run()
	run.sweep()
	if err != nil || len(report.Details) > 0 || cap(report.Details) > 1000 || len(report.ErrorDist) > 0 {
		t.Errorf("%v: %d details (room for %d), %d error texts", err, len(report.Details), cap(report.Details), len(report.ErrorDist))
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
		if err := engine.Run(t.Context(), schedule(t, spec, phases(time.Hour), 1), got); err != nil || got.count() > 0 {
			t.Fatalf("%v, %d calls", err, got.count())
		}
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
			tg.start(t, lis)
		}
	})
	got := &collector{}
	if err := engine.Run(ctx, schedule(t, spec, phases(length), 1), got); err != nil {
		t.Fatal(err)
	}
	helper.Wait()
	if back == 0 {
		t.Skip("the port was taken meanwhile")
	}
	for _, s := range got.sorted() {
		if s.Sent > back && s.Class == evidence.OK {
			if d := s.Sent - back; d > 1200*time.Millisecond {
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
	const length = 700 * time.Millisecond
	engine, err := spec.Engine(Env{Addrs: []string{tg.addr}, Clock: evidence.NewClock(), End: length})
	if err != nil {
		t.Fatal(err)
	}
	got := &collector{}
	if err := engine.Run(t.Context(), schedule(t, spec, phases(length), 1), got); err != nil {
		t.Fatal(err)
	}
	n := got.classes()
	if n[evidence.OK] < 100 || n[evidence.OK] != got.count() {
		t.Errorf("classes %v", n)
	}
}

func TestStreamsEndByThemselves(t *testing.T) {
	t.Parallel()
	tg := newGRPCTarget(t)
	sizes := func(n int, open bool) map[string]any {
		m := map[string]any{}
		for range n {
			parameters, _ := m["response_parameters"].([]any)
			m["response_parameters"] = append(parameters, map[string]any{"size": 1})
		}
		if open {
			m["payload"] = map[string]any{"body": "eA=="}
		}
		return m
	}
	const out, in, both = testService + "StreamingOutputCall", testService + "StreamingInputCall", testService + "FullDuplexCall"
	for _, c := range []struct {
		name     string
		grpc     GRPC
		class    evidence.Class
		from, to time.Duration // how long it takes
	}{
		{"all that come", GRPC{Call: out, Data: sizes(5, false)}, evidence.OK, 0, 2 * time.Second},
		{"the first three", GRPC{Call: out, Data: sizes(5, true), Count: 3}, evidence.OK, 0, 2 * time.Second},
		{"for a time", GRPC{Call: out, Data: sizes(5, true), For: 300 * time.Millisecond}, evidence.OK, 240 * time.Millisecond, 3 * time.Second},
		{"for a time, and nothing comes", GRPC{Call: out, Data: sizes(0, true), For: 300 * time.Millisecond}, evidence.Timeout, 290 * time.Millisecond, 3 * time.Second},
		{"not at all", GRPC{Call: out, Data: sizes(5, true)}, evidence.Timeout, 1400 * time.Millisecond, 6 * time.Second},
		{"send a few, with pauses", GRPC{Call: in, Messages: []any{map[string]any{}, map[string]any{}}, Repeat: 2, Interval: 50 * time.Millisecond}, evidence.OK, 140 * time.Millisecond, 3 * time.Second},
		{"send for a time", GRPC{Call: in, For: 200 * time.Millisecond, Interval: time.Millisecond}, evidence.OK, 190 * time.Millisecond, 3 * time.Second},
		{"a pause longer than the time", GRPC{Call: in, For: 200 * time.Millisecond, Interval: time.Minute}, evidence.OK, 190 * time.Millisecond, 3 * time.Second},
		{"both for a time", GRPC{Call: both, Data: sizes(1, false), For: 200 * time.Millisecond, Interval: 10 * time.Millisecond}, evidence.OK, 190 * time.Millisecond, 3 * time.Second},
		{"both until enough has come", GRPC{Call: both, Data: sizes(1, false), For: 3 * time.Second, Interval: 10 * time.Millisecond, Count: 3}, evidence.OK, 10 * time.Millisecond, 2 * time.Second},
		{"both, with pauses that the timeout ends", GRPC{Call: both, Repeat: 2, Interval: time.Minute}, evidence.Timeout, 1400 * time.Millisecond, 6 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := calls(t, Spec{GRPC: &c.grpc, Timeout: 1500 * time.Millisecond}, 1, tg.addr)[0]
			if s.Class != c.class || s.Service() < c.from || s.Service() > c.to {
				t.Errorf("%v %d after %v; want %v after %v to %v", s.Class, s.Code, s.Service(), c.class, c.from, c.to)
			}
		})
	}
}

// protoset writes the description of the test service to a file.
func protoset(t testing.TB) string {
	t.Helper()
	file, err := desc.LoadFileDescriptor(testpb.File_grpc_testing_test_proto.Path())
	if err != nil {
		t.Fatal(err)
	}
	b, err := proto.Marshal(protoadapt.MessageV2Of(desc.ToFileDescriptorSet(file)))
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "test.protoset")
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestDescribe(t *testing.T) {
	t.Parallel()
	with := newGRPCTarget(t)
	lis := listen(t)
	srv := grpc.NewServer() // no reflection
	go func() { _ = srv.Serve(lis) }()
	defer srv.Stop()
	without, set := lis.Addr().String(), protoset(t)
	for _, c := range []struct{ addr, call, protoset, want string }{
		{with.addr, testService + "UnaryCall", "", ""},
		{without, testService + "UnaryCall", set, ""},
		{without, testService + "UnaryCall", "", "no reflection service; register one, or name a protoset"},
		{with.addr, testService + "UnaryCal", "", "has no method UnaryCal; it has EmptyCall, UnaryCall"},
		{with.addr, "grpc.testing.Nope/UnaryCall", "", "grpc.testing.Nope"},
		{without, testService + "UnaryCall", set + "x", "no such file"},
		{without, testService + "Nope", set, "Nope"},
		{"127.0.0.1:1", testService + "UnaryCall", "", "connection refused"},
	} {
		spec := Spec{Name: "l", GRPC: &GRPC{Call: c.call, Protoset: c.protoset}}
		_, err := spec.Engine(Env{Addrs: []string{c.addr}, Clock: evidence.NewClock()})
		if (err == nil) != (c.want == "") || (err != nil && !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", c.call, err, c.want)
		}
	}
	for call, want := range map[string]string{"UnaryCall": "is no stream", "StreamingOutputCall": "takes one message"} {
		spec := Spec{GRPC: &GRPC{Call: testService + call, Repeat: 2}}
		if _, err := spec.Engine(Env{Addrs: []string{with.addr}, Clock: evidence.NewClock()}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s repeated: %v", call, err)
		}
	}
	spec := unary()
	spec.GRPC.Data = map[string]any{"no_such_field": 1}
	if _, err := spec.Engine(Env{Addrs: []string{with.addr}, Clock: evidence.NewClock()}); err == nil || !strings.Contains(err.Error(), "no_such_field") {
		t.Errorf("a message with an unknown field: %v", err)
	}
}

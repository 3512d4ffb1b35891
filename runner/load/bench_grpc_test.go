package load

import (
	"context"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/bojand/ghz/runner"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	testpb "google.golang.org/grpc/interop/grpc_testing"

	"ordeal/runner/evidence"
)

// grpcClients is how many calls are in flight, as in ghz's own default.
const grpcClients = 50

// BenchmarkGRPCEngine is the cost of a call, the target's part of it included,
// beside that of the same call by a generated client and by ghz as it comes.
func BenchmarkGRPCEngine(b *testing.B) {
	b.Run("generated client", benchGeneratedClient)
	b.Run("ghz", func(b *testing.B) { benchGhz(b) })
	b.Run("ghz without templates", func(b *testing.B) {
		benchGhz(b, runner.WithDisableTemplateFuncs(true), runner.WithDisableTemplateData(true))
	})
	four := map[string]any{"response_parameters": []any{map[string]any{}, map[string]any{}, map[string]any{}, map[string]any{}}}
	for _, c := range []struct {
		name string
		grpc GRPC
	}{
		{"unary", GRPC{Call: testService + "UnaryCall"}},
		{"answer=1KiB", GRPC{Call: testService + "UnaryCall", Data: map[string]any{"response_size": 1 << 10}}},
		{"answer=64KiB", GRPC{Call: testService + "UnaryCall", Data: map[string]any{"response_size": 64 << 10}}},
		{"connections=4", GRPC{Call: testService + "UnaryCall", Connections: 4}},
		{"server-stream", GRPC{Call: testService + "StreamingOutputCall", Data: four}},
		{"bidi", GRPC{Call: testService + "FullDuplexCall", Repeat: 4}},
	} {
		b.Run(c.name, func(b *testing.B) { benchGRPCEngine(b, &c.grpc) })
	}
}

// onCPU starts the clock of a benchmark; the function returned stops it, and
// reports the processor time of a call, which a busy machine hardly changes.
func onCPU(b *testing.B) (stop func()) {
	used := func() int64 {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			b.Fatal(err)
		}
		return u.Utime.Nano() + u.Stime.Nano()
	}
	b.ReportAllocs()
	b.ResetTimer()
	before := used()
	return func() {
		b.StopTimer()
		b.ReportMetric(float64(used()-before)/float64(b.N), "cpu-ns/op")
	}
}

func benchGRPCEngine(b *testing.B, g *GRPC) {
	tg := newGRPCTarget(b)
	g.Protoset = protoset(b)
	spec := Spec{GRPC: g, Clients: grpcClients}
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	engine, err := spec.Engine(Env{Addrs: []string{tg.addr}, Clock: evidence.NewClock(), End: time.Hour})
	if err != nil {
		b.Fatal(err)
	}
	sink := &countdown{stop: cancel}
	sink.left.Store(int64(b.N))
	stop := onCPU(b)
	var run sync.WaitGroup
	run.Go(func() { err = engine.Run(ctx, 0, unpaced{}, sink) })
	<-ctx.Done()
	stop() // the end, for which ghz may take its time, is no part of a call
	run.Wait()
	if err != nil {
		b.Fatal(err)
	}
}

func benchGeneratedClient(b *testing.B) {
	tg := newGRPCTarget(b)
	conn, err := grpc.NewClient("passthrough:///"+tg.addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	client := testpb.NewTestServiceClient(conn)
	var left atomic.Int64
	left.Store(int64(b.N))
	defer onCPU(b)()
	var clients sync.WaitGroup
	for range grpcClients {
		clients.Go(func() {
			for left.Add(-1) >= 0 {
				ctx, cancel := context.WithTimeout(b.Context(), 5*time.Second)
				if _, err := client.UnaryCall(ctx, &testpb.SimpleRequest{}); err != nil {
					b.Error(err)
				}
				cancel()
			}
		})
	}
	clients.Wait()
}

func benchGhz(b *testing.B, options ...runner.Option) {
	tg := newGRPCTarget(b)
	config, err := runner.NewConfig(testService+"UnaryCall", tg.addr, append(options,
		runner.WithProtoset(protoset(b)), runner.WithInsecure(true), runner.WithDataFromJSON("{}"),
		runner.WithConcurrency(uint(min(b.N, grpcClients))), runner.WithTotalRequests(uint(b.N)))...)
	if err != nil {
		b.Fatal(err)
	}
	requester, err := runner.NewRequester(config)
	if err != nil {
		b.Fatal(err)
	}
	defer onCPU(b)()
	report, err := requester.Run()
	if err != nil || report.Count != uint64(b.N) {
		b.Fatal(err, report.Count)
	}
}

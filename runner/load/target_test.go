package load

import (
	"context"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/reflection"
)

// target is a server that can be told how to behave.
type target struct {
	addr  string
	name  string        // of itself in an answer to HTTP, "" for none
	calls atomic.Int64  // begun
	delay atomic.Int64  // ns before the answer; below zero: no answer
	until atomic.Int64  // ns of Unix time at which calls are answered that begin before
	gate  chan struct{} // closed when the test is over: lets go of every call
	kill  func()        // closes the listener and all connections
}

// serve waits as told; ctx is the call's.
func (t *target) serve(ctx context.Context) {
	t.calls.Add(1)
	d := time.Duration(t.delay.Load())
	if until := t.until.Load(); until > 0 {
		d = max(0, time.Until(time.Unix(0, until)))
	}
	if d == 0 {
		return
	}
	var after <-chan time.Time
	if d > 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		after = timer.C
	}
	select {
	case <-after:
	case <-ctx.Done():
	case <-t.gate:
	}
}

func newHTTPTarget(t testing.TB, handler http.Handler) *target {
	t.Helper()
	tg := &target{gate: make(chan struct{}), name: "replica-1"}
	if handler == nil {
		handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			tg.serve(r.Context())
			if tg.name != "" {
				w.Header().Set("X-Served-By", tg.name)
			}
			_, _ = w.Write([]byte("hello"))
		})
	}
	lis := listen(t)
	tg.addr = lis.Addr().String()
	srv := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
	ended := make(chan struct{})
	go func() { defer close(ended); _ = srv.Serve(lis) }()
	tg.kill = sync.OnceFunc(func() { _ = srv.Close(); <-ended })
	t.Cleanup(func() { close(tg.gate); tg.kill() })
	return tg
}

func listen(t testing.TB) net.Listener {
	t.Helper()
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return lis
}

// grpcService answers the four kinds of call.
type grpcService struct {
	testpb.UnimplementedTestServiceServer
	*target
}

func (s grpcService) UnaryCall(ctx context.Context, in *testpb.SimpleRequest) (*testpb.SimpleResponse, error) {
	s.serve(ctx)
	answer := &testpb.SimpleResponse{}
	if in.GetResponseSize() > 0 {
		answer.Payload = &testpb.Payload{Body: make([]byte, in.GetResponseSize())}
	}
	return answer, ctx.Err()
}

func (s grpcService) StreamingOutputCall(r *testpb.StreamingOutputCallRequest, out grpc.ServerStreamingServer[testpb.StreamingOutputCallResponse]) error {
	s.serve(out.Context())
	if err := out.Context().Err(); err != nil {
		return err
	}
	for range r.ResponseParameters {
		if err := out.Send(&testpb.StreamingOutputCallResponse{}); err != nil {
			return err
		}
	}
	if r.GetPayload().GetBody() != nil { // asked to stay open
		<-out.Context().Done()
		return out.Context().Err()
	}
	return nil
}

func (s grpcService) StreamingInputCall(in grpc.ClientStreamingServer[testpb.StreamingInputCallRequest, testpb.StreamingInputCallResponse]) error {
	s.serve(in.Context())
	if err := in.Context().Err(); err != nil {
		return err
	}
	var n int32
	for {
		if _, err := in.Recv(); err != nil {
			break
		}
		n++
	}
	return in.SendAndClose(&testpb.StreamingInputCallResponse{AggregatedPayloadSize: n})
}

func (s grpcService) FullDuplexCall(both grpc.BidiStreamingServer[testpb.StreamingOutputCallRequest, testpb.StreamingOutputCallResponse]) error {
	s.serve(both.Context())
	for {
		if _, err := both.Recv(); err != nil {
			return both.Context().Err()
		}
		if err := both.Send(&testpb.StreamingOutputCallResponse{}); err != nil {
			return err
		}
	}
}

func newGRPCTarget(t testing.TB, opts ...grpc.ServerOption) *target {
	t.Helper()
	tg := &target{gate: make(chan struct{})}
	tg.start(listen(t), opts...)
	t.Cleanup(func() { close(tg.gate); tg.kill() })
	return tg
}

func (t *target) start(lis net.Listener, opts ...grpc.ServerOption) {
	t.addr = lis.Addr().String()
	srv := grpc.NewServer(opts...)
	testpb.RegisterTestServiceServer(srv, grpcService{target: t})
	reflection.Register(srv)
	ended := make(chan struct{})
	go func() { defer close(ended); _ = srv.Serve(lis) }()
	t.kill = sync.OnceFunc(func() { srv.Stop(); <-ended })
}

// newSilentTarget takes connections, reads, and says nothing.
func newSilentTarget(t testing.TB) *target {
	t.Helper()
	tg := &target{gate: make(chan struct{})}
	tg.addr = handle(t, func(c net.Conn) {
		tg.calls.Add(1)
		_, _ = io.Copy(io.Discard, c)
	})
	return tg
}

package target

import (
	"context"
	"errors"
	"io"
	"net"
	"strconv"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/reflection"
	"google.golang.org/grpc/status"
)

// CallKey is the metadata that carries a call's number.
const CallKey = "x-call"

// window is the flow control window of a stream, fixed: how much of a message
// is accepted from a sender before the target receives it is then known.
const window = 64 << 10

// grpcTarget answers grpc.testing.TestService, one of whose methods is of each
// kind. The end of a call is the moment at which its answer is handed to the
// transport.
type grpcTarget struct {
	testpb.UnimplementedTestServiceServer
	log   *Log
	count bool
	done  chan struct{}
}

func (g *grpcTarget) serve(lis net.Listener) (stop func() error) {
	srv := grpc.NewServer(grpc.StaticStreamWindowSize(window), grpc.StaticConnWindowSize(64*window))
	testpb.RegisterTestServiceServer(srv, g)
	reflection.Register(srv)
	ended := make(chan error, 1)
	go func() { ended <- srv.Serve(lis) }()
	return func() error {
		close(g.done)
		timer := time.AfterFunc(2*time.Second, srv.Stop)
		defer timer.Stop()
		srv.GracefulStop()
		if err := <-ended; err != nil && !errors.Is(err, grpc.ErrServerStopped) {
			return err
		}
		return nil
	}
}

var errLetGo = status.Error(codes.Unavailable, "the target ends")

// begin logs a call that has arrived.
func (g *grpcTarget) begin(ctx context.Context) (*entry, Treatment, time.Duration) {
	at := g.log.clock.Now()
	n := unnumbered
	if v := metadata.ValueFromIncomingContext(ctx, CallKey); len(v) > 0 {
		if parsed, err := strconv.ParseUint(v[0], 10, 64); err == nil {
			n = parsed
		}
	}
	e, t := g.log.arrive(n, at)
	if e == nil {
		e = &entry{} // no room: counted, not kept
	}
	return e, t, at
}

// UnaryCall implements the service.
func (g *grpcTarget) UnaryCall(ctx context.Context, _ *testpb.SimpleRequest) (*testpb.SimpleResponse, error) {
	if g.count {
		g.log.nCalls.Add(1)
		return &testpb.SimpleResponse{}, nil
	}
	e, t, at := g.begin(ctx)
	if !hold(g.log.clock, at+t.Delay, g.done) {
		return nil, errLetGo
	}
	e.end(g.log.clock.Now(), Answered)
	return &testpb.SimpleResponse{}, nil
}

// StreamingOutputCall sends the messages that are asked for, each after the
// pause that is asked for and whatever the program adds. A message is handed
// over when Send is called.
func (g *grpcTarget) StreamingOutputCall(r *testpb.StreamingOutputCallRequest, out grpc.ServerStreamingServer[testpb.StreamingOutputCallResponse]) error {
	e, _, at := g.begin(out.Context())
	for i, p := range r.GetResponseParameters() {
		at += time.Duration(p.GetIntervalUs()) * time.Microsecond
		if !g.holdMessage(e.N, at) {
			return errLetGo
		}
		m := Message{Call: e.N, N: uint64(i), Handed: g.log.clock.Now()}
		if err := out.Send(&testpb.StreamingOutputCallResponse{}); err != nil {
			return err
		}
		g.log.message(m)
		at = m.Handed
	}
	e.end(g.log.clock.Now(), Answered)
	return nil
}

// holdMessage waits until a message is due and as long as the program holds it then.
func (g *grpcTarget) holdMessage(call uint64, due time.Duration) bool {
	if !hold(g.log.clock, due, g.done) {
		return false
	}
	now := g.log.clock.Now()
	return hold(g.log.clock, now+g.log.treat(call, now).Delay, g.done)
}

// StreamingInputCall receives messages. Before each, the program may hold it,
// so that senders run into flow control. A message is handed over when the
// target begins to receive it.
func (g *grpcTarget) StreamingInputCall(in grpc.ClientStreamingServer[testpb.StreamingInputCallRequest, testpb.StreamingInputCallResponse]) error {
	e, _, at := g.begin(in.Context())
	for i := uint64(0); ; i++ {
		if !g.holdMessage(e.N, at) {
			return errLetGo
		}
		m := Message{Call: e.N, N: i, Handed: g.log.clock.Now()}
		_, err := in.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		m.Arrived = g.log.clock.Now()
		g.log.message(m)
		at = m.Arrived
	}
	if !g.holdMessage(e.N, g.log.clock.Now()) {
		return errLetGo
	}
	e.end(g.log.clock.Now(), Answered)
	return in.SendAndClose(&testpb.StreamingInputCallResponse{})
}

// FullDuplexCall answers each message with one. A message is handed over when
// Send is called for its answer.
func (g *grpcTarget) FullDuplexCall(both grpc.BidiStreamingServer[testpb.StreamingOutputCallRequest, testpb.StreamingOutputCallResponse]) error {
	e, _, _ := g.begin(both.Context())
	for i := uint64(0); ; i++ {
		_, err := both.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		m := Message{Call: e.N, N: i, Arrived: g.log.clock.Now()}
		if !g.holdMessage(e.N, m.Arrived) {
			return errLetGo
		}
		m.Handed = g.log.clock.Now()
		if err := both.Send(&testpb.StreamingOutputCallResponse{}); err != nil {
			return err
		}
		g.log.message(m)
	}
	e.end(g.log.clock.Now(), Answered)
	return nil
}

package users

import (
	"context"
	"log/slog"
	"runtime/debug"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// interceptors stand around every call, the outermost first: metrics, recovery, the names of the instance and its release, the
// time limit, the work.
type interceptors struct {
	metrics  *metrics
	labour   *labour
	log      *slog.Logger
	identity metadata.MD
	timeout  time.Duration   // of unary calls; 0: none
	draining context.Context // ends when streams without an end of their own have to
}

func (i *interceptors) options() []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.ChainUnaryInterceptor(i.measureUnary, i.recoverUnary, i.serveUnary),
		grpc.ChainStreamInterceptor(i.measureStream, i.recoverStream, i.serveStream),
	}
}

func (i *interceptors) measureUnary(ctx context.Context, request any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	m := i.metrics.methods[info.FullMethod]
	start := time.Now()
	m.started.Inc()
	m.received.Inc()
	answer, err := next(ctx, request)
	if err == nil {
		m.sent.Inc()
	}
	m.end(start, err)
	return answer, err
}

func (i *interceptors) measureStream(server any, stream grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
	m := i.metrics.methods[info.FullMethod]
	start := time.Now()
	m.started.Inc()
	err := next(server, &countedStream{stream, m})
	m.end(start, err)
	return err
}

// countedStream counts its messages.
type countedStream struct {
	grpc.ServerStream
	metrics *methodMetrics
}

func (s *countedStream) RecvMsg(m any) error {
	err := s.ServerStream.RecvMsg(m)
	if err == nil {
		s.metrics.received.Inc()
	}
	return err
}

func (s *countedStream) SendMsg(m any) error {
	err := s.ServerStream.SendMsg(m)
	if err == nil {
		s.metrics.sent.Inc()
	}
	return err
}

func (i *interceptors) recoverUnary(ctx context.Context, request any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (_ any, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = i.panicked(ctx, info.FullMethod, r)
		}
	}()
	return next(ctx, request)
}

func (i *interceptors) recoverStream(server any, stream grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = i.panicked(stream.Context(), info.FullMethod, r)
		}
	}()
	return next(server, stream)
}

// panicked tells the log everything and the client nothing.
func (i *interceptors) panicked(ctx context.Context, method string, reason any) error {
	i.metrics.panics.Inc()
	i.log.ErrorContext(ctx, "a call panicked", "method", method, "reason", reason,
		"traceId", traceID(ctx), "stack", string(debug.Stack()))
	return status.Error(codes.Internal, "internal error")
}

// traceID is the trace id of the W3C traceparent header, "" without one.
func traceID(ctx context.Context) string {
	values := metadata.ValueFromIncomingContext(ctx, "traceparent")
	if len(values) == 0 {
		return ""
	}
	if parts := strings.Split(values[0], "-"); len(parts) >= 4 && len(parts[1]) == 32 {
		return parts[1]
	}
	return ""
}

func (i *interceptors) serveUnary(ctx context.Context, request any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	if err := grpc.SetHeader(ctx, i.identity); err != nil {
		return nil, err
	}
	if deadline, ok := ctx.Deadline(); i.timeout > 0 && (!ok || time.Until(deadline) > i.timeout) {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, i.timeout)
		defer cancel()
	}
	if err := i.labour.do(ctx, info.FullMethod); err != nil {
		return nil, status.FromContextError(err).Err()
	}
	return next(ctx, request)
}

func (i *interceptors) serveStream(server any, stream grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
	if err := stream.SetHeader(i.identity); err != nil {
		return err
	}
	if _, costs := i.labour.costs[info.FullMethod]; costs {
		stream = &labouringStream{stream, i.labour, info}
	}
	if info.FullMethod == healthv1.Health_Watch_FullMethodName {
		return i.endWhenDraining(server, stream, next)
	}
	return next(server, stream)
}

// endWhenDraining is for a handler that knows nothing of draining: one client that watches the health would
// hold up the stop for the whole of the drain timeout.
func (i *interceptors) endWhenDraining(server any, stream grpc.ServerStream, next grpc.StreamHandler) error {
	ctx, cancel := context.WithCancel(stream.Context())
	defer cancel()
	defer context.AfterFunc(i.draining, cancel)()
	err := next(server, &endingStream{stream, ctx})
	if i.draining.Err() != nil {
		return errStopping
	}
	return err
}

type endingStream struct {
	grpc.ServerStream
	ctx context.Context
}

func (s *endingStream) Context() context.Context { return s.ctx }

// labouringStream works for each message: a received one where the client streams, else a sent one.
type labouringStream struct {
	grpc.ServerStream
	labour *labour
	info   *grpc.StreamServerInfo
}

func (s *labouringStream) RecvMsg(m any) error {
	if err := s.ServerStream.RecvMsg(m); err != nil || !s.info.IsClientStream {
		return err
	}
	return s.work()
}

func (s *labouringStream) SendMsg(m any) error {
	if !s.info.IsClientStream {
		if err := s.work(); err != nil {
			return err
		}
	}
	return s.ServerStream.SendMsg(m)
}

func (s *labouringStream) work() error {
	if err := s.labour.do(s.Context(), s.info.FullMethod); err != nil {
		return status.FromContextError(err).Err()
	}
	return nil
}

package load

import (
	"strings"
	"time"

	"google.golang.org/grpc/balancer"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"ordeal/runner/evidence"
)

// judge says how an attempt ended.
func (r *grpcRun) judge(info balancer.DoneInfo, now time.Duration) outcome {
	o := outcome{known: true, at: now}
	o.class, o.code = classifyStatus(info.Err, info.BytesReceived)
	if info.Err != nil && r.ended.Load() && (o.code == codes.Canceled || o.class == evidence.Reset) {
		o.class = evidence.Timeout // ended with the run: no answer, as with a timeout
	}
	return o
}

// classifyStatus puts what gRPC says of a call's end into the closed set.
// answered tells whether anything came back on the stream: without that, the
// status is gRPC's own word for a connection that broke. With that, a broken
// connection still has the same code as a server's own UNAVAILABLE, and can be
// told from it by the text only.
func classifyStatus(err error, answered bool) (evidence.Class, codes.Code) {
	if err == nil {
		return evidence.OK, codes.OK
	}
	s := status.Convert(err)
	switch {
	case s.Code() == codes.OK:
		return evidence.OK, codes.OK
	case s.Code() == codes.DeadlineExceeded:
		return evidence.Timeout, s.Code()
	case brokenTransport(s.Message()):
		return evidence.Reset, s.Code()
	case answered:
		return evidence.GRPCStatus, s.Code()
	case s.Code() == codes.Unavailable, s.Code() == codes.Canceled:
		return evidence.Reset, s.Code()
	}
	return evidence.Other, s.Code()
}

// brokenTransport knows grpc-go's texts for a connection or a stream that ended early.
func brokenTransport(message string) bool {
	for _, start := range []string{
		"error reading from server", "connection error", "transport is closing", "closing transport", "the connection is draining",
		"stream terminated by RST_STREAM", "server closed the stream without sending trailers", "unexpected EOF",
	} {
		if strings.HasPrefix(message, start) {
			return true
		}
	}
	return false
}

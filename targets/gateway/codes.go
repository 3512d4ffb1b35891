package gateway

import (
	"errors"
	"net/http"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"ordeal/targets/breaker"
)

// The code of a body: 0 is success, otherwise the HTTP status times 100 and a number that tells cases apart.
const (
	codeOK              = 0
	codeMalformed       = 40000 // the body or query cannot be read
	codeInvalid         = 40001 // a field breaks a rule: data.fields says which
	codeRefused         = 40002 // the user service calls the request wrong
	codeNoToken         = 40100
	codeBadToken        = 40101
	codeExpiredToken    = 40102
	codeNoKey           = 40103 // this instance has no key to check tokens with
	codeUnauthenticated = 40104 // the user service wants to know who asks
	codeForbidden       = 40300
	codeNoRoute         = 40400
	codeNoUser          = 40401
	codeNoMethod        = 40500
	codeSlowBody        = 40800
	codeExists          = 40900
	codeMovedOn         = 40901
	codeTooLarge        = 41300
	codeTooMany         = 42900
	codeClientGone      = 49900
	codePanic           = 50000
	codeUnimplemented   = 50100
	codeUpstreamBroken  = 50200
	codeUpstreamDown    = 50300
	codeCircuitOpen     = 50301
	codeNotReady        = 50302 // the admin port's answer for what is not up
	codeTimeout         = 50400
)

// statusClientGone is what nginx logs for a client that went away: nobody receives it, but logs and metrics do.
const statusClientGone = 499

// Values of the X-Degraded header.
const (
	degradedCircuitOpen    = "circuit-open"
	degradedUpstreamFailed = "upstream-failed"
)

// A failure is an answer other than success.
type failure struct {
	status     int
	code       int
	message    string
	data       any
	retryAfter time.Duration // 0: no Retry-After
	degraded   string        // value of X-Degraded; empty: none
}

// failureOf is the one place where the outcome of a call to the user service becomes an HTTP answer.
func failureOf(err error) failure {
	var open *breaker.OpenError
	if errors.As(err, &open) {
		return failure{
			status: http.StatusServiceUnavailable, code: codeCircuitOpen,
			message: "the user service is failing and is left alone for now", degraded: degradedCircuitOpen,
			retryAfter: max(time.Second, time.Until(open.Until)),
		}
	}
	f := failure{message: status.Convert(err).Message()}
	switch code := status.Code(err); code {
	case codes.InvalidArgument, codes.OutOfRange, codes.FailedPrecondition:
		f.status, f.code = http.StatusBadRequest, codeRefused
	case codes.NotFound:
		f.status, f.code = http.StatusNotFound, codeNoUser
	case codes.AlreadyExists:
		f.status, f.code = http.StatusConflict, codeExists
	case codes.Aborted:
		f.status, f.code = http.StatusConflict, codeMovedOn
	case codes.Unauthenticated:
		f.status, f.code = http.StatusUnauthorized, codeUnauthenticated
	case codes.PermissionDenied:
		f.status, f.code = http.StatusForbidden, codeForbidden
	case codes.Unimplemented:
		f.status, f.code, f.message = http.StatusNotImplemented, codeUnimplemented, "the user service cannot do this"
	case codes.Canceled:
		f.status, f.code, f.message = statusClientGone, codeClientGone, "the client went away"
	case codes.DeadlineExceeded:
		f.status, f.code, f.message = http.StatusGatewayTimeout, codeTimeout, "the user service did not answer in time"
	case codes.Unavailable, codes.ResourceExhausted:
		f.status, f.code, f.message = http.StatusServiceUnavailable, codeUpstreamDown, "the user service is not available"
		f.retryAfter = time.Second
	default:
		f.status, f.code, f.message = http.StatusBadGateway, codeUpstreamBroken, "the user service failed"
	}
	if speaksAgainstUpstream(err) {
		f.degraded = degradedUpstreamFailed
	}
	return f
}

// speaksAgainstUpstream reports whether the error is the upstream's or the way's to it, and not the request's.
// These are what the breaker counts as failed, and what a fallback answers.
func speaksAgainstUpstream(err error) bool {
	switch status.Code(err) {
	case codes.DeadlineExceeded, codes.Unavailable, codes.Internal, codes.ResourceExhausted, codes.Unknown, codes.DataLoss:
		return true
	}
	return false
}

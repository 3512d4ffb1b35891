package load

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"syscall"

	"ordeal/runner/evidence"
)

// classify puts the error of a connection or a request into the closed set of
// classes. The error itself is not kept: its text has ports and addresses in
// it, and a set of texts grows with the run.
func classify(err error) evidence.Class {
	var netErr net.Error
	var dns *net.DNSError
	var op *net.OpError
	switch {
	case err == nil:
		return evidence.OK
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled), errors.Is(err, os.ErrDeadlineExceeded):
		// Cancelled calls are those that were ended with the run: no answer, as with a timeout.
		return evidence.Timeout
	case errors.As(err, &dns):
		return evidence.Other
	case errors.As(err, &netErr) && netErr.Timeout():
		return evidence.Timeout
	case exhausted(err):
		return evidence.Other
	case errors.Is(err, syscall.ECONNREFUSED):
		return evidence.Refused
	case errors.As(err, &op) && op.Op == "dial":
		return evidence.Refused
	case broken(err):
		return evidence.Reset
	}
	return evidence.Other
}

// exhausted reports whether the generator itself has run out of something:
// no fault of the target's.
func exhausted(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) || errors.Is(err, syscall.EADDRNOTAVAIL)
}

// broken reports whether a connection that was there ended in the middle of a call.
func broken(err error) bool {
	if errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.ECONNABORTED) || errors.Is(err, syscall.EPIPE) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) {
		return true
	}
	// net/http has these two without a value to compare with.
	for ; err != nil; err = errors.Unwrap(err) {
		switch err.Error() {
		case "http: server closed idle connection", "http: can't write HTTP request on broken connection":
			return true
		}
	}
	return false
}

// classOf is the class of an HTTP answer. Redirects are answers of success:
// they are not followed.
func classOf(status int) evidence.Class {
	switch {
	case status >= 500:
		return evidence.HTTP5xx
	case status >= 400:
		return evidence.HTTP4xx
	}
	return evidence.OK
}

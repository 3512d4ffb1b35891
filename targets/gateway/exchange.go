package gateway

import (
	"context"
	"encoding/hex"
	"math/rand/v2"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"
	"google.golang.org/grpc/metadata"
)

// exchange is what a request carries along besides its deadline: who it is, and what became of it.
type exchange struct {
	requestID     string
	trace         traceContext
	subject       string // of a valid token
	authorization string // as received, once it was found valid
	degraded      string // value of X-Degraded, for log and metrics
}

type exchangeKey struct{}

// exchangeOf returns the request's exchange. Outside of a request it is an empty one.
func exchangeOf(ctx context.Context) *exchange {
	if x, ok := ctx.Value(exchangeKey{}).(*exchange); ok {
		return x
	}
	return &exchange{}
}

// identify gives the request its ids: the request id, taken from the client when it is a plain one, and the
// place in a W3C trace. Both go on to the user service. X-Served-By and X-Version say who answers.
func identify(instance, version string) gin.HandlerFunc {
	servedBy, release := []string{instance}, []string{version}
	return func(c *gin.Context) {
		x := &exchange{requestID: c.GetHeader("X-Request-Id"), trace: continueTrace(c.Request.Header)}
		if !isToken(x.requestID, 64) {
			x.requestID = randomHex(16)
		}
		h := c.Writer.Header()
		h["X-Served-By"] = servedBy
		if version != "" {
			h["X-Version"] = release
		}
		h["X-Request-Id"] = []string{x.requestID}
		c.Request = c.Request.WithContext(context.WithValue(c.Request.Context(), exchangeKey{}, x))
		c.Next()
	}
}

// outgoing returns a context for a call to the user service with the request's ids and credentials.
func (x *exchange) outgoing(ctx context.Context) context.Context {
	pairs := make([]string, 0, 10)
	if x.requestID != "" {
		pairs = append(pairs, "x-request-id", x.requestID, "traceparent", x.trace.parent())
	}
	if x.trace.state != "" {
		pairs = append(pairs, "tracestate", x.trace.state)
	}
	if x.authorization != "" {
		pairs = append(pairs, "authorization", x.authorization, "x-user-id", x.subject)
	}
	return metadata.AppendToOutgoingContext(ctx, pairs...)
}

// traceContext is a place in a trace, as in W3C Trace Context level 1 (https://www.w3.org/TR/trace-context/).
type traceContext struct {
	traceID string // 32 hex digits
	spanID  string // 16 hex digits: this gateway's part of the request
	flags   string // 2 hex digits
	state   string // vendors' own data, passed on as it came
}

func (t traceContext) parent() string { return "00-" + t.traceID + "-" + t.spanID + "-" + t.flags }

// continueTrace joins the caller's trace as a new span, or begins a trace when there is none that can be read.
func continueTrace(h map[string][]string) traceContext {
	t := traceContext{spanID: randomHex(8)}
	if parents := h["Traceparent"]; len(parents) == 1 {
		var ok bool
		if t.traceID, t.flags, ok = parseTraceparent(parents[0]); ok {
			if state := strings.Join(h["Tracestate"], ","); len(state) <= 512 && isPrintable(state) {
				t.state = state
			}
			return t
		}
	}
	t.traceID, t.flags = randomHex(16), "00" // not sampled: nothing here records spans
	return t
}

// parseTraceparent reads version-traceid-parentid-flags. A version from the future may have more fields.
func parseTraceparent(s string) (traceID, flags string, ok bool) {
	if len(s) < 55 || s[2] != '-' || s[35] != '-' || s[52] != '-' {
		return "", "", false
	}
	version, traceID, parent, flags := s[:2], s[3:35], s[36:52], s[53:55]
	if !isHex(version) || version == "ff" || !isHex(traceID) || !isHex(parent) || !isHex(flags) {
		return "", "", false
	}
	if len(s) > 55 && (version == "00" || s[55] != '-') {
		return "", "", false
	}
	if strings.Trim(traceID, "0") == "" || strings.Trim(parent, "0") == "" {
		return "", "", false
	}
	if version != "00" { // of an unknown version only the sampled bit is known
		bits, _ := strconv.ParseUint(flags, 16, 8) // cannot fail: two hex digits
		flags = "0" + strconv.FormatUint(bits&1, 10)
	}
	return traceID, flags, true
}

func isHex(s string) bool {
	for i := range len(s) {
		if b := s[i]; (b < '0' || b > '9') && (b < 'a' || b > 'f') {
			return false
		}
	}
	return true
}

func isPrintable(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] > 0x7e {
			return false
		}
	}
	return true
}

// randomHex returns n random bytes, n ≤ 16, as hex, never all zero. Ids need to be distinct, not secret.
func randomHex(n int) string {
	var raw [16]byte
	var text [32]byte
	for i := 0; i < n; i += 8 {
		v := rand.Uint64() | 1
		for j := range 8 {
			raw[i+j] = byte(v >> (8 * j))
		}
	}
	hex.Encode(text[:], raw[:n])
	return string(text[:2*n])
}

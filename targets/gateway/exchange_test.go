package gateway

import (
	"context"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"google.golang.org/grpc/metadata"
)

const (
	traceID = "0af7651916cd43dd8448eb211c80319c"
	parent  = "b7ad6b7169203331"
)

func TestTraceContinuesOnlyWhatIsValid(t *testing.T) {
	for _, c := range []struct {
		name, header string
		joined       bool
		flags        string
	}{
		{"sampled", "00-" + traceID + "-" + parent + "-01", true, "01"},
		{"not sampled", "00-" + traceID + "-" + parent + "-00", true, "00"},
		{"later version", "01-" + traceID + "-" + parent + "-01", true, "01"},
		{"later version, more fields and flags", "cc-" + traceID + "-" + parent + "-0f-what-comes", true, "01"},
		{"later version, unsampled", "cc-" + traceID + "-" + parent + "-fe", true, "00"},
		{"none", "", false, "00"},
		{"version 00 with more", "00-" + traceID + "-" + parent + "-01-x", false, "00"},
		{"later version, no dash", "cc-" + traceID + "-" + parent + "-01x", false, "00"},
		{"version ff", "ff-" + traceID + "-" + parent + "-01", false, "00"},
		{"capitals", "00-" + strings.ToUpper(traceID) + "-" + parent + "-01", false, "00"},
		{"zero trace", "00-" + strings.Repeat("0", 32) + "-" + parent + "-01", false, "00"},
		{"zero parent", "00-" + traceID + "-" + strings.Repeat("0", 16) + "-01", false, "00"},
		{"short", "00-" + traceID[1:] + "-" + parent + "-01", false, "00"},
		{"not hex", "00-" + traceID[1:] + "g-" + parent + "-01", false, "00"},
	} {
		got := continueTrace(http.Header{"Traceparent": {c.header}, "Tracestate": {"a=1", "b=2"}})
		if joined := got.traceID == traceID; joined != c.joined || got.flags != c.flags {
			t.Errorf("%s: %+v, want joined %v, flags %s", c.name, got, c.joined, c.flags)
		}
		if want := map[bool]string{true: "a=1,b=2"}[c.joined]; got.state != want {
			t.Errorf("%s: tracestate %q, want %q", c.name, got.state, want)
		}
		if !regexp.MustCompile(`^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$`).MatchString(got.parent()) || got.spanID == parent {
			t.Errorf("%s: passes on %s", c.name, got.parent())
		}
	}
	if got := continueTrace(http.Header{"Traceparent": {"00-" + traceID + "-" + parent + "-01", "00-" + traceID + "-" + parent + "-01"}}); got.traceID == traceID {
		t.Error("two traceparent headers were taken as one")
	}
}

func FuzzTraceparent(f *testing.F) {
	f.Add("00-" + traceID + "-" + parent + "-01")
	f.Add("cc-" + traceID + "-" + parent + "-0f-more")
	valid := regexp.MustCompile(`^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$`)
	f.Fuzz(func(t *testing.T, header string) {
		if got := continueTrace(http.Header{"Traceparent": {header}}).parent(); !valid.MatchString(got) {
			t.Errorf("%q makes the traceparent %q", header, got)
		}
	})
}

// The trace and the request id go to the user service and to the log.
func TestTraceTravels(t *testing.T) {
	users := startUsers(t, "127.0.0.1:0")
	in := start(t, users.addr)
	seen := make(chan metadata.MD, 1)
	users.on(func(ctx context.Context, _ string) error {
		md, _ := metadata.FromIncomingContext(ctx)
		seen <- md
		return nil
	})
	a := in.get("/api/v1/users/42", "traceparent", "00-"+traceID+"-"+parent+"-01", "tracestate", "a=1", "X-Request-Id", "mine-1")
	md := <-seen
	got := strings.Join(md["traceparent"], " ")
	if !strings.HasPrefix(got, "00-"+traceID+"-") || !strings.HasSuffix(got, "-01") || strings.Contains(got, parent) {
		t.Errorf("traceparent upstream is %q: want the same trace, another span", got)
	}
	if strings.Join(md["tracestate"], " ") != "a=1" || strings.Join(md["x-request-id"], " ") != "mine-1" || a.Header.Get("X-Request-Id") != "mine-1" {
		t.Errorf("upstream metadata %v, X-Request-Id %q", md, a.Header.Get("X-Request-Id"))
	}
	eventually(t, "the request is in the log", func() bool { return len(in.log.with(t, "request")) == 1 })
	r := in.log.with(t, "request")[0]
	for key, want := range map[string]any{
		"trace_id": traceID, "span_id": strings.Split(got, "-")[2], "request_id": "mine-1", "service": "gateway", "instance": "g1",
		"method": "GET", "route": "/api/v1/users/:id", "path": "/api/v1/users/42", "status": 200.0, "bytes": float64(len(a.raw)),
	} {
		if r[key] != want {
			t.Errorf("log has %s %v, want %v", key, r[key], want)
		}
	}
}

// What a client makes up as a request id is not repeated unless it is harmless.
func TestRequestIDIsChecked(t *testing.T) {
	in := start(t, "")
	for _, id := range []string{"", "a b", "<script>", strings.Repeat("x", 65)} {
		if got := in.get("/nowhere", "X-Request-Id", id).Header.Get("X-Request-Id"); got == id || !isToken(got, 64) {
			t.Errorf("request id %q is answered with %q", id, got)
		}
	}
}

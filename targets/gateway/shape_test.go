package gateway

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"google.golang.org/grpc/codes"
)

func TestUsersRoundTrip(t *testing.T) {
	in := start(t, startUsers(t, "127.0.0.1:0").addr)
	created := in.write("POST", "/api/v1/users", `{"id":"7","name":"Grace","age":45,"email":"g@example.org","city":"Arlington"}`)
	if created.StatusCode != 201 || created.Code != 0 || created.Header.Get("Location") != "/api/v1/users/7" {
		t.Fatalf("create: %d, Location %q, %s", created.StatusCode, created.Header.Get("Location"), created.raw)
	}
	const grace = `{"id":"7","name":"Grace","age":45,"email":"g@example.org","city":"Arlington"}`
	if a := in.get("/api/v1/users/7"); a.StatusCode != 200 || string(a.Data) != grace || a.Message != "ok" {
		t.Errorf("get: %d %s", a.StatusCode, a.raw)
	}
	if a := in.write("PUT", "/api/v1/users/7", `{"name":"Hopper"}`); a.StatusCode != 200 || string(a.Data) != `{"id":"7","name":"Hopper","age":0}` {
		t.Errorf("update: %d %s", a.StatusCode, a.raw)
	}
	if a := in.get("/api/v1/users?page_size=1"); string(a.Data) != `{"users":[{"id":"42","name":"Ada","age":36}],"next_page_token":"more"}` {
		t.Errorf("list: %s", a.raw)
	}
	if a := in.write("DELETE", "/api/v1/users/7", ""); a.StatusCode != 200 || string(a.Data) != "null" {
		t.Errorf("delete: %d %s", a.StatusCode, a.raw)
	}
	if a := in.get("/api/v1/users/7"); a.StatusCode != 404 || a.Code != codeNoUser || a.Header.Get("X-Degraded") != "" {
		t.Errorf("get after delete: %d, X-Degraded %q, %s", a.StatusCode, a.Header.Get("X-Degraded"), a.raw)
	}
}

func TestEveryErrorHasTheOneShape(t *testing.T) {
	in := startWith(t, startUsers(t, "127.0.0.1:0").addr, func(s *Server) {
		s.engine.GET("/panics", func(*gin.Context) { panic("on purpose") })
	})
	long := strings.Repeat("x", 101)
	for _, c := range []struct {
		method, path, body string
		status, code       int
		contains           string
	}{
		{"GET", "/nowhere", "", 404, codeNoRoute, ""},
		{"GET", "/api/v1/users/", "", 404, codeNoRoute, ""},
		{"GET", "/api/v1/users/absent", "", 404, codeNoUser, "absent"},
		{"PATCH", "/api/v1/users/42", "", 405, codeNoMethod, ""},
		{"GET", "/panics", "", 500, codePanic, ""},
		{"GET", "/api/v1/users/4%202", "", 400, codeInvalid, `{"field":"id","rule":"token"}`},
		{"GET", "/api/v1/users?page_size=-1", "", 400, codeInvalid, `{"field":"page_size","rule":"min","param":"0"}`},
		{"GET", "/api/v1/users?page_size=many", "", 400, codeMalformed, "many"},
		{"POST", "/api/v1/users", "", 400, codeMalformed, "empty"},
		{"POST", "/api/v1/users", `{"name":`, 400, codeMalformed, "too early"},
		{"POST", "/api/v1/users", `{"name"=1}`, 400, codeMalformed, "at byte 8"},
		{"POST", "/api/v1/users", `[]`, 400, codeMalformed, "not a JSON object"},
		{"POST", "/api/v1/users", `{"name":"a"}{}`, 400, codeMalformed, "more after"},
		{"POST", "/api/v1/users", `{}`, 400, codeInvalid, `{"field":"name","rule":"required"}`},
		{"POST", "/api/v1/users", `{"name":"` + long + `","age":151}`, 400, codeInvalid,
			`[{"field":"name","rule":"max","param":"100"},{"field":"age","rule":"max","param":"150"}]`},
		{"POST", "/api/v1/users", `{"name":"a","email":"nobody"}`, 400, codeInvalid, `{"field":"email","rule":"email"}`},
		{"POST", "/api/v1/users", `{"name":"a","age":"old"}`, 400, codeInvalid, `{"field":"age","rule":"type","param":"int32"}`},
		{"POST", "/api/v1/users", `{"name":"a","nick":"b"}`, 400, codeInvalid, `{"field":"nick","rule":"unknown"}`},
		{"POST", "/api/v1/users", `{"id":"a/b","name":"a"}`, 400, codeInvalid, `{"field":"id","rule":"token"}`},
		{"POST", "/api/v1/users", `{"name":"` + strings.Repeat("x", maxBody) + `"}`, 413, codeTooLarge, "65536"},
		{"POST", "/api/v1/users", `{"id":"42","name":"a"}`, 409, codeExists, ""},
		{"PUT", "/api/v1/users/42", `{"name":"a","revision":9}`, 409, codeMovedOn, ""},
		{"PUT", "/api/v1/users/absent", `{"name":"a"}`, 404, codeNoUser, ""},
		{"DELETE", "/api/v1/users/absent", "", 404, codeNoUser, ""},
	} {
		a := in.write(c.method, c.path, c.body)
		if a.StatusCode != c.status || a.Code != c.code || !strings.Contains(a.raw, c.contains) {
			t.Errorf("%s %s %.40s: %d %s\nwant status %d, code %d, %s", c.method, c.path, c.body, a.StatusCode, a.raw, c.status, c.code, c.contains)
		}
		if a.Header.Get("X-Served-By") != "g1" || a.Header.Get("X-Request-Id") == "" {
			t.Errorf("%s %s: X-Served-By %q, X-Request-Id %q", c.method, c.path, a.Header.Get("X-Served-By"), a.Header.Get("X-Request-Id"))
		}
		if c.status == 405 && !strings.Contains(a.Header.Get("Allow"), "DELETE") {
			t.Errorf("405 with Allow %q", a.Header.Get("Allow"))
		}
	}
}

// A panic is counted and logged with its trace, and the instance goes on.
func TestPanicIsTold(t *testing.T) {
	in := startWith(t, "", func(s *Server) {
		s.engine.GET("/panics", func(*gin.Context) { panic("on purpose") })
	})
	const trace = "0af7651916cd43dd8448eb211c80319c"
	in.get("/panics", "traceparent", "00-"+trace+"-b7ad6b7169203331-01")
	eventually(t, "the panic is in the log", func() bool { return len(in.log.with(t, "panic")) == 1 })
	p := in.log.with(t, "panic")[0]
	if p["trace_id"] != trace || p["cause"] != "on purpose" || !strings.Contains(fmt.Sprint(p["stack"]), "shape_test.go") {
		t.Errorf("panic logged as %v", p)
	}
	if r := in.log.with(t, "request"); len(r) != 1 || r[0]["status"] != 500.0 {
		t.Errorf("request logged as %v, want one with status 500", r)
	}
	for series, want := range map[string]float64{
		`http_panics_total`: 1, `http_requests_in_flight`: 0,
		`http_requests_total{code="500",method="GET",route="/panics"}`: 1,
	} {
		if got := in.metric(series); got != want {
			t.Errorf("%s is %v, want %v", series, got, want)
		}
	}
}

func TestUpstreamStatusBecomesHTTP(t *testing.T) {
	users := startUsers(t, "127.0.0.1:0")
	in := start(t, users.addr, "--fallback=off", "--breaker=off", "--retry=off")
	for _, c := range []struct {
		grpc         codes.Code
		status, code int
		degraded     string
	}{
		{codes.InvalidArgument, 400, codeRefused, ""},
		{codes.OutOfRange, 400, codeRefused, ""},
		{codes.FailedPrecondition, 400, codeRefused, ""},
		{codes.NotFound, 404, codeNoUser, ""},
		{codes.AlreadyExists, 409, codeExists, ""},
		{codes.Aborted, 409, codeMovedOn, ""},
		{codes.Unauthenticated, 401, codeUnauthenticated, ""},
		{codes.PermissionDenied, 403, codeForbidden, ""},
		{codes.Unimplemented, 501, codeUnimplemented, ""},
		{codes.Internal, 502, codeUpstreamBroken, "upstream-failed"},
		{codes.Unknown, 502, codeUpstreamBroken, "upstream-failed"},
		{codes.DataLoss, 502, codeUpstreamBroken, "upstream-failed"},
		{codes.Unavailable, 503, codeUpstreamDown, "upstream-failed"},
		{codes.Canceled, 503, codeUpstreamDown, "upstream-failed"}, // nobody here cancelled
		{codes.ResourceExhausted, 503, codeUpstreamDown, "upstream-failed"},
		{codes.DeadlineExceeded, 504, codeTimeout, "upstream-failed"},
	} {
		users.failWith(c.grpc)
		a := in.get("/api/v1/users/42")
		if a.StatusCode != c.status || a.Code != c.code || a.Header.Get("X-Degraded") != c.degraded {
			t.Errorf("%v: status %d, X-Degraded %q, %s; want %d, %q, code %d",
				c.grpc, a.StatusCode, a.Header.Get("X-Degraded"), a.raw, c.status, c.degraded, c.code)
		}
		if c.status >= 500 && strings.Contains(a.Message, "as told") {
			t.Errorf("%v: the upstream's own words %q are shown", c.grpc, a.Message)
		}
	}
}

// The upstream sees the smaller of what is left of the request and the call deadline, and an answer still comes.
func TestDeadlineReachesTheUpstream(t *testing.T) {
	for _, c := range []struct {
		name, request, call string
		atMost              time.Duration
	}{
		{"request", "--request-timeout=300ms", "--call-deadline=1h", 300 * time.Millisecond},
		{"call", "--request-timeout=1h", "--call-deadline=250ms", 250 * time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			users := startUsers(t, "127.0.0.1:0")
			left := make(chan time.Duration, 1)
			users.on(func(ctx context.Context, _ string) error {
				end, ok := ctx.Deadline()
				if !ok {
					end = time.Now().Add(time.Hour)
				}
				select {
				case left <- time.Until(end):
				default:
				}
				<-ctx.Done()
				return ctx.Err()
			})
			in := start(t, users.addr, c.request, c.call, "--fallback=off", "--breaker=off")
			var a answer
			eventually(t, "a call arrives", func() bool { // one that connects too slowly does not
				a = in.get("/api/v1/users/42")
				return len(left) > 0
			})
			if a.StatusCode != http.StatusGatewayTimeout || a.Code != codeTimeout || a.Header.Get("X-Degraded") != "upstream-failed" {
				t.Errorf("status %d, X-Degraded %q, %s: want 504 from the upstream", a.StatusCode, a.Header.Get("X-Degraded"), a.raw)
			}
			if got := <-left; got <= 0 || got > c.atMost {
				t.Errorf("the upstream has %v left, want at most %v", got, c.atMost)
			}
		})
	}
}

// A handler that gives up at its deadline without a word is answered for.
func TestSilentHandlerIsAnsweredFor(t *testing.T) {
	in := startWith(t, "", func(s *Server) {
		s.engine.GET("/silent", deadline(20*time.Millisecond, newResponder(true, s.log)), func(c *gin.Context) {
			<-c.Request.Context().Done()
		})
	})
	if a := in.get("/silent"); a.StatusCode != 504 || a.Code != codeTimeout {
		t.Errorf("status %d, %s: want 504", a.StatusCode, a.raw)
	}
}

package gateway

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
)

func TestBreakerOpensAndSheds(t *testing.T) {
	for _, fallback := range []string{"on", "off"} {
		t.Run("fallback "+fallback, func(t *testing.T) {
			users := startUsers(t, "127.0.0.1:0")
			in := start(t, users.addr, "--retry=off", "--breaker-open=1h", "--fallback="+fallback)
			expect := func(what string, a answer, status, code int, degraded, data string) {
				t.Helper()
				if fallback == "on" && degraded != "" {
					status, code, data = 200, codeOK, `{"id":"42","name":"unknown","age":0}`
				}
				if a.StatusCode != status || a.Code != code || a.Header.Get("X-Degraded") != degraded || string(a.Data) != data {
					t.Errorf("%s: %d, X-Degraded %q, %s; want %d, %q, code %d, data %s",
						what, a.StatusCode, a.Header.Get("X-Degraded"), a.raw, status, degraded, code, data)
				}
			}
			const user = "/api/v1/users/42"
			users.failWith(codes.Internal)
			for i := range 10 {
				expect(fmt.Sprint("failing call ", i+1), in.get(user), 502, codeUpstreamBroken, "upstream-failed", "null")
			}
			if got := users.arrivals.Load(); got != 10 {
				t.Fatalf("%d calls arrived before the breaker opened, want 10", got)
			}
			for range 3 {
				a := in.get(user)
				expect("while open", a, 503, codeCircuitOpen, "circuit-open", "null")
				if fallback == "off" && a.Header.Get("Retry-After") != "3600" {
					t.Errorf("Retry-After %q while open, want 3600", a.Header.Get("Retry-After"))
				}
			}
			if list := in.get("/api/v1/users"); fallback == "on" && string(list.Data) != `{"users":[],"next_page_token":""}` ||
				list.Header.Get("X-Degraded") != "circuit-open" || list.StatusCode != map[string]int{"on": 200, "off": 503}[fallback] {
				t.Errorf("list while open: %d, X-Degraded %q, %s", list.StatusCode, list.Header.Get("X-Degraded"), list.raw)
			}
			write := in.write("POST", "/api/v1/users", `{"name":"a"}`)
			if write.StatusCode != 503 || write.Code != codeCircuitOpen || write.Header.Get("X-Degraded") != "circuit-open" {
				t.Errorf("writing while open: %d %s, want 503 whatever the fallback", write.StatusCode, write.raw)
			}
			if got := users.arrivals.Load(); got != 10 {
				t.Errorf("%d calls arrived while open", got-10)
			}
			for series, want := range map[string]float64{
				`breaker_state{breaker="users"}`:                                              1,
				`breaker_calls_total{breaker="users",result="failure"}`:                       10,
				`breaker_calls_total{breaker="users",result="rejected"}`:                      5,
				`breaker_transitions_total{breaker="users",from="closed",to="open"}`:          1,
				`gateway_upstream_attempts_total{method="GetUser",result="Internal"}`:         10,
				`gateway_upstream_attempts_total{method="GetUser",result="rejected"}`:         3,
				`gateway_degraded_total{reason="circuit-open"}`:                               5,
				`gateway_degraded_total{reason="upstream-failed"}`:                            10,
				`http_requests_total{code="503",method="POST",route="/api/v1/users"}`:         1,
				`http_request_duration_seconds_count{method="GET",route="/api/v1/users/:id"}`: 13,
			} {
				if got := in.metric(series); got != want {
					t.Errorf("%s is %v, want %v", series, got, want)
				}
			}
		})
	}
}

func TestBreakerClosesAgain(t *testing.T) {
	users := startUsers(t, "127.0.0.1:0")
	in := start(t, users.addr, "--breaker-open=50ms")
	users.failWith(codes.Internal)
	eventually(t, "the breaker opens", func() bool {
		return in.get("/api/v1/users/42").Header.Get("X-Degraded") == "circuit-open"
	})
	users.on(nil)
	eventually(t, "a real answer again", func() bool { return in.get("/api/v1/users/42").Header.Get("X-Degraded") == "" })
	for series, want := range map[string]float64{
		`breaker_state{breaker="users"}`:                                          0,
		`breaker_transitions_total{breaker="users",from="half-open",to="closed"}`: 1,
	} {
		if got := in.metric(series); got != want {
			t.Errorf("%s is %v, want %v", series, got, want)
		}
	}
}

// What the client did wrong, or gave up, does not open the breaker; and without a breaker nothing does.
func TestBreakerStaysClosed(t *testing.T) {
	for _, code := range []codes.Code{codes.NotFound, codes.InvalidArgument, codes.AlreadyExists, codes.PermissionDenied} {
		t.Run(code.String(), func(t *testing.T) {
			users := startUsers(t, "127.0.0.1:0")
			in := start(t, users.addr)
			users.failWith(code)
			for range 25 {
				in.get("/api/v1/users/42")
			}
			if got := users.arrivals.Load(); got != 25 {
				t.Errorf("%d of 25 calls arrived", got)
			}
		})
	}
	t.Run("clients that leave", func(t *testing.T) {
		users := startUsers(t, "127.0.0.1:0")
		in := start(t, users.addr, "--call-deadline=1m", "--request-timeout=1m")
		arrived := make(chan struct{})
		users.on(func(ctx context.Context, _ string) error {
			arrived <- struct{}{}
			<-ctx.Done()
			return ctx.Err()
		})
		for range 15 {
			ctx, leave := context.WithCancel(context.Background())
			gone := make(chan struct{})
			go func() {
				defer close(gone)
				r, _ := http.NewRequestWithContext(ctx, http.MethodGet, in.url+"/api/v1/users/42", nil)
				if resp, err := http.DefaultClient.Do(r); err == nil {
					_ = resp.Body.Close()
					t.Error("an answer to a client that left")
				}
			}()
			<-arrived
			leave()
			<-gone
		}
		eventually(t, "15 ignored calls", func() bool {
			return in.metric(`breaker_calls_total{breaker="users",result="ignored"}`) == 15
		})
		eventually(t, "15 requests logged as 499", func() bool {
			return in.metric(`http_requests_total{code="499",method="GET",route="/api/v1/users/:id"}`) == 15
		})
	})
	t.Run("breaker off", func(t *testing.T) {
		users := startUsers(t, "127.0.0.1:0")
		in := start(t, users.addr, "--breaker=off")
		users.failWith(codes.Internal)
		for range 25 {
			in.get("/api/v1/users/42")
		}
		if got := users.arrivals.Load(); got != 25 {
			t.Errorf("%d of 25 calls arrived with the breaker off", got)
		}
		if _, text := in.ask("/metrics"); strings.Contains(text, "breaker_") {
			t.Error("a breaker that is off has metrics")
		}
	})
}

// The attempt that opens the breaker is the request's last.
func TestNoRetryOnAnOpenBreaker(t *testing.T) {
	users := startUsers(t, "127.0.0.1:0")
	in := start(t, users.addr, "--retry-max=10", "--retry-backoff=1ms", "--breaker-window=4", "--fallback=off")
	users.failWith(codes.Unavailable)
	a := in.get("/api/v1/users/42")
	if got := users.arrivals.Load(); got != 4 || a.Code != codeUpstreamDown || a.Header.Get("X-Degraded") != "upstream-failed" {
		t.Errorf("%d arrivals, X-Degraded %q, %s: want 4, and the failed call's answer", got, a.Header.Get("X-Degraded"), a.raw)
	}
	if got := in.metric(`breaker_calls_total{breaker="users",result="rejected"}`); got != 0 {
		t.Errorf("%v retries were sent to the open breaker", got)
	}
}

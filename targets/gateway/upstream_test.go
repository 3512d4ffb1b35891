package gateway

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"ordeal/targets/tuning"
)

// failFirst answers the first n calls with code, and the rest properly.
func failFirst(users *userService, n int64, code codes.Code) {
	var calls atomic.Int64
	users.on(func(context.Context, string) error {
		if calls.Add(1) <= n {
			return status.Error(code, "as told")
		}
		return nil
	})
}

func TestRetriesOnlyWhatMayBeRepeated(t *testing.T) {
	const user, name = "/api/v1/users/42", `{"name":"a"}`
	for _, c := range []struct {
		name, method, path, body string
		failures                 int64
		code                     codes.Code
		settings                 []string
		arrivals                 int64
		status                   int
	}{
		{"get", "GET", user, "", 2, codes.Unavailable, nil, 3, 200},
		{"list", "GET", "/api/v1/users", "", 1, codes.Unavailable, nil, 2, 200},
		{"put", "PUT", user, name, 1, codes.Unavailable, nil, 2, 200},
		{"delete", "DELETE", user, "", 1, codes.Unavailable, nil, 2, 200},
		{"post is not repeated", "POST", "/api/v1/users", name, 1, codes.Unavailable, nil, 1, 503},
		{"put with a revision is not repeated", "PUT", user, `{"name":"a","revision":1}`, 1, codes.Unavailable, nil, 1, 503},
		{"no more than retry-max", "GET", user, "", 9, codes.Unavailable, nil, 3, 503},
		{"retry-max", "GET", user, "", 9, codes.Unavailable, []string{"--retry-max=1"}, 2, 503},
		{"switched off", "GET", user, "", 1, codes.Unavailable, []string{"--retry=off"}, 1, 503},
		{"a broken upstream is not asked again", "GET", user, "", 1, codes.Internal, nil, 1, 502},
		{"an upstream that is too slow is not asked again", "GET", user, "", 1, codes.DeadlineExceeded, nil, 1, 504},
		{"a refusal is an answer", "GET", user, "", 1, codes.InvalidArgument, nil, 1, 400},
	} {
		t.Run(c.name, func(t *testing.T) {
			users := startUsers(t, "127.0.0.1:0")
			in := start(t, users.addr, append([]string{"--fallback=off", "--retry-backoff=1ms"}, c.settings...)...)
			failFirst(users, c.failures, c.code)
			a := in.write(c.method, c.path, c.body)
			if got := users.arrivals.Load(); got != c.arrivals || a.StatusCode != c.status {
				t.Errorf("%d arrivals and status %d, want %d and %d", got, a.StatusCode, c.arrivals, c.status)
			}
			var retries float64
			for _, m := range []string{"GetUser", "ListUsers", "CreateUser", "UpdateUser", "DeleteUser"} {
				retries += in.metric(`gateway_upstream_retries_total{method="` + m + `"}`)
			}
			if retries != float64(c.arrivals-1) {
				t.Errorf("gateway_upstream_retries_total is %v, want %d", retries, c.arrivals-1)
			}
		})
	}
}

// A wait that would outlast the request's budget is not begun.
func TestRetryStaysWithinTheBudget(t *testing.T) {
	soon, cancel := context.WithTimeout(context.Background(), 2*time.Millisecond)
	defer cancel()
	later, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	gone, cancel := context.WithCancel(later)
	cancel()
	long := &upstream{tune: &tuning.Tuning{RetryBackoff: time.Minute}} // random, but hardly ever below 2 ms
	short := &upstream{tune: &tuning.Tuning{RetryBackoff: time.Millisecond}}
	if long.pause(soon, 3) || long.pause(gone, 1) || !short.pause(later, 1) {
		t.Error("want a pause within the budget only")
	}
}

// A delete whose first call took effect, but whose answer was lost, has done what was asked.
func TestRetriedDeleteOfWhatIsGone(t *testing.T) {
	users := startUsers(t, "127.0.0.1:0")
	in := start(t, users.addr, "--retry-backoff=1ms")
	var calls atomic.Int64
	users.on(func(ctx context.Context, _ string) error {
		if calls.Add(1) == 1 {
			users.mu.Lock()
			defer users.mu.Unlock()
			delete(users.data, "42")
			return status.Error(codes.Unavailable, "the answer is lost")
		}
		return nil
	})
	if a := in.write("DELETE", "/api/v1/users/42", ""); a.StatusCode != 200 {
		t.Errorf("delete: %d %s, want 200", a.StatusCode, a.raw)
	}
	if a := in.write("DELETE", "/api/v1/users/42", ""); a.StatusCode != 404 {
		t.Errorf("delete again: %d %s, want 404", a.StatusCode, a.raw)
	}
}

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

// An upstream that is not there costs little, and is found again once it is.
func TestUpstreamComesAndGoes(t *testing.T) {
	users := startUsers(t, "127.0.0.1:0")
	in := start(t, users.addr, "--breaker-open=100ms")
	real := func() bool { return in.get("/api/v1/users/42").Header.Get("X-Degraded") == "" }
	if !real() {
		t.Fatal("no real answer from a user service that is up")
	}
	users.server.Stop()
	eventually(t, "degraded answers", func() bool { return !real() })
	startUsers(t, users.addr)
	eventually(t, "real answers from the one that took its place", real)
}

func TestReplicasShareTheCalls(t *testing.T) {
	for _, reuse := range []string{"on", "off"} {
		t.Run("reuse "+reuse, func(t *testing.T) {
			a, b := startUsers(t, "127.0.0.1:0"), startUsers(t, "127.0.0.1:0")
			in := start(t, a.addr+","+b.addr, "--reuse="+reuse)
			eventually(t, "both replicas get calls", func() bool {
				in.get("/api/v1/users/42")
				return a.arrivals.Load() > 0 && b.arrivals.Load() > 0
			})
			a.arrivals.Store(0)
			b.arrivals.Store(0)
			connections := a.accepted.Load() + b.accepted.Load()
			for range 20 {
				in.get("/api/v1/users/42")
			}
			if a, b := a.arrivals.Load(), b.arrivals.Load(); a != 10 || b != 10 {
				t.Errorf("replicas got %d and %d of 20 calls, want 10 each", a, b)
			}
			want := map[string]int64{"on": 0, "off": 20}[reuse]
			if got := a.accepted.Load() + b.accepted.Load() - connections; got != want {
				t.Errorf("20 calls made %d new connections, want %d", got, want)
			}
		})
	}
}

func TestReplicaNotServingGetsNoCalls(t *testing.T) {
	for _, check := range []string{"on", "off"} {
		t.Run("health-check "+check, func(t *testing.T) {
			a, b := startUsers(t, "127.0.0.1:0"), startUsers(t, "127.0.0.1:0")
			in := start(t, a.addr+","+b.addr, "--health-check="+check)
			both := func() bool {
				a.arrivals.Store(0)
				b.arrivals.Store(0)
				for range 4 {
					in.get("/api/v1/users/42")
				}
				return a.arrivals.Load() > 0 && b.arrivals.Load() > 0
			}
			eventually(t, "both replicas get calls", both)
			a.health.SetServingStatus("", grpc_health_v1.HealthCheckResponse_NOT_SERVING)
			if check == "off" {
				if !both() {
					t.Error("a replica was left out with the health check off")
				}
				return
			}
			eventually(t, "the one not serving gets no calls", func() bool { return !both() && a.arrivals.Load() == 0 })
			a.health.SetServingStatus("", grpc_health_v1.HealthCheckResponse_SERVING)
			eventually(t, "it gets calls again", both)
		})
	}
}

// While a call hangs, its deadline bounds the answer, not the request's.
func TestCallDeadlineBoundsTheAnswer(t *testing.T) {
	users := startUsers(t, "127.0.0.1:0")
	in := start(t, users.addr, "--call-deadline=50ms", "--request-timeout=1h")
	users.on(func(ctx context.Context, _ string) error { <-ctx.Done(); return ctx.Err() })
	start := time.Now()
	if a := in.get("/api/v1/users/42"); a.Header.Get("X-Degraded") != "upstream-failed" {
		t.Errorf("X-Degraded %q, %s", a.Header.Get("X-Degraded"), a.raw)
	}
	if took := time.Since(start); took < 50*time.Millisecond || took > 10*time.Second {
		t.Errorf("answered after %v", took)
	}
}

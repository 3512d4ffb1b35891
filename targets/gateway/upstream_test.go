package gateway

import (
	"context"
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

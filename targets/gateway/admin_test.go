package gateway

import (
	"encoding/json"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health/grpc_health_v1"
)

// report asks /health, and returns the status and what it says about the user service.
func report(in *instance) (status int, overall string, users component) {
	in.t.Helper()
	status, body := in.ask("/health")
	var a struct{ Data healthReport }
	if err := json.Unmarshal([]byte(body), &a); err != nil {
		in.t.Fatalf("/health: %v in %s", err, body)
	}
	return status, a.Data.Status, a.Data.Components["users"]
}

func TestHealthShowsEachComponent(t *testing.T) {
	a, b := startUsers(t, "127.0.0.1:0"), startUsers(t, "127.0.0.1:0")
	in := start(t, a.addr+","+b.addr, "--breaker-open=1h", "--retry=off")
	if code, overall, users := report(in); code != 200 || overall != up || users.Breaker != "closed" || len(users.Replicas) != 2 {
		t.Errorf("all up: %d %s %+v", code, overall, users)
	}
	a.health.SetServingStatus("", grpc_health_v1.HealthCheckResponse_NOT_SERVING)
	if code, _, users := report(in); code != 200 || users.Replicas[a.addr].Status != down || users.Replicas[b.addr].Status != up {
		t.Errorf("one replica down: %d %+v; want the service up and the replica down", code, users)
	}
	b.server.Stop()
	if code, overall, users := report(in); code != 503 || overall != down || users.Status != down || users.Replicas[b.addr].Detail != "Unavailable" {
		t.Errorf("both down: %d %s %+v", code, overall, users)
	}
	for _, path := range []string{"/livez", "/readyz"} {
		if code, _ := in.ask(path); code != 200 {
			t.Errorf("%s answers %d with the user service down, want 200: fallbacks are served", path, code)
		}
	}
}

func TestHealthShowsTheBreaker(t *testing.T) {
	users := startUsers(t, "127.0.0.1:0")
	in := start(t, users.addr, "--breaker-open=1h")
	users.failWith(codes.Internal)
	for range 10 {
		in.get("/api/v1/users/42")
	}
	if code, overall, users := report(in); code != 503 || overall != down || users.Breaker != "open" || users.Status != down {
		t.Errorf("breaker open: %d %s %+v", code, overall, users)
	}
}

func TestAdminPortOnly(t *testing.T) {
	in := start(t, "")
	for _, path := range []string{"/metrics", "/debug/pprof/", "/debug/pprof/goroutine?debug=1", "/livez", "/readyz"} {
		if code, body := in.ask(path); code != 200 || body == "" {
			t.Errorf("admin %s: %d", path, code)
		}
		if code := in.get(path).StatusCode; code != 404 {
			t.Errorf("%s is served on the API port: %d", path, code)
		}
	}
	if code, body := in.ask("/api/v1/users"); code != 404 || !strings.Contains(body, `"code":40400`) {
		t.Errorf("the API is served on the admin port: %d %s", code, body)
	}
}

// An instance that nobody has called exports its calls as 0: without that it has no rate, and an autoscaler guesses.
func TestRoutesAreCountedFromTheStart(t *testing.T) {
	_, text := start(t, "").ask("/metrics")
	for _, series := range []string{`code="200",method="GET",route="/api/v1/users/:id"`, `code="200",method="POST",route="/api/v1/users"`} {
		if want := "http_requests_total{" + series + "} 0\n"; !strings.Contains(text, want) {
			t.Errorf("before the first call there is no %s", want)
		}
	}
}

// Labels are few whatever clients send.
func TestLabelsAreBounded(t *testing.T) {
	users := startUsers(t, "127.0.0.1:0")
	in := start(t, users.addr)
	for _, path := range []string{"/a", "/b", "/api/v1/users/1", "/api/v1/users/2"} {
		in.get(path)
	}
	in.do("BREW", "/coffee", "")
	_, text := in.ask("/metrics")
	for series, want := range map[string]float64{
		`http_requests_total{code="404",method="GET",route="unmatched"}`:         2,
		`http_requests_total{code="404",method="GET",route="/api/v1/users/:id"}`: 2,
		`http_requests_total{code="404",method="other",route="unmatched"}`:       1,
	} {
		if got := in.metric(series); got != want {
			t.Errorf("%s is %v, want %v", series, got, want)
		}
	}
	for _, raw := range []string{"coffee", "BREW", "users/1"} {
		if strings.Contains(text, raw) {
			t.Errorf("metrics contain %q", raw)
		}
	}
}

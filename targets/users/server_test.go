package users

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/stats"

	userv1 "ordeal/targets/api/user/v1"
)

// page gets an admin page.
func page(t *testing.T, in *instance, path string) (int, string) {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	r, err := client.Get("http://" + in.AdminAddr() + path)
	if err != nil {
		return 0, err.Error()
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, string(body)
}

func TestAdminPages(t *testing.T) {
	in := start(t, nil)
	for path, want := range map[string]string{
		"/livez":                    "alive",
		"/readyz":                   "ready",
		"/metrics":                  `grpc_server_handled_total{grpc_code="OK",grpc_method="GetUser",grpc_service="user.v1.UserService",grpc_type="unary"} 0`,
		"/debug/pprof/heap?debug=1": "heap profile",
		"/debug/pprof/cmdline":      "users",
	} {
		if code, body := page(t, in, path); code != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%s: %d, without %q:\n%.300s", path, code, want, body)
		}
	}
	code, body := page(t, in, "/health")
	var report healthReport
	if err := json.Unmarshal([]byte(body), &report); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	if code != http.StatusOK || report.Status != "up" || report.Instance != "users-1" ||
		report.Components["grpc"].Status != "up" || report.Components["store"].Status != "up" {
		t.Errorf("/health: %d %s", code, body)
	}
}

func TestHealthAndReflection(t *testing.T) {
	in, ctx := start(t, nil), testContext(t)
	for _, service := range []string{"", "user.v1.UserService"} {
		h, err := healthv1.NewHealthClient(in.conn).Check(ctx, &healthv1.HealthCheckRequest{Service: service})
		if err != nil || h.GetStatus() != healthv1.HealthCheckResponse_SERVING {
			t.Errorf("health of %q: %v, %v", service, h, err)
		}
	}
	_, err := healthv1.NewHealthClient(in.conn).Check(ctx, &healthv1.HealthCheckRequest{Service: "nobody"})
	wantCode(t, err, codes.NotFound)

	var names []string
	v1, err := reflectionv1.NewServerReflectionClient(in.conn).ServerReflectionInfo(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := v1.Send(&reflectionv1.ServerReflectionRequest{
		MessageRequest: &reflectionv1.ServerReflectionRequest_ListServices{}}); err != nil {
		t.Fatal(err)
	}
	answer, err := v1.Recv()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range answer.GetListServicesResponse().GetService() {
		names = append(names, s.GetName())
	}
	if !slices.Contains(names, "user.v1.UserService") {
		t.Errorf("reflection lists %v", names)
	}
	for _, service := range []string{"grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"} {
		if !slices.Contains(names, service) {
			t.Errorf("%s is not among %v", service, names)
		}
	}
}

// connections counts those that a client makes.
type connections struct {
	stats.Handler
	begun atomic.Int64
}

func (c *connections) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context   { return ctx }
func (c *connections) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (c *connections) HandleRPC(context.Context, stats.RPCStats)                         {}
func (c *connections) HandleConn(_ context.Context, s stats.ConnStats) {
	if _, ok := s.(*stats.ConnBegin); ok {
		c.begun.Add(1)
	}
}

func TestConnectionAgeMakesClientsComeAgain(t *testing.T) {
	in := start(t, func(c *Config) { c.MaxConnectionAge = 100 * time.Millisecond })
	ctx, counted := testContext(t), new(connections)
	client := userv1.NewUserServiceClient(dial(t, in.Addr(), grpc.WithStatsHandler(counted)))
	eventually(t, "a third connection", func() bool {
		if _, err := client.GetUser(ctx, &userv1.GetUserRequest{UserId: "1"}); err != nil {
			t.Fatalf("a call failed: %v", err)
		}
		return counted.begun.Load() >= 3
	})
}

func TestNewRefuses(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for want, change := range map[string]func(*Config){
		"gRPC port":  func(c *Config) { c.Addr = taken.Addr().String() },
		"admin port": func(c *Config) { c.Admin = taken.Addr().String() },
		"max-users":  func(c *Config) { c.SeedUsers = 5; c.MaxUsers = 4 },
		"instance":   func(c *Config) { c.Instance = "a\nb" },
	} {
		var cfg Config
		NewFlagSet(&cfg)
		cfg.Addr, cfg.Admin = "127.0.0.1:0", "127.0.0.1:0"
		change(&cfg)
		if _, err := New(cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error is %v, want %q in it", err, want)
		}
	}
}

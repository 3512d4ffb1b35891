package users

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"

	userv1 "ordeal/targets/api/user/v1"
)

// TestStopsGracefully keeps a call under way while the service stops; the call decides how long that takes.
func TestStopsGracefully(t *testing.T) {
	in, ctx := start(t, nil), testContext(t)
	h, err := healthv1.NewHealthClient(in.conn).Watch(ctx, &healthv1.HealthCheckRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if r, err := h.Recv(); err != nil || r.GetStatus() != healthv1.HealthCheckResponse_SERVING {
		t.Fatalf("health is %v, %v", r, err)
	}
	watcher := watch(ctx, t, in, &userv1.WatchUsersRequest{})
	held := holdCall(ctx, t, in)

	in.cancel()
	eventually(t, "it drains", func() bool { code, _ := page(t, in, "/readyz"); return code == http.StatusServiceUnavailable })
	if code, body := page(t, in, "/health"); code != http.StatusServiceUnavailable || !strings.Contains(body, `"down"`) {
		t.Errorf("/health is %d %s while draining", code, body)
	}
	if code, _ := page(t, in, "/livez"); code != http.StatusOK {
		t.Errorf("/livez is %d while draining, want 200", code)
	}
	// Streams that would go on for ever are ended, and not by cutting the connection: the call goes on.
	_, err = events(watcher)
	wantCode(t, err, codes.Unavailable)
	for err = nil; err == nil; {
		_, err = h.Recv()
	}
	wantCode(t, err, codes.Unavailable)
	held.ask(t)
	if _, err := userv1.NewUserServiceClient(dial(t, in.Addr())).GetUser(ctx, &userv1.GetUserRequest{UserId: "1"}); err == nil {
		t.Error("a new call was served")
	}
	held.finish(t)
	if err := in.wait(t); err != nil {
		t.Errorf("Serve returned %v", err)
	}
	if code, _ := page(t, in, "/livez"); code != 0 {
		t.Errorf("the admin port still answers: %d", code)
	}
	if !strings.Contains(in.log.String(), `"drained"`) {
		t.Errorf("the log does not say that it drained: %s", in.log)
	}
}

// heldCall is under way until it is finished.
type heldCall struct{ userv1.UserService_SyncClient }

func holdCall(ctx context.Context, t *testing.T, client userv1.UserServiceClient) heldCall {
	t.Helper()
	stream, err := client.Sync(ctx)
	if err != nil {
		t.Fatal(err)
	}
	held := heldCall{stream}
	held.ask(t)
	return held
}

// ask shows that the call is still under way.
func (h heldCall) ask(t *testing.T) {
	t.Helper()
	if err := h.Send(&userv1.SyncRequest{Change: &userv1.SyncRequest_GetId{GetId: "1"}}); err != nil {
		t.Fatal(err)
	}
	if r, err := h.Recv(); err != nil || r.GetUser().GetId() != "1" {
		t.Fatalf("the call under way is answered %v, %v", r, err)
	}
}

func (h heldCall) finish(t *testing.T) {
	t.Helper()
	if err := h.CloseSend(); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Recv(); !errors.Is(err, io.EOF) {
		t.Errorf("the call under way ended with %v", err)
	}
}

func TestDrainDelayStillServes(t *testing.T) {
	in := start(t, func(c *Config) { c.DrainDelay = patience })
	ctx := testContext(t)
	in.cancel()
	eventually(t, "it is not ready", func() bool { code, _ := page(t, in, "/readyz"); return code == http.StatusServiceUnavailable })
	if _, err := in.GetUser(ctx, &userv1.GetUserRequest{UserId: "1"}); err != nil {
		t.Errorf("a new call in the drain delay: %v", err)
	}
	for _, service := range []string{"", "user.v1.UserService"} {
		eventually(t, "the health of "+service+" says so, too", func() bool {
			h, err := healthv1.NewHealthClient(in.conn).Check(ctx, &healthv1.HealthCheckRequest{Service: service})
			return err == nil && h.GetStatus() == healthv1.HealthCheckResponse_NOT_SERVING
		})
	}
	in.Stop()
	if err := in.wait(t); !errors.Is(err, ErrStopped) {
		t.Errorf("Serve returned %v, want %v", err, ErrStopped)
	}
}

// TestDrainTimeoutCutsCalls has a stream that its client never ends.
func TestDrainTimeoutCutsCalls(t *testing.T) {
	in := start(t, func(c *Config) { c.DrainTimeout = 100 * time.Millisecond })
	ctx := testContext(t)
	held := holdCall(ctx, t, in)
	began := time.Now()
	in.cancel()
	_, err := held.Recv()
	wantCode(t, err, codes.Unavailable)
	if err := in.wait(t); err != nil {
		t.Errorf("Serve returned %v", err)
	}
	if took := time.Since(began); took < 100*time.Millisecond || took > patience/2 {
		t.Errorf("it took %v", took)
	}
	if !strings.Contains(in.log.String(), "calls were cut") {
		t.Errorf("the log does not say that calls were cut: %s", in.log)
	}
}

// TestSilentConnectionDoesNotHoldUpTheStop has one that never says that it speaks HTTP/2. grpc waits for those
// even in a hard stop.
func TestSilentConnectionDoesNotHoldUpTheStop(t *testing.T) {
	in := start(t, func(c *Config) { c.DrainTimeout = 50 * time.Millisecond })
	silent, err := net.Dial("tcp", in.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	holdCall(testContext(t), t, in).finish(t) // by now it is accepted, too
	in.cancel()
	if err := in.wait(t); err != nil {
		t.Errorf("Serve returned %v", err)
	}
	if !strings.Contains(in.log.String(), "left behind") {
		t.Errorf("the log does not say that something is left behind: %s", in.log)
	}
}

func TestStopCutsCallsAtOnce(t *testing.T) {
	in := start(t, nil)
	held := holdCall(testContext(t), t, in)
	in.cancel()
	in.Stop()
	if err := in.wait(t); !errors.Is(err, ErrStopped) {
		t.Errorf("Serve returned %v, want %v", err, ErrStopped)
	}
	_, err := held.Recv()
	wantCode(t, err, codes.Unavailable)
}

func TestStopWithoutServeClosesThePorts(t *testing.T) {
	var cfg Config
	NewFlagSet(&cfg)
	cfg.Addr, cfg.Admin = "127.0.0.1:0", "127.0.0.1:0"
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	s.Stop()
	if err := s.Serve(context.Background()); !errors.Is(err, ErrStopped) {
		t.Errorf("Serve after Stop returned %v", err)
	}
	for _, addr := range []string{s.Addr(), s.AdminAddr()} {
		if conn, err := net.Dial("tcp", addr); err == nil {
			_ = conn.Close()
			t.Errorf("%s is still open", addr)
		}
	}
}

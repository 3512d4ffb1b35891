package users

import (
	"errors"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	userv1 "ordeal/targets/api/user/v1"
	"ordeal/targets/work"
)

// brokenStore panics when asked for user "panic", and fails without a code for "fail".
type brokenStore struct{ Store }

func (b brokenStore) Get(id string) *userv1.User {
	if id == "panic" {
		panic("the secret reason")
	}
	return b.Store.Get(id)
}

func (b brokenStore) Change(id string, decide func(*userv1.User) (*userv1.User, error)) (*userv1.UserEvent, error) {
	if id == "fail" {
		return nil, errors.New("disk on fire")
	}
	return b.Store.Change(id, decide)
}

func (b brokenStore) Watch(WatchOptions) ([]*userv1.User, *Watcher, error) { panic("watch") }

func TestPanicsAreAnsweredAndCounted(t *testing.T) {
	in := start(t, func(c *Config) { c.Store = brokenStore{NewMemory(100, 1)} })
	const trace = "4bf92f3577b34da6a3ce929d0e0e4736"
	ctx := metadata.AppendToOutgoingContext(testContext(t), "traceparent", "00-"+trace+"-00f067aa0ba902b7-01")

	_, err := in.GetUser(ctx, &userv1.GetUserRequest{UserId: "panic"})
	wantCode(t, err, codes.Internal)
	if strings.Contains(err.Error(), "secret") {
		t.Errorf("the client was told %q", err)
	}
	stream, err := in.WatchUsers(ctx, &userv1.WatchUsersRequest{})
	if err == nil {
		_, err = events(stream)
	}
	wantCode(t, err, codes.Internal)
	eventually(t, "both are counted", func() bool {
		return gauge(t, in, "grpc_server_panics_total") == 2 &&
			gauge(t, in, "grpc_server_handled_total", "GetUser", "Internal") == 1 &&
			gauge(t, in, "grpc_server_handled_total", "WatchUsers", "Internal") == 1
	})
	for _, want := range []string{"the secret reason", trace, "brokenStore", userv1.UserService_GetUser_FullMethodName} {
		if !strings.Contains(in.log.String(), want) {
			t.Errorf("the log does not have %q", want)
		}
	}
	// And it goes on.
	if _, err := in.GetUser(ctx, &userv1.GetUserRequest{UserId: "1"}); err != nil {
		t.Error(err)
	}
}

func TestCallsAreCounted(t *testing.T) {
	in, ctx := start(t, func(c *Config) { c.Store = brokenStore{NewMemory(100, 1)} }), testContext(t)
	if n := gauge(t, in, "grpc_server_handled_total", "Sync", "Unavailable"); n != 0 {
		t.Errorf("%v calls before the first", n)
	}
	for _, id := range []string{"1", "2", "nobody", "a b"} {
		_, _ = in.GetUser(ctx, &userv1.GetUserRequest{UserId: id})
	}
	_, err := in.DeleteUser(ctx, &userv1.DeleteUserRequest{UserId: "fail"})
	wantCode(t, err, codes.Unknown)
	stream, err := in.Sync(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		if err := stream.Send(&userv1.SyncRequest{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := stream.CloseSend(); err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = stream.Recv()
	}
	const service = "user.v1.UserService"
	for _, tc := range []struct {
		want   float64
		name   string
		values []string
	}{
		{4, "grpc_server_started_total", []string{service, "GetUser", "unary"}},
		{2, "grpc_server_handled_total", []string{service, "GetUser", "unary", "OK"}},
		{1, "grpc_server_handled_total", []string{service, "GetUser", "unary", "NotFound"}},
		{1, "grpc_server_handled_total", []string{service, "GetUser", "unary", "InvalidArgument"}},
		{4, "grpc_server_handling_seconds", []string{service, "GetUser", "unary"}},
		{2, "grpc_server_msg_sent_total", []string{service, "GetUser", "unary"}},
		{1, "grpc_server_handled_total", []string{service, "DeleteUser", "Unknown"}},
		{1, "grpc_server_started_total", []string{service, "Sync", "bidi_stream"}},
		{1, "grpc_server_handled_total", []string{service, "Sync", "bidi_stream", "OK"}},
		{5, "grpc_server_msg_received_total", []string{service, "Sync", "bidi_stream"}},
		{5, "grpc_server_msg_sent_total", []string{service, "Sync", "bidi_stream"}},
		{10, "users_stored", nil},
	} {
		eventually(t, tc.name+" "+strings.Join(tc.values, " "), func() bool {
			return gauge(t, in, tc.name, tc.values...) == tc.want
		})
	}
	if _, err := healthv1.NewHealthClient(in.conn).Check(ctx, &healthv1.HealthCheckRequest{}); err != nil {
		t.Errorf("a service other than its own: %v", err)
	}
}

func TestCallTimeoutBoundsCallsWithoutADeadline(t *testing.T) {
	in := start(t, func(c *Config) {
		c.CallTimeout = 30 * time.Millisecond
		c.Work = Work{"GetUser": {Sleep: work.Longest}, "Sync": {Sleep: 100 * time.Millisecond}}
	})
	ctx := testContext(t) // ends much later
	_, err := in.GetUser(ctx, &userv1.GetUserRequest{UserId: "1"})
	wantCode(t, err, codes.DeadlineExceeded)
	if ctx.Err() != nil {
		t.Fatal("it took as long as the client's own deadline")
	}
	stream, err := in.Sync(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.Send(&userv1.SyncRequest{}); err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Recv(); err != nil {
		t.Errorf("a stream was bounded, too: %v", err)
	}
}

func TestMessagesThatAreTooLargeAreRefused(t *testing.T) {
	in, ctx := start(t, func(c *Config) { c.MaxMessageSize = 1000; c.SeedUsers = 50 }), testContext(t)
	_, err := in.GetUser(ctx, &userv1.GetUserRequest{UserId: strings.Repeat("x", 2000)})
	wantCode(t, err, codes.ResourceExhausted)
	_, err = in.ListUsers(ctx, &userv1.ListUsersRequest{PageSize: 50})
	wantCode(t, err, codes.ResourceExhausted)
	if _, err = in.ListUsers(ctx, &userv1.ListUsersRequest{PageSize: 2}); err != nil {
		t.Errorf("a small message: %v", status.Convert(err))
	}
}

package users

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	userv1 "ordeal/targets/api/user/v1"
)

// watch opens a stream and returns once the service has it.
func watch(ctx context.Context, t *testing.T, in *instance, r *userv1.WatchUsersRequest) userv1.UserService_WatchUsersClient {
	t.Helper()
	before := gauge(t, in, "users_watchers")
	stream, err := in.WatchUsers(ctx, r)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the watcher is there", func() bool { return gauge(t, in, "users_watchers") > before })
	return stream
}

// events reads to the end of the stream.
func events(stream userv1.UserService_WatchUsersClient) (got []string, err error) {
	for {
		e, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return got, nil
		}
		if err != nil {
			return got, err
		}
		got = append(got, fmt.Sprintf("%v %s", e.GetKind(), e.GetUser().GetId()))
	}
}

func TestWatchReplaysAndEndsByItself(t *testing.T) {
	in, ctx := start(t, nil), testContext(t)
	for _, tc := range []struct {
		request *userv1.WatchUsersRequest
		want    string
	}{
		{&userv1.WatchUsersRequest{Replay: true, MaxEvents: 3}, "[KIND_EXISTING 1 KIND_EXISTING 2 KIND_EXISTING 3]"},
		{&userv1.WatchUsersRequest{Replay: true, MaxEvents: 2, UserIds: []string{"9", "nobody", "4"}}, "[KIND_EXISTING 4 KIND_EXISTING 9]"},
		{&userv1.WatchUsersRequest{Replay: true, MaxEvents: 1, UserIds: []string{"9", "4"}}, "[KIND_EXISTING 4]"},
	} {
		stream, err := in.WatchUsers(ctx, tc.request)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := events(stream); fmt.Sprint(got) != tc.want || err != nil {
			t.Errorf("%v: %v, %v; want %s", tc.request, got, err, tc.want)
		}
	}
	stream, err := in.WatchUsers(ctx, &userv1.WatchUsersRequest{MaxEvents: -1, UserIds: []string{"a b"}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = events(stream)
	wantViolation(t, err, "max_events")
	wantViolation(t, err, "user_ids")
}

func TestWatchSeesEachChangeInOrder(t *testing.T) {
	in, ctx := start(t, nil), testContext(t)
	all := watch(ctx, t, in, &userv1.WatchUsersRequest{MaxEvents: 4})
	one := watch(ctx, t, in, &userv1.WatchUsersRequest{MaxEvents: 2, UserIds: []string{"ada"}})
	mustChange(ctx, t, in)
	if got, err := events(all); fmt.Sprint(got) != "[KIND_CREATED ada KIND_UPDATED 5 KIND_DELETED 5 KIND_DELETED ada]" || err != nil {
		t.Errorf("all: %v, %v", got, err)
	}
	if got, err := events(one); fmt.Sprint(got) != "[KIND_CREATED ada KIND_DELETED ada]" || err != nil {
		t.Errorf("one: %v, %v", got, err)
	}
	eventually(t, "no watcher is left", func() bool { return gauge(t, in, "users_watchers") == 0 })
}

func mustChange(ctx context.Context, t *testing.T, in *instance) {
	t.Helper()
	_, err1 := in.CreateUser(ctx, &userv1.CreateUserRequest{User: &userv1.User{Id: "ada", Name: "Ada"}})
	_, err2 := in.UpdateUser(ctx, &userv1.UpdateUserRequest{User: &userv1.User{Id: "5", Name: "Five"}})
	_, err3 := in.DeleteUser(ctx, &userv1.DeleteUserRequest{UserId: "5"})
	_, err4 := in.DeleteUser(ctx, &userv1.DeleteUserRequest{UserId: "ada"})
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		t.Fatal(err)
	}
}

func TestWatchEndsWithItsDeadline(t *testing.T) {
	in := start(t, nil)
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	stream, err := in.WatchUsers(ctx, &userv1.WatchUsersRequest{})
	if err == nil {
		_, err = events(stream)
	}
	wantCode(t, err, codes.DeadlineExceeded)
	eventually(t, "the service lets go of the watcher", func() bool { return gauge(t, in, "users_watchers") == 0 })
}

// TestSlowWatcherIsDropped makes the watcher slow by work, and writes more than it can hold.
func TestSlowWatcherIsDropped(t *testing.T) {
	in := start(t, func(c *Config) {
		c.WatchBuffer = 4
		c.Work = Work{"WatchUsers": {Sleep: 50 * time.Millisecond}}
	})
	ctx := testContext(t)
	slow := watch(ctx, t, in, &userv1.WatchUsersRequest{UserIds: []string{"5"}})
	other := watch(ctx, t, in, &userv1.WatchUsersRequest{UserIds: []string{"6"}, MaxEvents: 1})
	for i := range 100 { // from here, as writers that a watcher must not hold up
		if _, err := in.store.Change("5", func(*userv1.User) (*userv1.User, error) {
			return &userv1.User{Name: fmt.Sprint(i)}, nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	got, err := events(slow)
	wantCode(t, err, codes.ResourceExhausted)
	if len(got) < 4 || len(got) == 100 {
		t.Errorf("it was told %d of 100 changes, want what fits in its buffer and a few", len(got))
	}
	if n := gauge(t, in, "users_watchers_dropped_total"); n != 1 {
		t.Errorf("%v watchers counted as dropped, want 1", n)
	}
	if _, err := in.DeleteUser(ctx, &userv1.DeleteUserRequest{UserId: "6"}); err != nil {
		t.Fatal(err)
	}
	if got, err := events(other); len(got) != 1 || err != nil {
		t.Errorf("the other watcher: %v, %v", got, err)
	}
}

func TestTooManyWatchersAreRefused(t *testing.T) {
	in, ctx := start(t, func(c *Config) { c.MaxWatchers = 1 }), testContext(t)
	first, hangUp := context.WithCancel(ctx)
	watch(first, t, in, &userv1.WatchUsersRequest{})
	refused := func() error {
		stream, err := in.WatchUsers(ctx, &userv1.WatchUsersRequest{Replay: true, MaxEvents: 1})
		if err == nil {
			_, err = events(stream)
		}
		return err
	}
	wantCode(t, refused(), codes.ResourceExhausted)
	hangUp()
	eventually(t, "there is room again", func() bool { return refused() == nil })
}

func TestImportUsers(t *testing.T) {
	in, ctx := start(t, nil), testContext(t)
	stream, err := in.ImportUsers(ctx)
	if err != nil {
		t.Fatal(err)
	}
	send := func(u *userv1.User) {
		if err := stream.Send(&userv1.ImportUsersRequest{User: u}); err != nil {
			t.Fatal(err)
		}
	}
	send(&userv1.User{Id: "ada", Name: "Ada"})
	send(&userv1.User{Id: "3", Name: "Replaced"})
	send(&userv1.User{Name: "Chosen id"})
	for range 150 {
		send(&userv1.User{Id: "bad", Age: 999})
	}
	send(nil)
	sum, err := stream.CloseAndRecv()
	if err != nil {
		t.Fatal(err)
	}
	if sum.GetReceived() != 154 || sum.GetCreated() != 2 || sum.GetUpdated() != 1 || sum.GetFailed() != 151 {
		t.Errorf("counts are %d %d %d %d, want 154 2 1 151", sum.GetReceived(), sum.GetCreated(), sum.GetUpdated(), sum.GetFailed())
	}
	if len(sum.GetFailures()) != maxFailures {
		t.Fatalf("%d failures are named, want %d", len(sum.GetFailures()), maxFailures)
	}
	if f := sum.GetFailures()[0]; f.GetIndex() != 3 || f.GetUserId() != "bad" || f.GetCode() != int32(codes.InvalidArgument) || f.GetMessage() == "" {
		t.Errorf("the first failure is %v", f)
	}
	if u, err := in.GetUser(ctx, &userv1.GetUserRequest{UserId: "3"}); err != nil || u.GetName() != "Replaced" {
		t.Errorf("user 3 is %v (%v)", u, err)
	}
}

func TestSyncAnswersEachChange(t *testing.T) {
	in, ctx := start(t, nil), testContext(t)
	stream, err := in.Sync(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		request  *userv1.SyncRequest
		code     codes.Code
		name     string
		revision int64
	}{
		{&userv1.SyncRequest{Change: &userv1.SyncRequest_Put{Put: &userv1.User{Id: "ada", Name: "Ada"}}}, codes.OK, "Ada", 11},
		{&userv1.SyncRequest{Change: &userv1.SyncRequest_Put{Put: &userv1.User{Id: "ada"}}}, codes.InvalidArgument, "", 0},
		{&userv1.SyncRequest{Change: &userv1.SyncRequest_GetId{GetId: "ada"}}, codes.OK, "Ada", 11},
		{&userv1.SyncRequest{Change: &userv1.SyncRequest_Put{Put: &userv1.User{Id: "ada", Name: "Countess"}}}, codes.OK, "Countess", 12},
		{&userv1.SyncRequest{Change: &userv1.SyncRequest_DeleteId{DeleteId: "ada"}}, codes.OK, "Countess", 13},
		{&userv1.SyncRequest{Change: &userv1.SyncRequest_GetId{GetId: "ada"}}, codes.NotFound, "", 0},
		{&userv1.SyncRequest{Change: &userv1.SyncRequest_DeleteId{DeleteId: "ada"}}, codes.NotFound, "", 0},
		{&userv1.SyncRequest{Change: &userv1.SyncRequest_DeleteId{}}, codes.InvalidArgument, "", 0},
		{&userv1.SyncRequest{}, codes.InvalidArgument, "", 0},
	} {
		tc.request.RequestId = fmt.Sprint(&tc)
		if err := stream.Send(tc.request); err != nil {
			t.Fatal(err)
		}
		a, err := stream.Recv()
		if err != nil {
			t.Fatal(err)
		}
		if a.GetRequestId() != tc.request.GetRequestId() || codes.Code(a.GetCode()) != tc.code ||
			a.GetUser().GetName() != tc.name || a.GetRevision() != tc.revision || (a.GetMessage() == "") != (tc.code == codes.OK) {
			t.Errorf("%v: answer is %v", tc.request, a)
		}
	}
	if err := stream.CloseSend(); err != nil {
		t.Fatal(err)
	}
	if a, err := stream.Recv(); !errors.Is(err, io.EOF) {
		t.Errorf("after the last change: %v, %v; want the end", a, err)
	}
}

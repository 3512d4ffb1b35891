package users

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	userv1 "ordeal/targets/api/user/v1"
)

// Unary calls and streams alike say which release answers, where it has a name.
func TestVersionIsReturned(t *testing.T) {
	for _, version := range []string{"v2.1", ""} {
		in, ctx := start(t, func(c *Config) { c.Version = version }), testContext(t)
		var unary metadata.MD
		if _, err := in.GetUser(ctx, &userv1.GetUserRequest{UserId: "7"}, grpc.Header(&unary)); err != nil {
			t.Fatal(err)
		}
		stream, err := in.WatchUsers(ctx, &userv1.WatchUsersRequest{Replay: true, MaxEvents: 1})
		if err != nil {
			t.Fatal(err)
		}
		streamed, err := stream.Header()
		if err != nil {
			t.Fatal(err)
		}
		for kind, header := range map[string]metadata.MD{"unary": unary, "stream": streamed} {
			if got := strings.Join(header.Get("x-version"), ","); got != version || (version == "") != (len(header.Get("x-version")) == 0) {
				t.Errorf("%s: x-version is %q, want %q", kind, header.Get("x-version"), version)
			}
		}
	}
}

func TestGetUser(t *testing.T) {
	in, ctx := start(t, nil), testContext(t)
	var header metadata.MD
	user, err := in.GetUser(ctx, &userv1.GetUserRequest{UserId: "7"}, grpc.Header(&header))
	if err != nil {
		t.Fatal(err)
	}
	if user.GetId() != "7" || user.GetName() != "User 7" || user.GetCreateTime() == nil || user.GetRevision() != 7 {
		t.Errorf("user 7 is %v", user)
	}
	if got := header.Get("x-served-by"); len(got) != 1 || got[0] != "users-1" {
		t.Errorf("x-served-by is %q, want users-1", got)
	}

	header = nil
	_, err = in.GetUser(ctx, &userv1.GetUserRequest{UserId: "11"}, grpc.Header(&header))
	wantCode(t, err, codes.NotFound)
	if got := header.Get("x-served-by"); len(got) != 1 {
		t.Errorf("x-served-by of a refused call is %q", got)
	}
	for _, id := range []string{"", "a b", "../7", "é", strings.Repeat("7", 65)} {
		_, err = in.GetUser(ctx, &userv1.GetUserRequest{UserId: id})
		wantViolation(t, err, "user_id")
	}
}

func TestCreateUser(t *testing.T) {
	in, ctx := start(t, func(c *Config) { c.MaxUsers = 13 }), testContext(t)
	create := func(u *userv1.User) (*userv1.User, error) {
		return in.CreateUser(ctx, &userv1.CreateUserRequest{User: u})
	}
	created, err := create(&userv1.User{Id: "ada", Name: "Ada", Age: 36, Email: "ada@example.com", City: proto.String("London"), Revision: 99})
	if err != nil {
		t.Fatal(err)
	}
	got, err := in.GetUser(ctx, &userv1.GetUserRequest{UserId: "ada"})
	if err != nil || !proto.Equal(got, created) {
		t.Fatalf("stored %v (%v), answered %v", got, err, created)
	}
	if got.GetCity() != "London" || got.GetAge() != 36 || got.GetRevision() != 11 {
		t.Errorf("stored %v, want the fields as given and revision 11", got)
	}
	_, err = create(&userv1.User{Id: "ada", Name: "Another"})
	wantCode(t, err, codes.AlreadyExists)

	if _, err := create(&userv1.User{Id: "12", Name: "In the way"}); err != nil {
		t.Fatal(err)
	}
	chosen, err := create(&userv1.User{Name: "Chosen"})
	if err != nil || chosen.GetId() != "11" {
		t.Fatalf("chosen id is %q (%v), want 11: the first that is free", chosen.GetId(), err)
	}
	_, err = create(&userv1.User{Name: "One too many"})
	wantCode(t, err, codes.ResourceExhausted)
}

func TestValidationNamesTheField(t *testing.T) {
	in, ctx := start(t, nil), testContext(t)
	good := func() *userv1.User { return &userv1.User{Name: "Ada", Email: "a@b"} }
	for _, tc := range []struct {
		field  string
		change func(*userv1.User)
	}{
		{"user.id", func(u *userv1.User) { u.Id = "no spaces" }},
		{"user.name", func(u *userv1.User) { u.Name = "" }},
		{"user.name", func(u *userv1.User) { u.Name = strings.Repeat("é", 101) }},
		{"user.age", func(u *userv1.User) { u.Age = -1 }},
		{"user.age", func(u *userv1.User) { u.Age = 151 }},
		{"user.email", func(u *userv1.User) { u.Email = "ada" }},
		{"user.email", func(u *userv1.User) { u.Email = "ada@b@c" }},
		{"user.email", func(u *userv1.User) { u.Email = "@b" }},
		{"user.city", func(u *userv1.User) { u.City = proto.String(strings.Repeat("x", 201)) }},
	} {
		u := good()
		tc.change(u)
		_, err := in.CreateUser(ctx, &userv1.CreateUserRequest{User: u})
		wantViolation(t, err, tc.field)
	}
	_, err := in.CreateUser(ctx, &userv1.CreateUserRequest{})
	wantViolation(t, err, "user")

	// Just inside every limit.
	edge := &userv1.User{Id: strings.Repeat("x", 64), Name: strings.Repeat("é", 100), Age: 150, City: proto.String(strings.Repeat("é", 200))}
	if _, err := in.CreateUser(ctx, &userv1.CreateUserRequest{User: edge}); err != nil {
		t.Errorf("a user at the limits is refused: %v", err)
	}
}

func TestUpdateUser(t *testing.T) {
	in, ctx := start(t, nil), testContext(t)
	update := func(u *userv1.User, paths ...string) (*userv1.User, error) {
		r := &userv1.UpdateUserRequest{User: u}
		if paths != nil {
			r.UpdateMask = &fieldmaskpb.FieldMask{Paths: paths}
		}
		return in.UpdateUser(ctx, r)
	}
	before, err := in.GetUser(ctx, &userv1.GetUserRequest{UserId: "3"})
	if err != nil {
		t.Fatal(err)
	}
	after, err := update(&userv1.User{Id: "3", Age: 99, Name: "ignored"}, "age")
	if err != nil {
		t.Fatal(err)
	}
	if after.GetAge() != 99 || after.GetName() != before.GetName() || after.GetEmail() != before.GetEmail() {
		t.Errorf("with a mask of age, %v became %v", before, after)
	}
	if after.GetRevision() <= before.GetRevision() || !proto.Equal(after.GetCreateTime(), before.GetCreateTime()) {
		t.Errorf("revision and times of %v became those of %v", before, after)
	}
	after, err = update(&userv1.User{Id: "3", Name: "New"})
	if err != nil || after.GetName() != "New" || after.GetEmail() != "" || after.GetAge() != 0 {
		t.Errorf("without a mask it became %v (%v), want all fields as given", after, err)
	}

	_, err = update(&userv1.User{Id: "3", Name: "Late", Revision: before.GetRevision()})
	wantCode(t, err, codes.Aborted)
	if _, err = update(&userv1.User{Id: "3", Name: "In time", Revision: after.GetRevision()}); err != nil {
		t.Errorf("with the right revision: %v", err)
	}
	_, err = update(&userv1.User{Id: "3", Revision: 1}, "id")
	wantViolation(t, err, "update_mask")
	_, err = update(&userv1.User{Id: "3"}, "name")
	wantViolation(t, err, "user.name")
	_, err = update(&userv1.User{Name: "Nobody"})
	wantViolation(t, err, "user.id")
	_, err = update(&userv1.User{Id: "nobody", Name: "Nobody"})
	wantCode(t, err, codes.NotFound)
}

func TestDeleteUser(t *testing.T) {
	in, ctx := start(t, nil), testContext(t)
	if _, err := in.DeleteUser(ctx, &userv1.DeleteUserRequest{UserId: "3"}); err != nil {
		t.Fatal(err)
	}
	_, err := in.DeleteUser(ctx, &userv1.DeleteUserRequest{UserId: "3"})
	wantCode(t, err, codes.NotFound)
	_, err = in.GetUser(ctx, &userv1.GetUserRequest{UserId: "3"})
	wantCode(t, err, codes.NotFound)
	_, err = in.DeleteUser(ctx, &userv1.DeleteUserRequest{})
	wantViolation(t, err, "user_id")
}

func TestListUsersGoesThroughAllOnce(t *testing.T) {
	in, ctx := start(t, func(c *Config) { c.SeedUsers = 25 }), testContext(t)
	for size, pages := range map[int32]int{1: 25, 5: 5, 7: 4, 25: 1, 0: 1, 5000: 1} {
		ids, n := list(ctx, t, in, size, nil)
		if n != pages || len(ids) != 25 || ids[0] != "1" || ids[24] != "25" {
			t.Errorf("pages of %d: %d pages with %v; want %d with 1 to 25", size, n, ids, pages)
		}
	}
	// What happens between pages neither hides nor repeats the rest.
	ids, _ := list(ctx, t, in, 5, func(page int) {
		for i := range 2 {
			id := fmt.Sprint(page*5 - i) // the last two of the page just read
			if _, err := in.DeleteUser(ctx, &userv1.DeleteUserRequest{UserId: id}); err != nil {
				t.Fatal(err)
			}
		}
	})
	if len(ids) != 25 {
		t.Errorf("with deletions between pages, %d users were listed: %v", len(ids), ids)
	}
	_, err := in.ListUsers(ctx, &userv1.ListUsersRequest{PageSize: -1})
	wantViolation(t, err, "page_size")
	for _, token := range []string{"x", "c", "c!", "czzzzzzzzzzzzzzzz"} {
		_, err = in.ListUsers(ctx, &userv1.ListUsersRequest{PageToken: token})
		wantViolation(t, err, "page_token")
	}
}

// list reads all pages, and calls between after each but the last.
func list(ctx context.Context, t *testing.T, in *instance, size int32, between func(page int)) (ids []string, pages int) {
	t.Helper()
	r := &userv1.ListUsersRequest{PageSize: size}
	for {
		answer, err := in.ListUsers(ctx, r)
		if err != nil {
			t.Fatal(err)
		}
		pages++
		for _, u := range answer.GetUsers() {
			ids = append(ids, u.GetId())
		}
		if r.PageToken = answer.GetNextPageToken(); r.PageToken == "" {
			return ids, pages
		}
		if between != nil {
			between(pages)
		}
	}
}

// BenchmarkGetUser is one look-up without the network.
func BenchmarkGetUser(b *testing.B) {
	s := &service{store: NewMemory(1000, 1)}
	if err := seed(s.store, 1000); err != nil {
		b.Fatal(err)
	}
	r := &userv1.GetUserRequest{UserId: "42"}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.GetUser(context.Background(), r); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkGetUserCall is one call over loopback; its allocations are those of client and server together.
func BenchmarkGetUserCall(b *testing.B) {
	in := start(b, nil)
	r := &userv1.GetUserRequest{UserId: "7"}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := in.GetUser(context.Background(), r); err != nil {
			b.Fatal(err)
		}
	}
}

package users

import (
	"context"
	"errors"
	"slices"
	"strconv"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	userv1 "ordeal/targets/api/user/v1"
)

const (
	defaultPage = 50
	maxPage     = 1000
)

// service answers the calls. The unary ones are here, the streams in streams.go.
type service struct {
	userv1.UnimplementedUserServiceServer
	store       Store
	metrics     *metrics
	watchBuffer int
	draining    context.Context // ends when streams without an end of their own have to
}

func (s *service) GetUser(_ context.Context, r *userv1.GetUserRequest) (*userv1.User, error) {
	if err := checkID("user_id", r.GetUserId()); err != nil {
		return nil, err
	}
	user := s.store.Get(r.GetUserId())
	if user == nil {
		return nil, notFound(r.GetUserId())
	}
	return user, nil
}

func (s *service) CreateUser(_ context.Context, r *userv1.CreateUserRequest) (*userv1.User, error) {
	var v violations
	v.user("user.", r.GetUser())
	if err := v.err(); err != nil {
		return nil, err
	}
	id := r.GetUser().GetId()
	event, err := s.store.Change(id, func(old *userv1.User) (*userv1.User, error) {
		if old != nil {
			return nil, status.Errorf(codes.AlreadyExists, "user %q exists", id)
		}
		return settable(r.GetUser()), nil
	})
	return userOf(event, err)
}

func (s *service) UpdateUser(_ context.Context, r *userv1.UpdateUserRequest) (*userv1.User, error) {
	given, mask := r.GetUser(), r.GetUpdateMask().GetPaths()
	var v violations
	v.id("user.id", given.GetId())
	for _, path := range mask {
		if !slices.Contains(maskPaths, path) {
			v.add("update_mask", "cannot change %q", path)
		}
	}
	if len(mask) == 0 {
		mask = maskPaths
	}
	if err := v.err(); err != nil {
		return nil, err
	}
	event, err := s.store.Change(given.GetId(), func(old *userv1.User) (*userv1.User, error) {
		switch {
		case old == nil:
			return nil, notFound(given.GetId())
		case given.GetRevision() != 0 && given.GetRevision() != old.GetRevision():
			return nil, status.Errorf(codes.Aborted, "user %q is at revision %d, not %d", given.GetId(), old.GetRevision(), given.GetRevision())
		}
		user := masked(old, given, mask)
		var v violations
		v.user("user.", user)
		return user, v.err()
	})
	return userOf(event, err)
}

func (s *service) DeleteUser(_ context.Context, r *userv1.DeleteUserRequest) (*emptypb.Empty, error) {
	if err := checkID("user_id", r.GetUserId()); err != nil {
		return nil, err
	}
	if _, err := s.store.Change(r.GetUserId(), deletion(r.GetUserId())); err != nil {
		return nil, storeError(err)
	}
	return &emptypb.Empty{}, nil
}

func (s *service) ListUsers(_ context.Context, r *userv1.ListUsersRequest) (*userv1.ListUsersResponse, error) {
	var v violations
	size := int(r.GetPageSize())
	switch {
	case size < 0:
		v.add("page_size", "must not be negative")
	case size == 0:
		size = defaultPage
	}
	cursor, err := parseCursor(r.GetPageToken())
	if err != nil {
		v.add("page_token", "is not one that this service gave")
	}
	if err := v.err(); err != nil {
		return nil, err
	}
	page, next := s.store.List(cursor, min(size, maxPage))
	answer := &userv1.ListUsersResponse{Users: page}
	if next != 0 {
		answer.NextPageToken = "c" + strconv.FormatUint(next, 36)
	}
	return answer, nil
}

func parseCursor(token string) (uint64, error) {
	if token == "" {
		return 0, nil
	}
	if token[0] != 'c' {
		return 0, strconv.ErrSyntax
	}
	return strconv.ParseUint(token[1:], 36, 64)
}

// maskPaths are the fields that a client may change.
var maskPaths = []string{"name", "age", "email", "city"}

// settable is a new user with what a client may set.
func settable(u *userv1.User) *userv1.User { return masked(new(userv1.User), u, maskPaths) }

// masked is a new user: old with the fields of paths taken from given.
func masked(old, given *userv1.User, paths []string) *userv1.User {
	u := &userv1.User{Name: old.GetName(), Age: old.GetAge(), Email: old.GetEmail(), City: old.City}
	for _, path := range paths {
		switch path {
		case "name":
			u.Name = given.GetName()
		case "age":
			u.Age = given.GetAge()
		case "email":
			u.Email = given.GetEmail()
		case "city":
			u.City = given.City
		}
	}
	return u
}

// deletion decides to delete the user, which must exist.
func deletion(id string) func(*userv1.User) (*userv1.User, error) {
	return func(old *userv1.User) (*userv1.User, error) {
		if old == nil {
			return nil, notFound(id)
		}
		return nil, nil
	}
}

func notFound(id string) error { return status.Errorf(codes.NotFound, "there is no user %q", id) }

func userOf(event *userv1.UserEvent, err error) (*userv1.User, error) {
	if err != nil {
		return nil, storeError(err)
	}
	return event.GetUser(), nil
}

// storeError gives the store's own errors a code; those of a decision have one.
func storeError(err error) error {
	if errors.Is(err, ErrFull) || errors.Is(err, ErrTooManyWatchers) {
		return status.Error(codes.ResourceExhausted, err.Error())
	}
	return err
}

package gateway

import (
	"context"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	userv1 "ordeal/targets/api/user/v1"
)

// userService is a small user service whose every call can be made to go wrong.
type userService struct {
	userv1.UnimplementedUserServiceServer
	addr     string
	arrivals atomic.Int64 // calls of UserService that came in
	accepted atomic.Int64 // connections
	health   *health.Server
	server   *grpc.Server

	mu   sync.Mutex
	hook func(ctx context.Context, method string) error
	data map[string]*userv1.User
}

// startUsers serves on addr, "127.0.0.1:0" for any, until the test ends.
func startUsers(t testing.TB, addr string) *userService {
	t.Helper()
	u := &userService{data: map[string]*userv1.User{}, health: health.NewServer()}
	u.put(&userv1.User{Id: "42", Name: "Ada", Age: 36})
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	u.addr = l.Addr().String()
	u.server = grpc.NewServer(grpc.UnaryInterceptor(u.intercept))
	userv1.RegisterUserServiceServer(u.server, u)
	grpc_health_v1.RegisterHealthServer(u.server, u.health)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = u.server.Serve(countingListener{l, &u.accepted})
	}()
	t.Cleanup(func() {
		u.server.Stop()
		<-done
	})
	return u
}

type countingListener struct {
	net.Listener
	accepted *atomic.Int64
}

func (l countingListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err == nil {
		l.accepted.Add(1)
	}
	return c, err
}

// on runs hook before each call; an error that it returns is the answer.
func (u *userService) on(hook func(ctx context.Context, method string) error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.hook = hook
}

// failWith answers every call with code; OK ends that.
func (u *userService) failWith(code codes.Code) {
	u.on(func(context.Context, string) error { return status.Error(code, "as told") })
}

func (u *userService) intercept(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	method, ours := strings.CutPrefix(info.FullMethod, "/user.v1.UserService/")
	if ours {
		u.arrivals.Add(1)
		u.mu.Lock()
		hook := u.hook
		u.mu.Unlock()
		if hook != nil {
			if err := hook(ctx, method); err != nil {
				return nil, err
			}
		}
	}
	return next(ctx, req)
}

func (u *userService) put(user *userv1.User) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.data[user.GetId()] = user
}

func (u *userService) find(id string) (*userv1.User, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if user := u.data[id]; user != nil {
		return user, nil
	}
	return nil, status.Errorf(codes.NotFound, "no user %q", id)
}

func (u *userService) GetUser(_ context.Context, r *userv1.GetUserRequest) (*userv1.User, error) {
	return u.find(r.GetUserId())
}

func (u *userService) CreateUser(_ context.Context, r *userv1.CreateUserRequest) (*userv1.User, error) {
	user := r.GetUser()
	if user.GetId() == "" {
		user.Id = "chosen"
	}
	if _, err := u.find(user.GetId()); err == nil {
		return nil, status.Error(codes.AlreadyExists, "id in use")
	}
	u.put(user)
	return user, nil
}

func (u *userService) UpdateUser(_ context.Context, r *userv1.UpdateUserRequest) (*userv1.User, error) {
	if _, err := u.find(r.GetUser().GetId()); err != nil {
		return nil, err
	}
	if r.GetUser().GetRevision() > 1 {
		return nil, status.Error(codes.Aborted, "moved on")
	}
	u.put(r.GetUser())
	return r.GetUser(), nil
}

func (u *userService) DeleteUser(_ context.Context, r *userv1.DeleteUserRequest) (*emptypb.Empty, error) {
	if _, err := u.find(r.GetUserId()); err != nil {
		return nil, err
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.data, r.GetUserId())
	return &emptypb.Empty{}, nil
}

func (u *userService) ListUsers(_ context.Context, r *userv1.ListUsersRequest) (*userv1.ListUsersResponse, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	var page userv1.ListUsersResponse
	for _, user := range u.data {
		page.Users = append(page.Users, user)
	}
	slices.SortFunc(page.Users, func(a, b *userv1.User) int { return strings.Compare(a.GetId(), b.GetId()) })
	if n := int(r.GetPageSize()); n > 0 && n < len(page.Users) {
		page.Users, page.NextPageToken = page.Users[:n], "more"
	}
	return &page, nil
}

package users

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	userv1 "ordeal/targets/api/user/v1"
)

// asProgram makes the test binary be the program.
const asProgram = "USERS_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		os.Exit(Main(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
	}
	goleak.VerifyTestMain(m)
}

// patience is how long a condition may take on a busy machine.
const patience = 20 * time.Second

// instance is a service under test, its client and its log.
type instance struct {
	*Server
	userv1.UserServiceClient
	conn   *grpc.ClientConn
	cancel context.CancelFunc // begins the graceful stop
	served chan error         // Serve's result
	log    *lockedBuffer
}

// start runs a service on ports of the system's choosing, with ten users, until the test ends.
func start(t testing.TB, change func(*Config)) *instance {
	t.Helper()
	var cfg Config
	NewFlagSet(&cfg)
	cfg.Addr, cfg.Admin, cfg.Instance, cfg.SeedUsers = "127.0.0.1:0", "127.0.0.1:0", "users-1", 10
	cfg.DrainDelay, cfg.DrainTimeout = 0, patience
	in := &instance{served: make(chan error, 1), log: new(lockedBuffer)}
	cfg.Log = slog.New(slog.NewJSONHandler(in.log, nil))
	if change != nil {
		change(&cfg)
	}
	server, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	in.Server = server
	ctx, cancel := context.WithCancel(context.Background())
	in.cancel = cancel
	go func() { in.served <- server.Serve(ctx) }()
	<-server.Ready()
	in.conn = dial(t, server.Addr())
	in.UserServiceClient = userv1.NewUserServiceClient(in.conn)
	t.Cleanup(func() {
		cancel()
		server.Stop()
		select {
		case <-in.served:
		case <-time.After(patience):
			t.Error("Serve did not return")
		}
	})
	return in
}

// wait returns Serve's result and leaves one for the cleanup.
func (in *instance) wait(t *testing.T) error {
	t.Helper()
	select {
	case err := <-in.served:
		in.served <- err
		return err
	case <-time.After(patience):
		t.Fatal("Serve did not return")
		return nil
	}
}

func dial(t testing.TB, addr string, options ...grpc.DialOption) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient("passthrough:///"+addr, append(options, grpc.WithTransportCredentials(insecure.NewCredentials()))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func testContext(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// eventually polls until ok, or fails.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %v", what, patience)
		}
	}
}

func wantCode(t testing.TB, err error, want codes.Code) {
	t.Helper()
	if got := status.Code(err); got != want {
		t.Fatalf("code is %v (%v), want %v", got, err, want)
	}
}

// wantViolation wants INVALID_ARGUMENT that names the field in its details.
func wantViolation(t testing.TB, err error, field string) {
	t.Helper()
	wantCode(t, err, codes.InvalidArgument)
	var fields []string
	for _, d := range status.Convert(err).Details() {
		if bad, ok := d.(*errdetails.BadRequest); ok {
			for _, v := range bad.GetFieldViolations() {
				if v.GetField() == field && v.GetDescription() != "" {
					return
				}
				fields = append(fields, v.GetField())
			}
		}
	}
	t.Fatalf("violated fields are %q, want %q (%v)", fields, field, err)
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// gauge is the sum of a metric's series that have all of the label values.
func gauge(t testing.TB, in *instance, name string, values ...string) float64 {
	t.Helper()
	families, err := in.metrics.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var sum float64
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
	series:
		for _, m := range f.GetMetric() {
			var have strings.Builder
			for _, l := range m.GetLabel() {
				have.WriteString("|" + l.GetValue() + "|")
			}
			for _, v := range values {
				if !strings.Contains(have.String(), "|"+v+"|") {
					continue series
				}
			}
			sum += m.GetGauge().GetValue() + m.GetCounter().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	return sum
}

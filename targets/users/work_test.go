package users

import (
	"context"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"

	userv1 "ordeal/targets/api/user/v1"
	"ordeal/targets/work"
)

func TestWorkIsRead(t *testing.T) {
	var w Work
	if err := w.Set(" GetUser=cpu:200us,sleep:1ms; *=sleep:3ms;"); err != nil {
		t.Fatal(err)
	}
	want := work.Cost{CPU: 200 * time.Microsecond, Sleep: time.Millisecond}
	if w["GetUser"] != want || w["*"].Sleep != 3*time.Millisecond || len(w) != 2 {
		t.Errorf("read %v", w)
	}
	if got := w.String(); got != "*=cpu:0s,sleep:3ms;GetUser=cpu:200µs,sleep:1ms" {
		t.Errorf("written %q", got)
	}
	if err := w.Set(""); err != nil || len(w) != 0 {
		t.Errorf("setting nothing leaves %v (%v)", w, err)
	}
}

func TestWrongWorkIsRefused(t *testing.T) {
	for text, want := range map[string]string{
		"GetUser":                             "want METHOD=",
		"GetUsers=cpu:1ms":                    `no method "GetUsers"`,
		"=cpu:1ms":                            `no method ""`,
		"GetUser=cpu":                         "want cpu:DURATION",
		"GetUser=cpu:5":                       "want cpu:DURATION",
		"GetUser=disk:5ms":                    "want cpu or sleep",
		"GetUser=cpu:-5ms":                    "want 0s to",
		"GetUser=sleep:2h":                    "want 0s to",
		"GetUser= ":                           "want METHOD=",
		"GetUser=cpu:1ms;GetUser=sleep:1ms":   "named twice",
		"GetUser=cpu:1ms,sleep:1ms;ListUsers": "want METHOD=",
	} {
		w := Work{"GetUser": {CPU: 1}}
		if err := w.Set(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error is %v, want %q in it", text, err, want)
		}
		if len(w) != 1 {
			t.Errorf("%q: a refused value was taken: %v", text, w)
		}
	}
}

func FuzzWork(f *testing.F) {
	f.Add("GetUser=cpu:200us,sleep:1ms;*=sleep:0s")
	f.Add("Sync=cpu:1m;;")
	f.Fuzz(func(t *testing.T, text string) {
		var w, again Work
		if w.Set(text) != nil {
			return
		}
		if err := again.Set(w.String()); err != nil || again.String() != w.String() {
			t.Errorf("%q is written %q, and that is read %q (%v)", text, w.String(), again.String(), err)
		}
	})
}

func TestWorkIsOfTheServicesOwnMethods(t *testing.T) {
	sleep := work.Cost{Sleep: time.Millisecond}
	l := newLabour(Work{"GetUser": {CPU: time.Millisecond}, "*": sleep})
	for method, want := range map[string]work.Cost{
		userv1.UserService_GetUser_FullMethodName: {CPU: time.Millisecond},
		userv1.UserService_Sync_FullMethodName:    sleep,
		healthv1.Health_Check_FullMethodName:      {},
	} {
		if got := l.costs[method]; got != want {
			t.Errorf("%s costs %+v, want %+v", method, got, want)
		}
	}
}

// TestStreamsPayForEachMessage counts the time of streams with three messages in the direction that pays.
func TestStreamsPayForEachMessage(t *testing.T) {
	const each = 40 * time.Millisecond
	in := start(t, func(c *Config) { c.Work = Work{"*": {Sleep: each}} })
	ctx := testContext(t)
	for name, run := range map[string]func() error{
		"WatchUsers": func() error {
			stream, err := in.WatchUsers(ctx, &userv1.WatchUsersRequest{Replay: true, MaxEvents: 3})
			if err == nil {
				_, err = events(stream)
			}
			return err
		},
		"ImportUsers": func() error {
			stream, err := in.ImportUsers(ctx)
			for i := 0; err == nil && i < 3; i++ {
				err = stream.Send(&userv1.ImportUsersRequest{User: &userv1.User{Name: "Ada"}})
			}
			if err == nil {
				_, err = stream.CloseAndRecv()
			}
			return err
		},
		"Sync": func() error {
			stream, err := in.Sync(ctx)
			for i := 0; err == nil && i < 3; i++ {
				if err = stream.Send(&userv1.SyncRequest{Change: &userv1.SyncRequest_GetId{GetId: "1"}}); err == nil {
					_, err = stream.Recv()
				}
			}
			return err
		},
	} {
		began := time.Now()
		if err := run(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if took := time.Since(began); took < 3*each {
			t.Errorf("%s: three messages took %v, want at least %v", name, took, 3*each)
		}
	}
}

func TestWorkOfACallEndsWithItsDeadline(t *testing.T) {
	in := start(t, func(c *Config) { c.Work = Work{"GetUser": {Sleep: work.Longest}, "ListUsers": {CPU: work.Longest}} })
	for method, call := range map[string]func(context.Context) error{
		"GetUser": func(ctx context.Context) error {
			_, err := in.GetUser(ctx, &userv1.GetUserRequest{UserId: "1"})
			return err
		},
		"ListUsers": func(ctx context.Context) error {
			_, err := in.ListUsers(ctx, &userv1.ListUsersRequest{})
			return err
		},
	} {
		eventually(t, "a call reaches "+method+" in time", func() bool {
			ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
			defer cancel()
			wantCode(t, call(ctx), codes.DeadlineExceeded)
			return gauge(t, in, "grpc_server_started_total", method) > 0
		})
		eventually(t, "the work of "+method+" ends as well", func() bool {
			return gauge(t, in, "grpc_server_handled_total", method) == gauge(t, in, "grpc_server_started_total", method)
		})
	}
}

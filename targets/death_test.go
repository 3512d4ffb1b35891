package targets

import (
	"context"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"ordeal/runner/evidence"
)

// start launches one command whose programs answer on HTTP.
func start(t *testing.T, l *Launcher, args ...string) (*Target, *Process) {
	t.Helper()
	spec := command(args[0], append(args, "${addr}")...)
	spec.Ready = &Ready{HTTP: "/", Within: 15 * time.Second}
	target, err := l.Start(context.Background(), spec, nil)
	if err != nil {
		t.Fatal(err)
	}
	return target, target.Processes()[0]
}

// crash asks the fixture to end on its own, and returns once it is dead.
func crash(t *testing.T, p *Process) {
	t.Helper()
	pid := p.PID()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 5 * time.Second}
	if resp, err := client.Get("http://" + p.Addr() + "/die"); err == nil {
		resp.Body.Close()
	}
	eventually(t, "it is dead", func() bool { return !alive(pid) })
}

func TestCrashJustBeforeTheEndIsNotExpected(t *testing.T) {
	for _, fixture := range []string{"serve", "family", "daemon"} {
		t.Run(fixture, func(t *testing.T) {
			l, rec := launch(t)
			target, p := start(t, l, fixture)
			if child := childOf(p); child > 1 {
				t.Cleanup(func() { _ = syscall.Kill(child, syscall.SIGKILL) })
			}
			crash(t, p)
			if err := target.stop(context.Background()); err != nil {
				t.Errorf("the end of a run with a target that is gone: %v", err)
			}
			exit, ok := rec.find(evidence.TargetExit)
			if !ok {
				t.Fatal("stop returned before the end of the target was told")
			}
			if exit.Expected || !strings.Contains(exit.Text, "exit status 3") || !strings.Contains(exit.Text, "last words") {
				t.Errorf("the event is %+v, want an unexpected exit status 3 with the last output", exit)
			}
		})
	}
}

func TestDeathIsSeenAtOnceThoughTheOutputIsHeld(t *testing.T) {
	l, rec := launch(t)
	_, p := start(t, l, "daemon")
	child := childOf(p)
	if child <= 1 {
		t.Fatalf("the daemon has no child: %q", p.out.last())
	}
	t.Cleanup(func() { _ = syscall.Kill(child, syscall.SIGKILL) })
	crash(t, p)
	dead := l.cfg.Clock.Now()
	eventually(t, "it is known not to run", func() bool { return p.PID() == 0 })
	if err := p.Healthy(context.Background()); err == nil {
		t.Error("a dead target is healthy")
	}
	if _, ok := rec.find(evidence.TargetExit); ok {
		t.Error("its end was told before its output was closed or the bound was over: the test shows nothing")
	}
	eventually(t, "its end is told", func() bool { _, ok := rec.find(evidence.TargetExit); return ok })
	exit, _ := rec.find(evidence.TargetExit)
	if late := exit.At - dead; late > drainWithin/2 {
		t.Errorf("the event is dated %v after the death", late)
	}
}

func TestStartAfterACrashWaitsUntilItIsTold(t *testing.T) {
	l, rec := launch(t)
	_, p := start(t, l, "serve")
	crash(t, p)
	eventually(t, "it is known not to run", func() bool { return p.PID() == 0 })
	if err := p.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	var kinds []string
	rec.mu.Lock()
	for _, e := range rec.events {
		kinds = append(kinds, string(e.Kind))
	}
	rec.mu.Unlock()
	want := "target-start target-ready target-exit target-start target-ready"
	if got := strings.Join(kinds, " "); got != want {
		t.Errorf("the events are %q, want %q", got, want)
	}
}

func TestSignalsToWhatIsDead(t *testing.T) {
	l, rec := launch(t)
	target, p := start(t, l, "serve")
	if err := p.Pause(); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(p.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is known not to run", func() bool { return p.PID() == 0 })
	ctx := context.Background()
	if err := p.Resume(); err != nil {
		t.Errorf("to resume what ended while it was paused: %v, want it taken as ended", err)
	}
	if _, ok := rec.find(evidence.TargetResumed); ok {
		t.Error("what is dead was called resumed")
	}
	for what, err := range map[string]error{"kill": p.Kill(ctx), "terminate": p.Terminate(ctx), "pause": p.Pause()} {
		if err == nil {
			t.Errorf("%s: no error though the process is dead", what)
		}
	}
	if err := target.stop(ctx); err != nil {
		t.Errorf("stop: %v", err)
	}
}

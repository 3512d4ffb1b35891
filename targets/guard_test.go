package targets

import (
	"context"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"ordeal/runner/evidence"
)

func TestGuardThatEndsDuringTheRunAbortsIt(t *testing.T) {
	lost := make(chan error, 2)
	rec := &recorder{}
	l, err := NewLauncher(Config{Self: []string{os.Args[0]}, Clock: evidence.NewClock(), Sink: rec, Abort: func(err error) { lost <- err }})
	if err != nil {
		t.Fatal(err)
	}
	_, p := start(t, l, "serve")
	if err := syscall.Kill(l.guard.pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-lost:
		if !strings.Contains(err.Error(), "guard") || !strings.Contains(err.Error(), "killed") {
			t.Errorf("told %v, want the guard and its end", err)
		}
	case <-time.After(20 * time.Second):
		t.Error("nobody was told")
	}
	if err := p.Kill(context.Background()); err != nil {
		t.Errorf("a target can be ended all the same: %v", err)
	}
	if exit, _ := rec.find(evidence.TargetExit); strings.Contains(exit.Text, "guard") {
		t.Errorf("the event of the target speaks of the guard: %q", exit.Text)
	}
	if err := p.Start(context.Background()); err == nil {
		t.Error("a target was started that nothing guards")
	}
	if err := l.Close(context.Background()); err != nil {
		t.Errorf("close: %v, want what was told not said again", err)
	}
	if len(lost) > 0 {
		t.Errorf("told again: %v", <-lost)
	}
}

func TestGuardThatEndsIsSaidByCloseWhereNobodyElseIsTold(t *testing.T) {
	g, err := startGuard([]string{os.Args[0]}, newMarker(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(g.pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-g.ended
	if err := g.close(); err == nil || !strings.Contains(err.Error(), "ended during the run") {
		t.Errorf("got %v, want that the guard was lost", err)
	}
}

func TestGuardThatIsClosedIsNotLost(t *testing.T) {
	g, err := startGuard([]string{os.Args[0]}, newMarker(), func(err error) { t.Errorf("told %v", err) })
	if err != nil {
		t.Fatal(err)
	}
	if err := g.close(); err != nil {
		t.Error(err)
	}
}

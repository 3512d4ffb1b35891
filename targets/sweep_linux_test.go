package targets

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"

	"ordeal/runner/evidence"
)

func TestCloseEndsAProcessThatHasLeftItsGroup(t *testing.T) {
	rec := &recorder{}
	l, err := NewLauncher(Config{Self: []string{os.Args[0]}, Clock: evidence.NewClock(), Sink: rec})
	if err != nil {
		t.Fatal(err)
	}
	_, p := start(t, l, "daemon")
	child := childOf(p)
	if child <= 1 || !alive(child) {
		t.Fatalf("the daemon has no child: %q", p.out.last())
	}
	if err := p.Kill(context.Background()); err != nil {
		t.Fatal(err)
	}
	if !alive(child) {
		t.Error("the child went with the group: the test shows nothing")
	}
	if err := l.Close(context.Background()); err != nil {
		t.Error(err)
	}
	eventually(t, "the child is gone", func() bool { return !alive(child) })
	if note, ok := rec.find(evidence.Note); !ok || !strings.HasSuffix(note.Text, " idle") {
		t.Errorf("the event of it is %+v, want its command line", note)
	}
}

func TestSweepSparesOtherRunsAndItself(t *testing.T) {
	mine, other := newMarker(), newMarker()
	name, value, _ := strings.Cut(mine, "=")
	t.Setenv(name, value) // inherited by what is started
	run := func(env ...string) *exec.Cmd {
		cmd := exec.Command(os.Args[0], "idle")
		cmd.Env = append(os.Environ(), env...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
		return cmd
	}
	ours, spared, longer := run(), run(other), run(mine+"x")
	swept := sweep(mine)
	if len(swept) != 1 {
		t.Errorf("swept %q, want one process", swept)
	}
	eventually(t, "the marked process is gone", func() bool { return !alive(ours.Process.Pid) })
	if !alive(spared.Process.Pid) || !alive(longer.Process.Pid) {
		t.Error("a process of another run was ended")
	}
}

func TestSweepSparesTheSweeper(t *testing.T) {
	marker := newMarker()
	guard := exec.Command(os.Args[0], GuardVerb)
	guard.Env, guard.Stdin = append(os.Environ(), marker), strings.NewReader(marker+"\n")
	if err := guard.Run(); err != nil {
		t.Errorf("a guard that carries the marker itself: %v", err)
	}
}

func TestGuardIsNotMarkedByTheRunThatItIsIn(t *testing.T) {
	outer := newMarker()
	name, value, _ := strings.Cut(outer, "=")
	t.Setenv(name, value)
	g, err := startGuard([]string{os.Args[0]}, newMarker(), nil)
	if err != nil {
		t.Fatal(err)
	}
	sweep(outer)
	if err := g.close(); err != nil {
		t.Errorf("the guard did not outlive the sweep of another run: %v", err)
	}
}

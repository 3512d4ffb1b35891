package guard

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestMain makes the test binary the guard, or a process that only waits.
func TestMain(m *testing.M) {
	switch {
	case len(os.Args) > 1 && os.Args[1] == Verb:
		if err := Watch(os.Stdin); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	case len(os.Args) > 1 && os.Args[1] == "idle":
		fmt.Println("idle")
		time.Sleep(time.Hour) // it is killed long before
	}
	os.Exit(m.Run())
}

// idle starts a process with a mark that only waits, and gives a channel that is closed when it has ended.
func idle(t *testing.T, mark string) (*exec.Cmd, <-chan struct{}) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "idle")
	cmd.Env = append(os.Environ(), mark)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // out of everybody's group
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil { // it is itself by now
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
	})
	return cmd, ended
}

func await(t *testing.T, what string, done <-chan struct{}) {
	t.Helper()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		t.Fatalf("not there: %s", what)
	}
}

// filled is a directory with something in it.
func filled(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "filled")
	if err := os.MkdirAll(filepath.Join(dir, "a", "b"), 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestCloseEndsWhatCarriesTheMarkAndRemovesTheDirectory(t *testing.T) {
	mark, dir := NewMark(), filled(t)
	g, err := Start(os.Args[0], mark, dir)
	if err != nil {
		t.Fatal(err)
	}
	mine, ended := idle(t, mark)
	other, _ := idle(t, mark+"X")
	if found := Marked(mark); len(found) != 1 || found[0] != mine.Process.Pid {
		t.Fatalf("marked are %v, want %d", found, mine.Process.Pid)
	}
	if err := g.Close(); err != nil {
		t.Error(err)
	}
	await(t, "the end of the process", ended)
	if found := Marked(mark + "X"); len(found) != 1 || found[0] != other.Process.Pid {
		t.Errorf("of another control plane are left %v, want %d", found, other.Process.Pid)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the directory: %v, want it gone", err)
	}
}

func TestDead(t *testing.T) {
	cmd, _ := idle(t, NewMark())
	if Dead(cmd.Process.Pid) || Dead(os.Getpid()) {
		t.Error("a process that runs is dead")
	}
	unreaped := exec.Command(os.Args[0], "idle")
	if err := unreaped.Start(); err != nil {
		t.Fatal(err)
	}
	if err := unreaped.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	awaitDeath(unreaped.Process.Pid, time.Now().Add(20*time.Second))
	if !Dead(unreaped.Process.Pid) {
		t.Error("a process that was killed, and that nobody has waited for, is not dead")
	}
	if err := unreaped.Wait(); err == nil || !Dead(unreaped.Process.Pid) {
		t.Errorf("a process that was waited for is not dead: %v", err)
	}
}

func TestGuardHoldsFilesUntilItEnds(t *testing.T) {
	dir := filled(t)
	lock, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	g, err := Start(os.Args[0], NewMark(), dir, lock)
	if err != nil {
		t.Fatal(err)
	}
	again, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	lock.Close()
	if err := syscall.Flock(int(again.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); !errors.Is(err, syscall.EWOULDBLOCK) {
		t.Errorf("lock while the guard is there: %v, want that it is held", err)
	}
	if err := g.Close(); err != nil {
		t.Error(err)
	}
	if err := syscall.Flock(int(again.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		t.Errorf("lock when it has ended: %v", err)
	}
}

func TestGuardThatEndsEarlyIsLost(t *testing.T) {
	dir := filled(t)
	g, err := Start(os.Args[0], NewMark(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(g.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	await(t, "word that the guard has ended", g.Ended())
	if err := g.Close(); !errors.Is(err, ErrLost) {
		t.Errorf("close: %v, want that the guard was lost", err)
	}
	if _, err := os.Stat(dir); err != nil {
		t.Errorf("the directory: %v", err)
	}
}

func TestGuardIsNotMarkedItself(t *testing.T) {
	outer := NewMark()
	name, value, _ := strings.Cut(outer, "=")
	t.Setenv(name, value)
	g, err := Start(os.Args[0], NewMark(), filled(t))
	if err != nil {
		t.Fatal(err)
	}
	Sweep(outer)
	if err := g.Close(); err != nil {
		t.Errorf("the guard did not outlive the sweep of another control plane: %v", err)
	}
}

func TestGuardOfNothing(t *testing.T) {
	if err := Watch(strings.NewReader("")); err != nil {
		t.Errorf("the supervisor has died before it said anything: %v", err)
	}
	if err := Watch(strings.NewReader(NewMark() + "\n")); err != nil {
		t.Errorf("the supervisor has died in the middle: %v", err)
	}
	if _, err := Start(os.Args[0], NewMark(), "/tmp/a\n/home"); err == nil {
		t.Error("a directory of two lines is no error")
	}
}

func TestCloseRemovesControlGroups(t *testing.T) {
	groups := filepath.Join(t.TempDir(), "localkube-test")
	if err := os.MkdirAll(filepath.Join(groups, "a"), 0o700); err != nil {
		t.Fatal(err)
	}
	g, err := Start(os.Args[0], NewMark(), filled(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Groups("/sys\n/home"); err == nil {
		t.Error("a directory of two lines is no error")
	}
	if err := g.Groups(groups); err != nil {
		t.Fatal(err)
	}
	if err := g.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(groups); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the control groups: %v, want them gone", err)
	}
}

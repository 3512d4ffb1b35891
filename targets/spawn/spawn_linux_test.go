package spawn

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
)

func TestAProcessIsPlacedBeforeItBegins(t *testing.T) {
	s := New()
	defer s.Close()
	begun := filepath.Join(t.TempDir(), "begun")
	cmd := exec.Command("/bin/sh", "-c", "echo >"+begun)
	err := s.StartIn(cmd, func(pid int) error {
		if exe, err := os.Readlink(filepath.Join("/proc", strconv.Itoa(pid), "exe")); err != nil || filepath.Base(exe) == filepath.Base(os.Args[0]) {
			t.Errorf("it is %s, %v: want that it is the program already", exe, err)
		}
		if _, err := os.Stat(begun); err == nil {
			t.Error("it has begun before it was placed")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("it ended with %v", err)
	}
	if _, err := os.Stat(begun); err != nil {
		t.Errorf("it has not run: %v", err)
	}
}

func TestAProcessThatCannotBePlacedIsNoMore(t *testing.T) {
	s := New()
	defer s.Close()
	full, begun := errors.New("full"), filepath.Join(t.TempDir(), "begun")
	cmd := exec.Command("/bin/sh", "-c", "echo >"+begun)
	if err := s.StartIn(cmd, func(int) error { return full }); !errors.Is(err, full) {
		t.Errorf("start: %v, want why it could not be placed", err)
	}
	if _, err := os.Stat(begun); err == nil || cmd.ProcessState == nil {
		t.Errorf("it has run, or is not waited for: %v, %v", err, cmd.ProcessState)
	}
}

func TestCloseEndsWhatRuns(t *testing.T) {
	s := New()
	placed, plain := exec.Command("/bin/sleep", "1000"), exec.Command("/bin/sleep", "1000")
	if err := errors.Join(s.Start(plain), s.StartIn(placed, func(int) error { return nil })); err != nil {
		t.Fatal(err)
	}
	s.Close()
	for _, cmd := range []*exec.Cmd{plain, placed} {
		if err := cmd.Wait(); err == nil || err.Error() != "signal: killed" {
			t.Errorf("it ended with %v, want that it was killed", err)
		}
	}
	if err := s.Start(exec.Command("/bin/true")); !errors.Is(err, ErrClosed) {
		t.Errorf("start after the end: %v", err)
	}
}

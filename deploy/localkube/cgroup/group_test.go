package cgroup

import (
	"crypto/rand"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ordeal/targets/spawn"
)

// tree makes a tree on this machine, or skips the test where that is not possible.
func tree(t *testing.T) *Tree {
	t.Helper()
	found, err := Find()
	if err == nil {
		err = found.Make()
	}
	if err != nil {
		t.Skipf("no limits of CPU on this machine: %v", err)
	}
	t.Cleanup(func() {
		if err := Remove(found.Dir()); err != nil {
			t.Error(err)
		}
	})
	return found
}

func read(t *testing.T, dir, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(text))
}

// unified is a tree of a version 2 hierarchy, and a group in it without a limit: the controller may be another's. The
// test is skipped where there is none.
func unified(t *testing.T) (*Tree, *Group) {
	t.Helper()
	mountinfo := read(t, "/proc/self", "mountinfo")
	_, own := ownGroups(read(t, "/proc/self", "cgroup"))
	at, err := locate(mountinfo, "0::"+own)
	if err != nil {
		t.Skipf("no groups of version 2 on this machine: %v", err)
	}
	there := &Tree{dir: filepath.Join(at.own, prefix+"test-"+rand.Text()), version: 2}
	g := &Group{dir: filepath.Join(there.dir, "pod")}
	t.Cleanup(func() {
		if err := Remove(there.Dir()); err != nil {
			t.Error(err)
		}
	})
	if err := os.MkdirAll(g.dir, 0o700); err != nil {
		t.Skipf("no groups of version 2 can be made on this machine: %v", err)
	}
	return there, g
}

func TestRemoveEndsWhatIsInTheTree(t *testing.T) {
	t.Run("with limits", func(t *testing.T) {
		there := tree(t)
		g, err := there.Group("pod", 500)
		if err != nil {
			t.Fatal(err)
		}
		endsWhatIsIn(t, there, g)
	})
	t.Run("version 2", func(t *testing.T) {
		there, g := unified(t)
		endsWhatIsIn(t, there, g)
	})
}

// endsWhatIsIn puts processes into the group and removes the tree.
func endsWhatIsIn(t *testing.T, there *Tree, g *Group) {
	t.Helper()
	s := spawn.New()
	defer s.Close()
	// The child leaves its session, and its environment carries nothing.
	cmd := exec.Command("/bin/sh", "-c", "setsid env -i sleep 1000 & exec sleep 1000")
	if err := s.StartIn(cmd, g.Add); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(20 * time.Second); len(members(g.dir)) != 2; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("in the group are %v, want two processes", members(g.dir))
		}
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	if err := Remove(there.Dir()); err != nil {
		t.Error(err)
	}
	if err := <-ended; err == nil || !strings.Contains(err.Error(), "killed") {
		t.Errorf("the process ended with %v, want that it was killed", err)
	}
	if _, err := os.Stat(there.Dir()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the tree: %v, want it gone", err)
	}
	if err := Remove(there.Dir()); err != nil {
		t.Errorf("removed again: %v", err)
	}
}

func TestRemoveTakesNothingButTrees(t *testing.T) {
	dir := t.TempDir()
	for _, other := range []string{dir, "/", "localkube-relative", filepath.Join(dir, "other")} {
		if err := Remove(other); err == nil {
			t.Errorf("%s was taken for a tree", other)
		}
	}
	if _, err := os.Stat(dir); err != nil {
		t.Error(err)
	}
}

func TestQuota(t *testing.T) {
	for milli, want := range map[int64]string{200: "20000", 1: "1000", 2500: "250000"} {
		dir := hierarchy(t, map[string]string{"v1/cpu.cfs_period_us": "", "v1/cpu.cfs_quota_us": "", "v2/cpu.max": ""})
		for version, name := range map[int]string{1: "v1", 2: "v2"} {
			if _, err := (&Tree{dir: dir, version: version}).Group(name, milli); err != nil {
				t.Fatal(err)
			}
		}
		if period, quota := read(t, dir, "v1/cpu.cfs_period_us"), read(t, dir, "v1/cpu.cfs_quota_us"); period != "100000" || quota != want {
			t.Errorf("%dm: version 1 has %s of %s, want %s of 100000", milli, quota, period, want)
		}
		if max := read(t, dir, "v2/cpu.max"); max != want+" 100000" {
			t.Errorf("%dm: version 2 has %q, want %s 100000", milli, max, want)
		}
	}
}

func TestMakeLeavesNothingWhereItIsNotAllowed(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "absent")
	if err := (&Tree{dir: filepath.Join(dir, prefix+"x"), version: 1}).Make(); err == nil || !strings.Contains(err.Error(), "make a control group") {
		t.Errorf("below a directory that is not there: %v", err)
	}
	// A directory of no hierarchy has no files to be written to.
	for version := 1; version <= 2; version++ {
		plain := filepath.Join(t.TempDir(), prefix+"x")
		if err := (&Tree{dir: plain, version: version}).Make(); err == nil || !strings.Contains(err.Error(), "set up a control group") {
			t.Errorf("version %d outside of a hierarchy: %v", version, err)
		}
		if _, err := os.Stat(plain); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("version %d: %v, want that nothing is left", version, err)
		}
	}
}

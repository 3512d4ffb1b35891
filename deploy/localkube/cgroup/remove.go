package cgroup

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A group can be removed when its processes are dead, which takes a moment after they were killed.
const (
	removeEvery  = 5 * time.Millisecond
	removeWithin = 5 * time.Second
)

// Remove kills what is in the groups of the tree at dir and removes them, and it. A tree that is not there, and "", are
// removed already; what is no tree is refused.
func Remove(dir string) error {
	if dir == "" {
		return nil
	}
	if !filepath.IsAbs(dir) || !strings.HasPrefix(filepath.Base(dir), prefix) {
		return fmt.Errorf("remove control groups: %s is none of localkube's", dir)
	}
	return remove(dir)
}

// remove removes a group with those below it, deepest first. Files of a group go with it.
func remove(dir string) error {
	for deadline := time.Now().Add(removeWithin); ; time.Sleep(removeEvery) {
		err := removeNow(dir)
		if !errors.Is(err, syscall.EBUSY) {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("its processes do not die within %v: %w", removeWithin, err)
		}
	}
}

func removeNow(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("remove control group %s: %w", dir, err)
	}
	for _, e := range entries {
		if e.IsDir() {
			if err := removeNow(filepath.Join(dir, e.Name())); err != nil {
				return err
			}
		}
	}
	killAll(dir)
	if err := syscall.Rmdir(dir); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("remove control group %s: %w", dir, err)
	}
	return nil
}

// killAll sends SIGKILL to every process of a group.
func killAll(dir string) {
	for _, pid := range members(dir) {
		p, err := os.FindProcess(pid) // a handle: the id may be another's by the time of the signal
		if err != nil {
			continue
		}
		if slices.Contains(members(dir), pid) {
			_ = p.Signal(syscall.SIGKILL) // what is dead already needs none
		}
		_ = p.Release() // nothing of it is kept
	}
}

// members are the processes of a group; none where it is gone.
func members(dir string) []int {
	text, _ := os.ReadFile(filepath.Join(dir, "cgroup.procs"))
	var pids []int
	for field := range strings.FieldsSeq(string(text)) {
		if pid, err := strconv.Atoi(field); err == nil && pid > 0 { // 0: of another namespace
			pids = append(pids, pid)
		}
	}
	return pids
}

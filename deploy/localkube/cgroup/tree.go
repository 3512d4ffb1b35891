package cgroup

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"ordeal/targets/spawn"
)

// prefix begins the name of every tree: nothing else is ever removed.
const prefix = "localkube-"

// Tree is a directory of groups, for one control plane.
type Tree struct {
	dir     string
	version int
}

// Find chooses a directory for a tree, which is not there yet: who is to remove it can be told first. It is an error,
// which says why, where limits cannot be.
func Find() (*Tree, error) {
	mountinfo, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, fmt.Errorf("find control groups: %w", err)
	}
	groups, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return nil, fmt.Errorf("find control groups: %w", err)
	}
	at, err := locate(string(mountinfo), string(groups))
	if err != nil {
		return nil, err
	}
	parent, err := at.parent()
	if err != nil {
		return nil, err
	}
	return &Tree{dir: filepath.Join(parent, prefix+rand.Text()), version: at.version}, nil
}

// parent is the group below which there can be others with limits of CPU. With version 1 that is the own one. With
// version 2 it is the nearest from there up that gives the controller to its children: a group with processes, as the
// own one, cannot. Nothing is switched on there, for that would stay.
func (p place) parent() (string, error) {
	if p.version == 1 {
		return p.own, nil
	}
	for dir := p.own; ; dir = filepath.Dir(dir) {
		given, err := os.ReadFile(filepath.Join(dir, "cgroup.subtree_control"))
		if err != nil {
			return "", fmt.Errorf("look for a group with the controller cpu: %w", err)
		}
		if hasCPU(given) {
			return dir, nil
		}
		if dir == p.top || dir == filepath.Dir(dir) {
			break
		}
	}
	has, err := os.ReadFile(filepath.Join(p.top, "cgroup.controllers"))
	if err != nil {
		return "", fmt.Errorf("look for a group with the controller cpu: %w", err)
	}
	if !hasCPU(has) {
		return "", fmt.Errorf("cgroup v2 at %s has no controller cpu", p.top)
	}
	return "", fmt.Errorf("no group from %s up to %s has cpu in its cgroup.subtree_control", p.own, p.top)
}

func hasCPU(controllers []byte) bool {
	return slices.Contains(strings.Fields(string(controllers)), "cpu")
}

// Make makes the directory, and finds out by trying whether limits can be set in it and a process put there. Nothing of
// it is left after an error.
func (t *Tree) Make() (err error) {
	if err := os.Mkdir(t.dir, 0o755); err != nil {
		return fmt.Errorf("make a control group: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, Remove(t.dir))
		}
	}()
	if t.version == 2 {
		if err := write(t.dir, "cgroup.subtree_control", "+cpu"); err != nil {
			return err
		}
	}
	return t.try()
}

var errTried = errors.New("only tried")

// try starts this program in a group, and kills it before it executes anything.
func (t *Tree) try() error {
	g, err := t.Group("trial", 1000)
	if err != nil {
		return err
	}
	s := spawn.New()
	defer s.Close()
	var added error
	err = s.StartIn(exec.Command("/proc/self/exe"), func(pid int) error {
		added = g.Add(pid)
		return errTried
	})
	if errors.Is(err, errTried) {
		err = added
	}
	return errors.Join(err, g.Remove())
}

// Dir is the directory, for Remove.
func (t *Tree) Dir() string { return t.dir }

// Version is that of the control groups: 1 or 2.
func (t *Tree) Version() int { return t.version }

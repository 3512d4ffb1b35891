package cgroup

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// Group is a control group with a limit of CPU.
type Group struct{ dir string }

// The kubelet's figures: of each period, in microseconds, processes get so much in all.
const (
	period     = 100_000
	leastQuota = 1_000 // the kernel takes no less
)

// Group makes the group of a name in which processes together get so many thousandths of a processor.
func (t *Tree) Group(name string, milli int64) (*Group, error) {
	g := &Group{dir: filepath.Join(t.dir, name)}
	if err := os.Mkdir(g.dir, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
		return nil, fmt.Errorf("make a control group: %w", err)
	}
	if err := g.limit(t.version, max(milli*period/1000, leastQuota)); err != nil {
		return nil, errors.Join(err, g.Remove())
	}
	return g, nil
}

func (g *Group) limit(version int, quota int64) error {
	if version == 2 {
		return write(g.dir, "cpu.max", fmt.Sprintf("%d %d", quota, period))
	}
	if err := write(g.dir, "cpu.cfs_period_us", strconv.Itoa(period)); err != nil {
		return err
	}
	err := write(g.dir, "cpu.cfs_quota_us", strconv.FormatInt(quota, 10))
	if errors.Is(err, syscall.EINVAL) {
		return nil // a group above allows less than this, and holds as it is
	}
	return err
}

// Add puts a process into the group, with all its threads. What it starts from then on is in the group, too.
func (g *Group) Add(pid int) error { return write(g.dir, "cgroup.procs", strconv.Itoa(pid)) }

// Remove kills what is in the group and removes it.
func (g *Group) Remove() error { return remove(g.dir) }

// write writes to a file of the kernel's. It makes none.
func write(dir, name, text string) error {
	f, err := os.OpenFile(filepath.Join(dir, name), os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("set up a control group: %w", err)
	}
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("set up a control group: %w", err)
	}
	return nil
}

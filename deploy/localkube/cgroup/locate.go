// Package cgroup bounds what processes use of the CPU, by control groups below one directory of their own: of cgroup v1
// or v2, whichever has the controller cpu on this machine.
package cgroup

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// place is where this process stands in the hierarchy that has the controller cpu.
type place struct {
	version int    // 1 or 2
	own     string // the directory of the process's own group
	top     string // where the hierarchy is mounted: what is above cannot be seen
}

// locate finds the place from what /proc/self/mountinfo and /proc/self/cgroup say. That a hierarchy of version 2 has
// the controller is not said there.
func locate(mountinfo, cgroups string) (place, error) {
	first, unified := ownGroups(cgroups)
	var seen []mount
	for line := range strings.Lines(mountinfo) {
		if m, ok := parseMount(line); ok {
			seen = append(seen, m)
		}
	}
	switch {
	case first != "": // a controller is of one version or the other, never of both
		return placeIn(seen, 1, first)
	case unified != "":
		return placeIn(seen, 2, unified)
	default:
		return place{}, errors.New("the kernel has no control groups with the controller cpu")
	}
}

// ownGroups gives the paths of the group of version 1 that has the controller cpu, and of the one of version 2; "" where
// there is none.
func ownGroups(cgroups string) (first, unified string) {
	for line := range strings.Lines(cgroups) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3) // hierarchy, controllers, path
		if len(parts) < 3 {
			continue
		}
		if parts[0] == "0" && parts[1] == "" {
			unified = parts[2]
		} else if slices.Contains(strings.Split(parts[1], ","), "cpu") {
			first = parts[2]
		}
	}
	return first, unified
}

// mount is a hierarchy of groups as it is mounted.
type mount struct {
	version int
	root    string // the group that is shown at dir
	dir     string
}

// parseMount reads a line of mountinfo; not ok where it is no hierarchy that can have the controller cpu. See proc(5).
func parseMount(line string) (mount, bool) {
	before, after, ok := strings.Cut(strings.TrimSpace(line), " - ")
	fields, of := strings.Fields(before), strings.Fields(after)
	if !ok || len(fields) < 5 || len(of) < 3 {
		return mount{}, false
	}
	m := mount{root: unescape(fields[3]), dir: unescape(fields[4])}
	switch {
	case of[0] == "cgroup" && slices.Contains(strings.Split(of[2], ","), "cpu"):
		m.version = 1
	case of[0] == "cgroup2":
		m.version = 2
	default:
		return mount{}, false
	}
	return m, true
}

// unescape undoes what mountinfo does to spaces and the like.
var unescape = strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace

// placeIn finds the directory of a group in the mounts of its version.
func placeIn(mounts []mount, version int, group string) (place, error) {
	mounted := false
	for _, m := range mounts {
		if m.version != version {
			continue
		}
		mounted = true
		below, err := filepath.Rel(m.root, group)
		if err == nil && below != ".." && !strings.HasPrefix(below, "../") && !strings.HasPrefix(group, "/..") {
			return place{version: version, own: filepath.Join(m.dir, below), top: m.dir}, nil
		}
	}
	if !mounted {
		return place{}, fmt.Errorf("cgroup v%d is not mounted", version)
	}
	return place{}, fmt.Errorf("the own group %s is not below what is mounted of cgroup v%d", group, version)
}

package cgroup

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	mountV1 = `25 30 0:22 / /proc rw,nosuid - proc proc rw
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:9 - cgroup cgroup rw,cpu,cpuacct
33 31 0:30 / /sys/fs/cgroup/cpuset rw,nosuid - cgroup cgroup rw,cpuset
`
	mountV2       = "29 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 master:2 - cgroup2 cgroup2 rw,nsdelegate\n"
	mountUnified  = "34 31 0:27 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
	mountInDocker = "700 699 0:29 /docker/abc /sys/fs/cgroup/cpu ro,nosuid master:10 - cgroup cgroup rw,cpu\n"
)

func TestLocate(t *testing.T) {
	for name, tc := range map[string]struct {
		mountinfo, cgroups string
		want               place
		err                string
	}{
		"v1": {mountV1, "9:cpuset:/\n4:cpuacct,cpu:/user.slice\n", place{1, "/sys/fs/cgroup/cpu,cpuacct/user.slice", "/sys/fs/cgroup/cpu,cpuacct"}, ""},
		"v2": {mountV2, "0::/user.slice/session-1.scope\n",
			place{2, "/sys/fs/cgroup/user.slice/session-1.scope", "/sys/fs/cgroup"}, ""},
		"hybrid, the controller in v1": {mountUnified + mountV1, "4:cpu,cpuacct:/a\n0::/b\n", place{1, "/sys/fs/cgroup/cpu,cpuacct/a", "/sys/fs/cgroup/cpu,cpuacct"}, ""},
		"hybrid, the controller in v2": {mountUnified + strings.ReplaceAll(mountV1, ",cpuacct", "x"), "4:cpuset:/a\n0::/b\n",
			place{2, "/sys/fs/cgroup/unified/b", "/sys/fs/cgroup/unified"}, ""},
		"a part is mounted":           {mountInDocker, "4:cpu:/docker/abc/deep\n", place{1, "/sys/fs/cgroup/cpu/deep", "/sys/fs/cgroup/cpu"}, ""},
		"the own group is what shows": {mountInDocker, "4:cpu:/docker/abc\n", place{1, "/sys/fs/cgroup/cpu", "/sys/fs/cgroup/cpu"}, ""},
		"another part is mounted":     {mountInDocker, "4:cpu:/docker/abcd\n", place{}, "not below what is mounted"},
		"outside of the namespace":    {mountV2, "0::/../other\n", place{}, "not below what is mounted"},
		"a colon and a space in a name": {"29 23 0:26 / /mnt/c\\040g rw - cgroup2 cgroup2 rw\n", "0::/a:b\n",
			place{2, "/mnt/c g/a:b", "/mnt/c g"}, ""},
		"cpuset is not cpu": {mountV1, "9:cpuset:/\n", place{}, "no control groups with the controller cpu"},
		"not mounted":       {"25 30 0:22 / /proc rw - proc proc rw\n", "4:cpu:/\n", place{}, "cgroup v1 is not mounted"},
		"v2 is not mounted": {mountV1, "0::/\n", place{}, "cgroup v2 is not mounted"},
		"nothing":           {"", "", place{}, "no control groups"},
	} {
		got, err := locate(tc.mountinfo, tc.cgroups)
		if got != tc.want || (err == nil) != (tc.err == "") || err != nil && !strings.Contains(err.Error(), tc.err) {
			t.Errorf("%s: %+v, %v, want %+v, %q", name, got, err, tc.want, tc.err)
		}
	}
}

// hierarchy writes files of a version 2 hierarchy into a directory.
func hierarchy(t *testing.T, files map[string]string) string {
	t.Helper()
	top := t.TempDir()
	for name, text := range files {
		if err := os.MkdirAll(filepath.Join(top, filepath.Dir(name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(top, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return top
}

func TestParentInVersion2(t *testing.T) {
	for name, tc := range map[string]struct {
		top, slice, own string // what each gives to its children
		has             string // the controllers at the top
		want, err       string
	}{
		"the own one":          {"cpu io\n", "cpu\n", "cpu pids\n", "cpu io\n", "slice/own", ""},
		"beside the own one":   {"cpu io\n", "memory cpu\n", "\n", "cpu io\n", "slice", ""},
		"only at the top":      {"cpu io\n", "cpuset\n", "\n", "cpu io\n", "", ""},
		"nobody gives it":      {"io\n", "\n", "\n", "cpuset cpu io\n", "none", "has cpu in its cgroup.subtree_control"},
		"there is none at all": {"\n", "\n", "\n", "cpuset io\n", "none", "has no controller cpu"},
	} {
		top := hierarchy(t, map[string]string{"cgroup.controllers": tc.has, "cgroup.subtree_control": tc.top,
			"slice/cgroup.subtree_control": tc.slice, "slice/own/cgroup.subtree_control": tc.own})
		got, err := place{version: 2, own: filepath.Join(top, "slice", "own"), top: top}.parent()
		if (err == nil) != (tc.err == "") || err != nil && !strings.Contains(err.Error(), tc.err) {
			t.Errorf("%s: %v, want %q", name, err, tc.err)
		}
		if err == nil && got != filepath.Join(top, tc.want) {
			t.Errorf("%s: %s, want %s of %s", name, got, tc.want, top)
		}
	}
}

package load

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// tellMemory, set for the test binary, makes it tell the memory at hand.
const tellMemory = "LOAD_TELL_MEMORY"

func TestMemoryOfAContainerIsKnown(t *testing.T) {
	if os.Getenv(tellMemory) != "" {
		fmt.Printf("group %d.\n", memoryAtHand().group)
		return
	}
	const bytes = 512 << 20
	group := limitedGroup(t, bytes)
	cmd := exec.Command("/bin/sh", "-c", `echo $$ >"$0" && exec "$1" -test.run='^TestMemoryOfAContainerIsKnown$'`,
		filepath.Join(group, "cgroup.procs"), os.Args[0])
	cmd.Env = append(os.Environ(), tellMemory+"=1")
	out, err := cmd.CombinedOutput()
	if want := fmt.Sprintf("group %d.", bytes); err != nil || !strings.Contains(string(out), want) {
		t.Errorf("%v: %s; want %q", err, out, want)
	}
}

// limitedGroup makes a control group with so many bytes of memory below that of
// the test.
func limitedGroup(t *testing.T, bytes int) string {
	t.Helper()
	own, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		t.Skip(err)
	}
	parent, limit := "", ""
	for line := range strings.Lines(string(own)) {
		switch part := strings.SplitN(strings.TrimSpace(line), ":", 3); {
		case part[1] == "memory":
			parent, limit = filepath.Join("/sys/fs/cgroup/memory", part[2]), "memory.limit_in_bytes"
		case part[0] == "0" && limit == "":
			parent, limit = filepath.Join("/sys/fs/cgroup", part[2]), "memory.max"
		}
	}
	group, err := os.MkdirTemp(parent, "load-test-")
	if err != nil {
		t.Skip("no control group can be made here: ", err)
	}
	t.Cleanup(func() {
		if err := os.Remove(group); err != nil {
			t.Error(err)
		}
	})
	if err := os.WriteFile(filepath.Join(group, limit), fmt.Append(nil, bytes), 0); err != nil {
		t.Skip("memory cannot be limited here: ", err)
	}
	return group
}

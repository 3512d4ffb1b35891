package targets

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// endMarked sends SIGKILL to every process other than this one that carries the
// marker, and gives their command lines by process id.
func endMarked(marker string) map[int]string {
	found := map[int]string{}
	dirs, _ := filepath.Glob("/proc/[0-9]*") // the pattern is well-formed: no error
	for _, dir := range dirs {
		pid, err := strconv.Atoi(filepath.Base(dir))
		if err != nil || pid == os.Getpid() || !marked(pid, marker) {
			continue
		}
		p, err := os.FindProcess(pid) // a handle: the id may be another's by the time of the signal
		if err != nil {
			continue
		}
		line, _ := os.ReadFile(filepath.Join(dir, "cmdline"))
		if marked(pid, marker) && p.Signal(syscall.SIGKILL) == nil {
			found[pid] = strings.TrimSpace(string(bytes.ReplaceAll(line, []byte{0}, []byte(" "))))
		}
		_ = p.Release() // nothing of it is kept
	}
	return found
}

// marked reports whether a process that is not dead carries the marker. The
// environment of others' processes cannot be read, and that of the dead is empty.
func marked(pid int, marker string) bool {
	environ, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	if err != nil {
		return false
	}
	for v := range bytes.SplitSeq(environ, []byte{0}) {
		if string(v) == marker {
			return true
		}
	}
	return false
}

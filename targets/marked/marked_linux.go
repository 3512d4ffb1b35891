package marked

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// Find lists the processes other than this one that carry the mark.
func Find(mark string) []int {
	var found []int
	dirs, _ := filepath.Glob("/proc/[0-9]*") // the pattern is well-formed: no error
	for _, dir := range dirs {
		pid, err := strconv.Atoi(filepath.Base(dir))
		if err == nil && pid != os.Getpid() && carries(pid, mark) {
			found = append(found, pid)
		}
	}
	return found
}

// Kill sends SIGKILL to every process other than this one that carries the mark, and gives the command lines of those
// that it was sent to by process id.
func Kill(mark string) map[int]string {
	found := map[int]string{}
	for _, pid := range Find(mark) {
		p, err := os.FindProcess(pid) // a handle: the id may be another's by the time of the signal
		if err != nil {
			continue
		}
		line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		if carries(pid, mark) && p.Signal(syscall.SIGKILL) == nil {
			found[pid] = strings.TrimSpace(string(bytes.ReplaceAll(line, []byte{0}, []byte(" "))))
		}
		_ = p.Release() // nothing of it is kept
	}
	return found
}

// carries reports whether a process that is not dead carries the mark. The environment of others' processes cannot be
// read, and that of the dead is empty.
func carries(pid int, mark string) bool {
	environ, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	if err != nil {
		return false
	}
	for v := range bytes.SplitSeq(environ, []byte{0}) {
		if string(v) == mark {
			return true
		}
	}
	return false
}

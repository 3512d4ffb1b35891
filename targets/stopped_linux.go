package targets

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
)

// stopped reports whether every thread of a process stands still after SIGSTOP:
// the signal stops each of them a little later than kill returns.
func stopped(pid int) bool {
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	if err != nil || len(tasks) == 0 {
		return true // it has ended: nothing runs
	}
	for _, task := range tasks {
		switch taskState(task) {
		case 'T', 't', 'Z', 'X', 0:
		default:
			return false
		}
	}
	return true
}

// taskState reads the state of a process or thread from its stat file, 0 where
// there is none any more.
func taskState(path string) byte {
	stat, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	// The name in parentheses may hold anything, so the state is looked for after the last one.
	i := bytes.LastIndexByte(stat, ')')
	if i < 0 || i+2 >= len(stat) {
		return 0
	}
	return stat[i+2]
}

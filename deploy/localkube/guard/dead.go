package guard

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// stat is what /proc says of a process.
type stat struct {
	state  byte
	kernel bool // it is a thread of the kernel
	memory bool // it has memory yet
}

// Fields of /proc/PID/stat after the name, from proc(5), and the flag of threads of the kernel.
const (
	stateField   = 3
	flagsField   = 9
	memoryField  = 23
	kernelThread = 0x00200000
)

// readStat reads what /proc says; not ok where there is no such process.
func readStat(pid int) (s stat, ok bool) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return s, false
	}
	fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:]) // the name may hold anything
	if len(fields) <= memoryField-stateField {
		return s, false
	}
	flags, _ := strconv.ParseUint(string(fields[flagsField-stateField]), 10, 64) // the kernel writes numbers
	return stat{
		state:  fields[0][0],
		kernel: flags&kernelThread != 0,
		memory: string(fields[memoryField-stateField]) != "0",
	}, true
}

// Dead reports whether there is no such process, or no more of it than its parent was not told yet: it holds nothing.
func Dead(pid int) bool {
	s, ok := readStat(pid)
	if !ok {
		return true
	}
	if s.state != 'Z' && s.state != 'X' {
		return false
	}
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", pid))
	return err != nil || len(threads) <= 1 // the others hold its files as long as they are there
}

// awaitTheDying waits until no process is about to die, or the deadline is there. A process loses its memory, and so
// its environment, before it closes its files: what carried the mark may have no mark any more and a listener yet.
func awaitTheDying(deadline time.Time) {
	for ; time.Now().Before(deadline); time.Sleep(sweepEvery) {
		if !anyDying() {
			return
		}
	}
}

func anyDying() bool {
	dirs, _ := filepath.Glob("/proc/[0-9]*") // the pattern is well-formed: no error
	for _, dir := range dirs {
		pid, err := strconv.Atoi(filepath.Base(dir))
		if err != nil {
			continue
		}
		if s, ok := readStat(pid); ok && !s.memory && !s.kernel && !Dead(pid) {
			return true
		}
	}
	return false
}

// awaitDeath waits until a process is dead, or the deadline is there.
func awaitDeath(pid int, deadline time.Time) {
	for !Dead(pid) && time.Now().Before(deadline) {
		time.Sleep(sweepEvery)
	}
}

package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"time"
)

// ticksPerSecond is in what Linux counts the CPU time of processes, on every machine that Go runs on.
const ticksPerSecond = 100

// usage is the CPU time and the resident memory of a process, as columns of status.
func usage(pid int) string {
	cpu, memory, err := consumed(pid)
	if err != nil {
		return fmt.Sprintf("%12s %10s", "gone", "")
	}
	return fmt.Sprintf("%11.1fs %6d MiB", cpu.Seconds(), memory>>20)
}

// consumed reads the CPU time of a process and its resident bytes: of pages that it shares, as those of the program are,
// its share.
func consumed(pid int) (cpu time.Duration, memory int64, err error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, 0, fmt.Errorf("read the CPU time of process %d: %w", pid, err)
	}
	// After the name, which is in brackets and may hold anything: user and system time are fields 14 and 15 of proc(5).
	var user, system int64
	fields := strings.Join(strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))[11:13], " ")
	if _, err := fmt.Sscan(fields, &user, &system); err != nil {
		return 0, 0, fmt.Errorf("read the CPU time of process %d: %w", pid, err)
	}
	rollup, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0, 0, fmt.Errorf("read the memory of process %d: %w", pid, err)
	}
	_, share, _ := strings.Cut(string(rollup), "\nPss:")
	if _, err := fmt.Sscan(share, &memory); err != nil {
		return 0, 0, fmt.Errorf("read the memory of process %d: %w", pid, err)
	}
	return time.Duration(user+system) * time.Second / ticksPerSecond, memory << 10, nil
}

package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
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

// consumed reads the CPU time of a process and its resident bytes.
func consumed(pid int) (cpu time.Duration, memory int64, err error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, 0, fmt.Errorf("read the usage of process %d: %w", pid, err)
	}
	// The fields after the name in brackets, which may hold anything: state is the third of proc(5).
	fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
	const first, utime, stime, rss = 3, 14, 15, 24
	if len(fields) <= rss-first {
		return 0, 0, fmt.Errorf("read the usage of process %d: %d fields", pid, len(fields))
	}
	number := func(field int) int64 {
		n, parseErr := strconv.ParseInt(string(fields[field-first]), 10, 64)
		if parseErr != nil && err == nil {
			err = fmt.Errorf("read the usage of process %d: %w", pid, parseErr)
		}
		return n
	}
	cpu = time.Duration(number(utime)+number(stime)) * time.Second / ticksPerSecond
	memory = number(rss) * int64(os.Getpagesize())
	return cpu, memory, err
}

//go:build !linux

package speed

import (
	"errors"
	"os/exec"
	"runtime"
	"time"
)

var errLinuxOnly = errors.New("the processor time of another process is read on Linux only: compare the speed there")

func processors() ([]int, error)                  { return nil, errLinuxOnly }
func startOn(*exec.Cmd, int) error                { return errLinuxOnly }
func hear(int, int, time.Duration) (noise, error) { return noise{}, errLinuxOnly }
func processTime(int) (time.Duration, error)      { return 0, errLinuxOnly }
func peakMemory(int) (int64, error)               { return 0, errLinuxOnly }
func machineTime() (time.Duration, error)         { return 0, errLinuxOnly }
func processorModel() string                      { return "unknown" }
func kernel() string                              { return runtime.GOOS }

//go:build !linux

package runner

// machine is told on Linux only.
func machine() (kernel string, memory int64) { return "", 0 }

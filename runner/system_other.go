//go:build !linux

package runner

// system is told on Linux only.
func system() (kernel string, memory int64) { return "", 0 }

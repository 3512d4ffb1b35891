//go:build !linux

package kubernetes

import (
	"os/exec"
	"syscall"
)

// spawn starts cmd in a process group of its own, and calls ended when it has
// ended. If this process dies the other is told to end by its standard input.
func spawn(cmd *exec.Cmd, ended func(error)) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	go func() { ended(cmd.Wait()) }()
	return nil
}

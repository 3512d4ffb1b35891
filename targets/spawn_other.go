//go:build !linux

package targets

import (
	"os/exec"
	"syscall"
)

// spawner starts processes. Only Linux has a parent-death signal: elsewhere a
// harness killed in the instant between a fork and the note to the guard leaves
// that process behind.
type spawner struct{}

func newSpawner() *spawner { return &spawner{} }

func (*spawner) start(cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd.Start()
}

func (*spawner) close() {}

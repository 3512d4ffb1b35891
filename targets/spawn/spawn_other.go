//go:build !linux

package spawn

import (
	"os/exec"
	"syscall"
)

// Spawner starts processes. Only Linux has a parent-death signal: elsewhere one
// that is started is not ended with the spawner.
type Spawner struct{}

// New makes a spawner.
func New() *Spawner { return &Spawner{} }

// Start starts cmd in a process group of its own.
func (*Spawner) Start(cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd.Start()
}

// Close ends nothing here.
func (*Spawner) Close() {}

package kubernetes

import (
	"os/exec"
	"runtime"
	"syscall"
)

// spawn starts cmd in a process group of its own, and calls ended when it has
// ended. If this process dies the other is told to end: by its standard input, and
// by the kernel, which does so when the thread that started it ends; so that
// thread stays for as long.
func spawn(cmd *exec.Cmd, ended func(error)) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		err := cmd.Start()
		started <- err
		if err == nil {
			ended(cmd.Wait())
		}
	}()
	return <-started
}

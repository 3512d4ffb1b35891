package node

import (
	"os/exec"
	"runtime"
	"syscall"
)

// spawner starts processes from one thread that lives as long as the spawner: the kernel sends a child its
// parent-death signal when the thread that forked it ends, and Go ends threads as it likes.
type spawner struct {
	requests chan spawnRequest
	done     chan struct{}
}

type spawnRequest struct {
	cmd   *exec.Cmd
	reply chan error
}

func newSpawner() *spawner {
	s := &spawner{requests: make(chan spawnRequest), done: make(chan struct{})}
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		defer close(s.done)
		for r := range s.requests {
			r.reply <- r.cmd.Start()
		}
	}()
	return s
}

// start starts cmd in a process group of its own, which ends with the agent.
func (s *spawner) start(cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	r := spawnRequest{cmd: cmd, reply: make(chan error, 1)}
	s.requests <- r
	return <-r.reply
}

// close ends the thread. No start may follow. Children that still run get the parent-death signal.
func (s *spawner) close() {
	close(s.requests)
	<-s.done
}

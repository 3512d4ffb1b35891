package node

import (
	"errors"
	"os/exec"
	"runtime"
	"syscall"
)

// spawner starts processes from one thread that lives as long as the spawner: the kernel sends a child its
// parent-death signal when the thread that forked it ends, and Go ends threads as it likes.
type spawner struct {
	requests chan spawnRequest
	quit     chan struct{} // closed when no process is to be started any more
	done     chan struct{}
}

var errNoMoreProcesses = errors.New("the node is about to end")

type spawnRequest struct {
	cmd   *exec.Cmd
	reply chan error
}

func newSpawner() *spawner {
	s := &spawner{requests: make(chan spawnRequest), quit: make(chan struct{}), done: make(chan struct{})}
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		defer close(s.done)
		for {
			select {
			case r := <-s.requests:
				r.reply <- r.cmd.Start()
			case <-s.quit:
				return
			}
		}
	}()
	return s
}

// start starts cmd in a process group of its own, which ends with the agent.
func (s *spawner) start(cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	r := spawnRequest{cmd: cmd, reply: make(chan error, 1)}
	select {
	case s.requests <- r:
		return <-r.reply
	case <-s.quit:
		return errNoMoreProcesses
	}
}

// close ends the thread. Children that still run get the parent-death signal.
func (s *spawner) close() {
	close(s.quit)
	<-s.done
}

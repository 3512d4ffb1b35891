// Package spawn starts processes that do not outlive the one who started them, however that one ends.
package spawn

import (
	"errors"
	"os/exec"
	"runtime"
	"syscall"
)

// Spawner starts processes from one thread that lives as long as the spawner: the kernel sends a child its
// parent-death signal when the thread that forked it ends, and Go ends threads as it likes.
type Spawner struct {
	requests chan request
	quit     chan struct{} // closed when no process is to be started any more
	done     chan struct{}
}

// ErrClosed says that no process is started any more.
var ErrClosed = errors.New("about to end: no process is started any more")

type request struct {
	cmd   *exec.Cmd
	reply chan error
}

// New makes a spawner, which is there until Close.
func New() *Spawner {
	s := &Spawner{requests: make(chan request), quit: make(chan struct{}), done: make(chan struct{})}
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

// Start starts cmd in a process group of its own, which is killed with the spawner.
func (s *Spawner) Start(cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	r := request{cmd: cmd, reply: make(chan error, 1)}
	select {
	case s.requests <- r:
		return <-r.reply
	case <-s.quit:
		return ErrClosed
	}
}

// Close ends the thread. Children that still run get the parent-death signal.
func (s *Spawner) Close() {
	close(s.quit)
	<-s.done
}

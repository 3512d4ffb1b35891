package targets

import (
	"os/exec"
	"runtime"
	"syscall"
)

// spawner starts processes from one thread that lives as long as the spawner:
// the kernel sends a child its parent-death signal when the thread that forked
// it ends, and Go ends threads as it likes.
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
	go s.run()
	return s
}

// run serves requests on a thread that ends with the goroutine: it is never
// unlocked. Go parks the main thread instead of ending it, so where this is that
// one, another goroutine takes over while it is held.
func (s *spawner) run() {
	runtime.LockOSThread()
	if syscall.Gettid() == syscall.Getpid() {
		defer runtime.UnlockOSThread()
		locked := make(chan struct{})
		go func() {
			runtime.LockOSThread()
			close(locked)
			s.serve()
		}()
		<-locked
		return
	}
	s.serve()
}

func (s *spawner) serve() {
	defer close(s.done)
	for r := range s.requests {
		r.reply <- r.cmd.Start()
	}
}

// start starts cmd in a process group of its own, killed with the harness even
// before the guard knows of it.
func (s *spawner) start(cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	r := spawnRequest{cmd: cmd, reply: make(chan error, 1)}
	s.requests <- r
	return <-r.reply
}

// close ends the thread. Children that still run get the parent-death signal.
func (s *spawner) close() {
	close(s.requests)
	<-s.done
}

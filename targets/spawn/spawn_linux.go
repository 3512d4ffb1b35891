package spawn

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
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
	place func(pid int) error // nil: where it is
	reply chan error
}

// New makes a spawner, which is there until Close.
func New() *Spawner {
	s := &Spawner{requests: make(chan request), quit: make(chan struct{}), done: make(chan struct{})}
	go s.run()
	return s
}

// run serves requests on a thread that ends with the goroutine: it is never unlocked. Go parks the main thread instead
// of ending it, so where this is that one, another goroutine takes over while it is held.
func (s *Spawner) run() {
	runtime.LockOSThread()
	if unix.Gettid() == os.Getpid() {
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

func (s *Spawner) serve() {
	defer close(s.done)
	for {
		select {
		case r := <-s.requests:
			r.reply <- r.start()
		case <-s.quit:
			return
		}
	}
}

// Start starts cmd in a process group of its own, which is killed with the spawner.
func (s *Spawner) Start(cmd *exec.Cmd) error { return s.StartIn(cmd, nil) }

// StartIn does so, and calls place with the id of the process before that has executed anything. After an error of
// place the process is no more.
func (s *Spawner) StartIn(cmd *exec.Cmd, place func(pid int) error) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL, Ptrace: place != nil}
	r := request{cmd: cmd, place: place, reply: make(chan error, 1)}
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

// start starts the process, on the thread of the spawner. One that is to be placed is traced for a moment, which stops
// it where its program begins; so neither this thread nor others that want to fork ever are where it is to be.
func (r request) start() error {
	if err := r.cmd.Start(); err != nil || r.place == nil {
		return err
	}
	pid := r.cmd.Process.Pid
	err := awaitStop(pid)
	if err == nil {
		err = r.place(pid)
	}
	if err == nil {
		if err = syscall.PtraceDetach(pid); err != nil {
			err = fmt.Errorf("let the process begin: %w", err)
		}
	}
	if err != nil {
		_ = r.cmd.Process.Kill() // it may be dead, which is what is wanted
		_ = r.cmd.Wait()         // likewise
	}
	return err
}

// awaitStop waits until the process has stopped, or ended.
func awaitStop(pid int) error {
	for {
		err := unix.Waitid(unix.P_PID, pid, nil, unix.WSTOPPED|unix.WEXITED|unix.WNOWAIT, nil)
		if err == nil {
			return nil
		}
		if !errors.Is(err, unix.EINTR) {
			return fmt.Errorf("wait until the process can be placed: %w", err)
		}
	}
}

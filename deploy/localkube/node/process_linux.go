package node

import (
	"errors"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"ordeal/deploy/localkube/cgroup"
	"ordeal/targets/spawn"
)

// process is a process that was started, with its group.
type process struct {
	pid     int // and the id of the group
	started time.Time
	done    chan struct{} // closed when the process has ended, its group was killed, and it was reaped

	mu     sync.Mutex
	reaped bool
	state  *os.ProcessState // valid when done is closed
	ended  time.Time        // likewise
}

// startProcess starts cmd, in a control group unless that is nil. Whoever waits for its end sees it at once: a thread
// waits in the kernel.
func startProcess(s *spawn.Spawner, cmd *exec.Cmd, g *cgroup.Group) (*process, error) {
	var place func(pid int) error
	if g != nil {
		place = g.Add
	}
	if err := s.StartIn(cmd, place); err != nil {
		return nil, err
	}
	p := &process{pid: cmd.Process.Pid, started: time.Now(), done: make(chan struct{})}
	go func() {
		awaitEnd(p.pid)
		p.ended = time.Now()
		// As when the first process of a container ends. It was not reaped: the group is still its own.
		_ = syscall.Kill(-p.pid, syscall.SIGKILL)
		p.mu.Lock()
		_ = cmd.Wait() // the state says how it ended
		p.reaped, p.state = true, cmd.ProcessState
		p.mu.Unlock()
		close(p.done)
	}()
	return p, nil
}

// awaitEnd waits until the process is dead and leaves it unreaped: until then its id, and that of its group, are
// nobody else's.
func awaitEnd(pid int) {
	for {
		if err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil); !errors.Is(err, unix.EINTR) {
			return
		}
	}
}

// signal sends a signal to the process, as SIGTERM goes to the first process of a container.
func (p *process) signal(sig syscall.Signal) { p.send(p.pid, sig) }

// kill ends the process and its group at once.
func (p *process) kill() { p.send(-p.pid, syscall.SIGKILL) }

func (p *process) send(to int, sig syscall.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.reaped {
		_ = syscall.Kill(to, sig) // what is dead already needs none
	}
}

// exit is how it ended, as the exit code of a container and the signal, 0 without.
func (p *process) exit() (code, signal int32) {
	if status, ok := p.state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int32(status.Signal()), int32(status.Signal())
	}
	return int32(p.state.ExitCode()), 0
}

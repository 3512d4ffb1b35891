// Package guard ends what a control plane leaves behind when its supervisor dies without a chance to clean up.
package guard

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"ordeal/deploy/localkube/cgroup"
)

// Verb is the hidden verb of the command that runs Watch.
const Verb = "guard"

// inOrder is the last line of a supervisor that waits for the guard.
const inOrder = "in order"

// groups begins a line that names a tree of control groups.
const groups = "groups "

// Watch reads two lines from r, the mark of the processes and a directory, and waits for the end of r, which is the
// reading end of a pipe that only the supervisor, its parent, can write to. Then it kills every process that carries
// the mark in its environment, waits until they and the supervisor are dead, with all that they held, and removes the
// directory. Another line may name control groups, which are removed before that; the last may say that the supervisor
// is not to be waited for: it waits itself.
func Watch(r io.Reader) error {
	supervisor := os.Getppid()
	lines := bufio.NewScanner(r)
	var told []string
	for lines.Scan() {
		told = append(told, lines.Text())
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read from the supervisor: %w", err)
	}
	if len(told) < 2 {
		return nil // the supervisor has died before it started anything
	}
	if told[len(told)-1] != inOrder && supervisor > 1 {
		awaitDeath(supervisor, time.Now().Add(sweepWithin)) // and the kernel ends its children with it
	}
	Sweep(told[0])
	var errs []error
	for _, line := range told[2:] {
		if dir, ok := strings.CutPrefix(line, groups); ok {
			errs = append(errs, cgroup.Remove(dir))
		}
	}
	if err := os.RemoveAll(told[1]); err != nil {
		errs = append(errs, fmt.Errorf("remove what is left: %w", err))
	}
	return errors.Join(errs...)
}

// Guard is the supervisor's side: the pipe to a process that runs Watch.
type Guard struct {
	pid   int
	ended chan struct{} // closed when it has ended
	err   error         // how it ended; valid then

	mu      sync.Mutex
	pipe    io.WriteCloser
	closing bool // its end is wanted
}

// Start starts the guard of dir and of the processes that carry mark (NAME=VALUE), by running self with Verb. It keeps
// the files in hold open until it ends.
func Start(self, mark, dir string, hold ...*os.File) (*Guard, error) {
	if strings.ContainsAny(dir, "\n\r") {
		return nil, fmt.Errorf("a line break in the directory %q", dir)
	}
	cmd := exec.Command(self, Verb)
	// A session of its own: a Ctrl-C at the terminal, or a kill of the supervisor's process group, must not take it
	// away. Nor must a sweep of others: it has no environment, and so no marks. It stands in no directory's way.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	cmd.Env, cmd.Dir, cmd.Stderr, cmd.ExtraFiles = []string{}, "/", os.Stderr, hold
	pipe, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("pipe to the guard: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the guard: %w", err)
	}
	g := &Guard{pid: cmd.Process.Pid, ended: make(chan struct{}), pipe: pipe}
	go func() {
		defer close(g.ended)
		g.err = g.wait(cmd)
	}()
	if _, err := fmt.Fprintf(pipe, "%s\n%s\n", mark, dir); err != nil {
		return nil, errors.Join(fmt.Errorf("tell the guard what to end: %w", err), g.Close())
	}
	return g, nil
}

// ErrLost says that the guard has ended before Close.
var ErrLost = errors.New("the guard, which ends what is left if localkube is killed, has itself ended")

// wait waits for the end of the guard and judges it.
func (g *Guard) wait(cmd *exec.Cmd) error {
	err := cmd.Wait()
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case !g.closing:
		return fmt.Errorf("%w: %v", ErrLost, cmd.ProcessState)
	case err != nil:
		return fmt.Errorf("wait for the guard: %w", err)
	default:
		return nil
	}
}

// Groups tells the guard of a tree of control groups, which need not be there yet.
func (g *Guard) Groups(dir string) error {
	if strings.ContainsAny(dir, "\n\r") {
		return fmt.Errorf("a line break in the directory %q", dir)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, err := fmt.Fprintln(g.pipe, groups+dir); err != nil {
		return fmt.Errorf("tell the guard of control groups: %w", err)
	}
	return nil
}

// PID is the process id of the guard.
func (g *Guard) PID() int { return g.pid }

// Ended is closed when the guard has ended; before Close that is a reason to end everything.
func (g *Guard) Ended() <-chan struct{} { return g.ended }

// Close lets the guard do its work, and waits for it. It is ErrLost where the guard has ended before: then its work
// was not done.
func (g *Guard) Close() error {
	g.mu.Lock()
	g.closing = true
	_, err := fmt.Fprintln(g.pipe, inOrder)
	err = errors.Join(err, g.pipe.Close())
	g.mu.Unlock()
	if errors.Is(err, os.ErrClosed) || errors.Is(err, syscall.EPIPE) {
		err = nil // the guard had ended
	} else if err != nil {
		err = fmt.Errorf("let the guard do its work: %w", err)
	}
	<-g.ended
	return errors.Join(err, g.err)
}

package targets

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// GuardVerb is the hidden verb of the command that runs Guard.
const GuardVerb = "guard"

// Guard ends what a run leaves behind when its harness dies without a chance to
// clean up. It reads lines "+PGID" and "-PGID" from r, which is the reading end
// of a pipe that only the harness can write to; at the end of r it kills every
// process group that was added and not taken away. SIGKILL ends stopped
// processes too. A line "ORDEAL_RUN=…" names the marker of the run: processes
// that carry it in their environment are then killed as well, where they can be
// found.
func Guard(r io.Reader) error {
	groups := map[int]bool{}
	marker := ""
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		text := lines.Text()
		if strings.HasPrefix(text, markerName+"=") {
			marker = text
			continue
		}
		pgid, err := strconv.Atoi(strings.TrimLeft(text, "+-"))
		if err != nil || pgid <= 1 {
			continue
		}
		if strings.HasPrefix(text, "+") {
			groups[pgid] = true
		} else {
			delete(groups, pgid)
		}
	}
	errs := []error{lines.Err()}
	for pgid := range groups {
		if err := syscall.Kill(-pgid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			errs = append(errs, fmt.Errorf("end process group %d: %w", pgid, err))
		}
	}
	if marker != "" {
		sweep(marker)
	}
	return errors.Join(errs...)
}

// guard is the harness's side: the pipe to a process that runs Guard.
type guard struct {
	pid   int
	ended chan struct{} // closed when it has ended
	err   error         // how it ended; valid then

	mu      sync.Mutex
	pipe    io.WriteCloser
	closing bool // its end is wanted
}

// startGuard starts the guard of the processes that carry marker. If it ends before close, lost is called with the
// reason; where lost is nil, close says it.
func startGuard(self []string, marker string, lost func(error)) (*guard, error) {
	cmd := exec.Command(self[0], append(self[1:len(self):len(self)], GuardVerb)...)
	// A session of its own: a Ctrl-C at the terminal, or a kill of the harness's
	// process group, must not take it away.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	cmd.Stderr, cmd.Env = os.Stderr, unmarked()
	pipe, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("pipe to the guard: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the guard: %w", err)
	}
	g := &guard{pid: cmd.Process.Pid, ended: make(chan struct{}), pipe: pipe}
	go func() {
		defer close(g.ended)
		g.err = g.wait(cmd)
		if lost != nil && errors.Is(g.err, errGuardLost) {
			lost(g.err)
			g.err = nil // it was told
		}
	}()
	if _, err := fmt.Fprintln(pipe, marker); err != nil {
		return nil, errors.Join(fmt.Errorf("tell the guard the marker of the run: %w", err), g.close())
	}
	return g, nil
}

var errGuardLost = errors.New("the guard, which ends the targets if Ordeal is killed, has itself ended during the run")

// wait waits for the end of the guard and judges it.
func (g *guard) wait(cmd *exec.Cmd) error {
	err := cmd.Wait()
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case !g.closing:
		return fmt.Errorf("%w: %v", errGuardLost, cmd.ProcessState)
	case err != nil:
		return fmt.Errorf("wait for the guard: %w", err)
	default:
		return nil
	}
}

func (g *guard) add(pgid int) error { return g.write('+', pgid) }

// drop cannot fail for a guard that is gone: then nothing is left to be taken
// away, and its end is told otherwise.
func (g *guard) drop(pgid int) error {
	err := g.write('-', pgid)
	if errors.Is(err, os.ErrClosed) || errors.Is(err, syscall.EPIPE) {
		return nil
	}
	return err
}

func (g *guard) write(sign byte, pgid int) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, err := fmt.Fprintf(g.pipe, "%c%d\n", sign, pgid); err != nil {
		return fmt.Errorf("tell the guard of process group %d: %w", pgid, err)
	}
	return nil
}

// close lets the guard end; it kills what was not dropped.
func (g *guard) close() error {
	g.mu.Lock()
	g.closing = true
	err := g.pipe.Close()
	g.mu.Unlock()
	if errors.Is(err, os.ErrClosed) {
		err = nil // the guard had ended
	} else if err != nil {
		err = fmt.Errorf("close the pipe to the guard: %w", err)
	}
	<-g.ended
	return errors.Join(err, g.err)
}

package controlplane

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"

	"ordeal/targets/spawn"
)

// child is a component that runs.
type child struct {
	name  string
	cmd   *exec.Cmd
	log   string        // the file with what it says
	hold  io.Closer     // it begins when this is closed
	ended chan struct{} // closed when it has ended
}

// spawnChild starts a component, which loads and waits for begin. It runs in dir, and has env, and files from descriptor 3.
func spawnChild(s *spawn.Spawner, self, name, dir string, args, env []string, files ...*os.File) (*child, error) {
	c := &child{name: name, log: filepath.Join(dir, logDir, name+".log"), ended: make(chan struct{})}
	out, err := os.OpenFile(c.log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	defer out.Close() //nolint:errcheck // the child has a copy, and nothing was written
	c.cmd = exec.Command(self, append([]string{name}, args...)...)
	c.cmd.Dir, c.cmd.Env, c.cmd.Stdout, c.cmd.Stderr, c.cmd.ExtraFiles = dir, env, out, out, files
	if c.hold, err = c.cmd.StdinPipe(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	if err := s.Start(c.cmd); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	go func() {
		defer close(c.ended)
		_ = c.cmd.Wait() // how it ended is in its state
	}()
	return c, nil
}

// begin lets it begin.
func (c *child) begin() error {
	if err := c.hold.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		return fmt.Errorf("let %s begin: %w", c.name, err)
	}
	return nil
}

// kill ends it and waits for its end. What it knows is worth nothing without the others, so there is nothing to be
// saved.
func (c *child) kill() error {
	select {
	case <-c.ended:
		return nil
	default:
	}
	if err := syscall.Kill(-c.cmd.Process.Pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("end %s: %w", c.name, err)
	}
	<-c.ended
	return nil
}

// lastLines is how much of a log an error tells.
const lastLines = 5

// chatter is a line of a log that tells of no error.
var chatter = regexp.MustCompile(`^[IW][0-9]{4} `)

// death says how a child has ended, with the last that it had to say of it.
func (c *child) death() error {
	text, err := os.ReadFile(c.log)
	if err != nil {
		return fmt.Errorf("%s has ended (%v)", c.name, c.cmd.ProcessState)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	lines = slices.DeleteFunc(lines, chatter.MatchString)
	lines = lines[max(0, len(lines)-lastLines):]
	return fmt.Errorf("%s has ended (%v). The last it said:\n  %s", c.name, c.cmd.ProcessState, strings.Join(lines, "\n  "))
}

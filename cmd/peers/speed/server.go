package speed

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// server is a server in a process of its own.
type server struct {
	kind  string
	addr  string // host:port
	cmd   *exec.Cmd
	stdin io.Closer
	log   string // file of what it said
	count *counters
}

// startServer starts a server of the kind; self is the command line that
// becomes Serve when the kind follows it.
func startServer(ctx context.Context, self []string, kind, dir string, cpu int) (*server, error) {
	count, shared, err := createCounters(dir)
	if err != nil {
		return nil, err
	}
	defer shared.Close() //nolint:errcheck // mapped; the child has its own
	logFile, err := os.Create(filepath.Join(dir, "server.log"))
	if err != nil {
		return nil, fmt.Errorf("make the server's log: %w", err)
	}
	defer logFile.Close() //nolint:errcheck // the child has its own
	cmd := exec.CommandContext(ctx, self[0], append(self[1:], kind)...)
	cmd.ExtraFiles = []*os.File{shared}
	cmd.Stderr = logFile
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start the server: %w", err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start the server: %w", err)
	}
	if err := startOn(cmd, cpu); err != nil {
		return nil, fmt.Errorf("start the %s server: %w", kind, err)
	}
	s := &server{kind: kind, cmd: cmd, stdin: stdin, log: logFile.Name(), count: count}
	addr, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		return nil, errors.Join(fmt.Errorf("the %s server told no address: %w: %s", kind, err, tail(s.log)), s.close())
	}
	s.addr = strings.TrimSpace(addr)
	return s, nil
}

// close ends the server.
func (s *server) close() error {
	closed := s.stdin.Close()
	timer := time.AfterFunc(10*time.Second, func() { s.cmd.Process.Kill() }) //nolint:errcheck // it may have ended
	defer timer.Stop()
	if err := s.cmd.Wait(); err != nil {
		return fmt.Errorf("end the %s server: %w: %s", s.kind, err, tail(s.log))
	}
	return closed
}

// tail is the end of what a process wrote to a file, on one line.
func tail(file string) string {
	const most = 400
	text, err := os.ReadFile(file)
	if err != nil {
		return err.Error()
	}
	words := strings.Join(strings.Fields(string(text)), " ")
	if len(words) > most {
		words = "… " + strings.ToValidUTF8(words[len(words)-most:], "")
	}
	return words
}

// Package target is a service whose behaviour is known call by call: a program
// says how it treats each call, and a log says when each arrived and when its
// answer was handed over, on a clock that all processes of the machine share.
//
// It runs as a process of its own, started with Start.
package target

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Config says what to start.
type Config struct {
	Kind     string // "http" or "grpc"
	Program  string // see ParseProgram
	Seed     uint64
	Calls    int  // room in the log
	Messages int  // room in the log
	Count    bool // only count calls, and answer at once
}

// Process is a target that runs.
type Process struct {
	Addr string // host:port
	cmd  *exec.Cmd
	in   io.Closer
	log  string
	errs *tail
}

// Start starts this program again as a target: self is its path, and it is to
// call Serve with the arguments that follow the word "target". The log is
// written to a file in dir.
func Start(ctx context.Context, self, dir string, c Config) (*Process, error) {
	log, err := os.CreateTemp(dir, "target-*.log")
	if err != nil {
		return nil, fmt.Errorf("make the target's log: %w", err)
	}
	if err := log.Close(); err != nil {
		return nil, fmt.Errorf("make the target's log: %w", err)
	}
	path, err := filepath.Abs(log.Name())
	if err != nil {
		return nil, fmt.Errorf("name the target's log: %w", err)
	}
	p := &Process{log: path, errs: &tail{}}
	p.cmd = exec.CommandContext(ctx, self, "target",
		"-kind", c.Kind, "-program", c.Program, "-seed", strconv.FormatUint(c.Seed, 10), "-log", path,
		"-calls", strconv.Itoa(c.Calls), "-messages", strconv.Itoa(c.Messages), "-count="+strconv.FormatBool(c.Count))
	p.cmd.Stderr = p.errs
	p.cmd.WaitDelay = 10 * time.Second
	in, err := p.cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start the target: %w", err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start the target: %w", err)
	}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the target: %w", err)
	}
	p.in = in
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		_ = in.Close()
		return nil, fmt.Errorf("start the target: %w: %s", errors.Join(err, p.cmd.Wait()), p.errs)
	}
	p.Addr = strings.TrimSpace(line)
	return p, nil
}

// Stop ends the target and gives its log.
func (p *Process) Stop() (*Record, error) {
	_ = p.in.Close() // which is what ends it
	if err := p.cmd.Wait(); err != nil {
		return nil, fmt.Errorf("end the target: %w: %s", err, p.errs)
	}
	f, err := os.Open(p.log)
	if err != nil {
		return nil, fmt.Errorf("read the target's log: %w", err)
	}
	defer func() { _ = f.Close() }() // read only
	return ReadRecord(f)
}

// Serve is the target's process: it listens, prints its address, serves until
// in ends, and then writes its log.
func Serve(args []string, in io.Reader, out io.Writer) error {
	var c Config
	flags := flag.NewFlagSet("target", flag.ContinueOnError)
	flags.StringVar(&c.Kind, "kind", "http", "http or grpc")
	flags.StringVar(&c.Program, "program", "prompt", "how calls are treated")
	flags.Uint64Var(&c.Seed, "seed", 1, "of what is random in it")
	flags.IntVar(&c.Calls, "calls", 100_000, "room in the log for calls")
	flags.IntVar(&c.Messages, "messages", 0, "room in the log for messages")
	flags.BoolVar(&c.Count, "count", false, "only count the calls")
	path := flags.String("log", "", "the file that the log is written to")
	if err := flags.Parse(args); err != nil {
		return err
	}
	program, err := ParseProgram(c.Program, c.Seed)
	if err != nil {
		return err
	}
	log := NewLog(program, c.Calls, c.Messages)
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	var stop func() error
	switch done := make(chan struct{}); c.Kind {
	case "http":
		stop = (&httpTarget{log: log, count: c.Count, done: done}).serve(lis)
	case "grpc":
		stop = (&grpcTarget{log: log, count: c.Count, done: done}).serve(lis)
	default:
		return errors.Join(fmt.Errorf("want -kind http or grpc, not %q", c.Kind), lis.Close())
	}
	_, err = fmt.Fprintln(out, lis.Addr())
	if err == nil {
		_, err = io.Copy(io.Discard, in)
	}
	if err := errors.Join(err, stop()); err != nil {
		return fmt.Errorf("serve: %w", err)
	}
	return writeFile(*path, log)
}

func writeFile(path string, log *Log) error {
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("write the target's log: %w", err)
	}
	return errors.Join(log.Write(f), f.Close())
}

// tail keeps the last of what a process says, for an error message.
type tail struct {
	mu   sync.Mutex
	text []byte
}

// Write implements io.Writer.
func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, b...)
	t.text = t.text[max(0, len(t.text)-4096):]
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.text)
}

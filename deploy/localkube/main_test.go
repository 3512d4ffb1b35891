package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"ordeal/deploy/localkube/components"
	"ordeal/deploy/localkube/controlplane"
	"ordeal/deploy/localkube/guard"
)

// TestMain makes the test binary the whole command, where its first argument is a verb.
func TestMain(m *testing.M) {
	verbs := append([]string{"up", "down", "status", "kubectl", guard.Verb}, components.Names()...)
	if len(os.Args) > 1 && slices.Contains(verbs, os.Args[1]) {
		os.Exit(run(os.Stdin, os.Stdout, os.Stderr, os.Args[1:]))
	}
	if len(os.Args) > 1 && os.Args[1] == webVerb {
		web()
		return
	}
	os.Exit(m.Run())
}

// eventuallyWithin bounds waits for what must come, on a machine that has much else to do.
const eventuallyWithin = 30 * time.Second

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(eventuallyWithin); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", eventuallyWithin, what)
		}
	}
}

// command runs a verb and gives what it prints.
func command(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	cmd := exec.Command(os.Args[0], args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		t.Fatalf("%v: %v", args, err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// plane is a control plane in the foreground.
type plane struct {
	report
	cmd    *exec.Cmd
	stdin  io.Closer
	ended  chan struct{}
	mu     sync.Mutex
	stderr bytes.Buffer
}

// Write is its standard error.
func (p *plane) Write(text []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stderr.Write(text)
}

func (p *plane) said() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stderr.String()
}

// launch starts a control plane in the foreground, and gives its standard output.
func launch(t *testing.T, dir string, args ...string) (*plane, io.Reader) {
	t.Helper()
	p := &plane{ended: make(chan struct{})}
	p.cmd = exec.Command(os.Args[0], append([]string{"up", "--dir", dir, "--foreground", "--until-stdin-closes", "--api-port", freePort(t)}, args...)...)
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	p.cmd.Stderr = p
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.stdin.Close()
		<-p.ended
	})
	return p, out
}

// freePort is a port that others are unlikely to take, as they would the usual one as soon as it is free.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// reap waits for its end, once its output is read.
func (p *plane) reap() {
	_ = p.cmd.Wait() // how it ended is in its state
	close(p.ended)
}

// up starts a control plane in the foreground and waits until it is ready.
func up(t *testing.T, dir string, args ...string) *plane {
	t.Helper()
	p, out := launch(t, dir, args...)
	line, err := bufio.NewReader(out).ReadBytes('\n')
	go p.reap()
	if err == nil {
		err = json.Unmarshal(line, &p.report)
	}
	if err != nil {
		p.stdin.Close()
		<-p.ended
		t.Fatalf("not ready: %v; it said %s", err, p.said())
	}
	return p
}

// traces is what a control plane uses of the machine.
type traces struct {
	dir   string
	state controlplane.State
	pids  []int // of the supervisor and the guard, which carry no mark
}

// uses finds the traces of a control plane that is up.
func uses(t *testing.T, dir string) traces {
	t.Helper()
	state, err := controlplane.ReadState(dir)
	if err != nil {
		t.Fatal(err)
	}
	u := traces{dir: dir, state: state, pids: []int{state.PID}}
	tasks, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range tasks {
		line, err := os.ReadFile(file)
		if err != nil || !strings.HasSuffix(string(line), "\x00"+guard.Verb+"\x00") {
			continue
		}
		var stat struct{ pid, parent int }
		text, err := os.ReadFile(filepath.Join(filepath.Dir(file), "stat"))
		if err != nil {
			continue
		}
		if fields := strings.Fields(string(text)); len(fields) > 3 {
			stat.pid, stat.parent = number(t, fields[0]), number(t, fields[3])
		}
		if stat.parent == state.PID {
			u.pids = append(u.pids, stat.pid)
		}
	}
	if found := u.left(); len(found) < 2+len(components.Names())+1+len(u.listens()) {
		t.Fatalf("a control plane that is up leaves %q, want supervisor, guard, components, directory and addresses", found)
	}
	return u
}

// left is what is there yet of a control plane.
func (u traces) left() []string {
	left := u.held()
	for _, pid := range u.pids {
		left = append(left, processes(pid)...)
	}
	if _, err := os.Lstat(u.dir); err == nil {
		left = append(left, "directory "+u.dir)
	}
	return left
}

// held is what of it must be gone before the directory is: somebody else may need it then.
func (u traces) held() []string {
	held := processes(guard.Marked(u.state.Mark)...)
	if _, err := os.Stat(u.state.Groups); u.state.Groups != "" && err == nil {
		held = append(held, "control groups "+u.state.Groups)
	}
	for _, addr := range u.listens() {
		if l, err := net.Listen("tcp4", addr); err != nil {
			held = append(held, "address "+addr)
		} else {
			l.Close()
		}
	}
	return held
}

// processes describes those that are not dead.
func processes(pids ...int) []string {
	var alive []string
	for _, pid := range pids {
		if !guard.Dead(pid) {
			line, _ := os.ReadFile(filepath.Join("/proc", itoa(pid), "cmdline"))
			alive = append(alive, "process "+strings.ReplaceAll(string(line[:min(len(line), 80)]), "\x00", " "))
		}
	}
	return alive
}

// listens are the addresses that a control plane listens on, as far as it has got.
func (u traces) listens() []string {
	network := u.state.Subnet.Addr().As4()
	claim := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, network[1], 255, 254}), 64443)
	all := []string{strings.TrimPrefix(u.state.Server, "https://"), claim.String()}
	if u.state.Ready {
		all = append(all, u.state.Metrics)
	}
	return all
}

// gone waits until nothing is left, the directory last.
func (u traces) gone(t *testing.T) {
	t.Helper()
	eventually(t, "the directory is gone", func() bool {
		_, err := os.Lstat(u.dir)
		return errors.Is(err, os.ErrNotExist)
	})
	if held := u.held(); len(held) > 0 {
		t.Errorf("the directory is gone before %q", held)
	}
	for deadline := time.Now().Add(eventuallyWithin); ; time.Sleep(20 * time.Millisecond) {
		left := u.left()
		if len(left) == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("left: %q", left)
		}
	}
}

func kill(t *testing.T, pid int, sig syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(pid, sig); err != nil {
		t.Fatalf("send %v to %d: %v", sig, pid, err)
	}
}

//go:build unix

package chaos

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// childAddr tells the test's own binary to be an echo server instead.
const childAddr = "CHAOS_TEST_CHILD"

// child is an echo server in a process of its own.
type child struct {
	addr string
	cmd  *exec.Cmd
}

// runChild is what the process does; it never returns.
func runChild(addr string) {
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(ln.Addr())
	go func() { // it does not outlive the test
		io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	for {
		c, err := ln.Accept()
		if err != nil {
			os.Exit(1)
		}
		go func() { echo(c); c.Close() }()
	}
}

func (p *child) Name() string { return "echo" }

func (p *child) Start(context.Context) error {
	p.cmd = exec.Command(os.Args[0])
	p.cmd.Env = append(os.Environ(), childAddr+"="+p.addr)
	p.cmd.Stderr = os.Stderr
	if _, err := p.cmd.StdinPipe(); err != nil {
		return err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := p.cmd.Start(); err != nil {
		return err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		p.cmd.Wait()
		return fmt.Errorf("no ready line: %w", err)
	}
	p.addr = line[:len(line)-1]
	return nil
}

func (p *child) signal(s syscall.Signal) error { return p.cmd.Process.Signal(s) }

func (p *child) Kill(context.Context) error {
	if err := p.signal(syscall.SIGKILL); err != nil {
		return err
	}
	p.cmd.Wait()
	return nil
}

func (p *child) Terminate(context.Context) error {
	if err := p.signal(syscall.SIGTERM); err != nil {
		return err
	}
	p.cmd.Wait()
	return nil
}

func (p *child) Pause() error  { return p.signal(syscall.SIGSTOP) }
func (p *child) Resume() error { return p.signal(syscall.SIGCONT) }

func startChild(t *testing.T) *child {
	t.Helper()
	p := &child{addr: "127.0.0.1:0"}
	if err := p.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Kill(context.Background()) })
	return p
}

func TestPausedProcessHangsAndGoesOn(t *testing.T) {
	p := startChild(t)
	c := connect(t, p.addr)
	if _, err := exchange(c, 10, 10*time.Second); err != nil {
		t.Fatal(err)
	}
	in, err := strike(t, []*child{p}, Spec{Pause: &Pause{}})
	if err != nil {
		t.Fatal(err)
	}
	// Stopping is not immediate: what is sent until then is still answered.
	eventually(t, "the process hangs", func() bool {
		_, err := exchange(c, 1, 200*time.Millisecond)
		return err != nil
	})
	connect(t, p.addr) // the port stays open
	heal(t, in)
	c.SetDeadline(time.Now().Add(10 * time.Second))
	if n, err := c.Read(make([]byte, 1)); n != 1 {
		t.Errorf("the standing connection does not go on: %v", err)
	}
}

func TestKilledProcessComesBackOnItsAddress(t *testing.T) {
	p := startChild(t)
	l, _ := openTestLink(t, p.addr)
	c := connect(t, l.Addrs()[0])
	if _, err := exchange(c, 10, 10*time.Second); err != nil {
		t.Fatal(err)
	}
	before := p.cmd.Process.Pid
	in, err := strike(t, []*child{p}, Spec{Kill: &Kill{}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := exchange(c, 10, 10*time.Second); err == nil {
		t.Error("a connection lives through the kill")
	}
	if err := firstError(l.Addrs()[0]); !isReset(err) {
		t.Errorf("a new connection: %v, want a reset", err)
	}
	heal(t, in)
	if p.cmd.Process.Pid == before {
		t.Error("it is the same process")
	}
	if _, err := exchange(connect(t, l.Addrs()[0]), 10, 10*time.Second); err != nil {
		t.Errorf("after heal: %v", err)
	}
}

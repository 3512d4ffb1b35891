package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"ordeal/deploy/localkube/components"
	"ordeal/deploy/localkube/controlplane"
	"ordeal/deploy/localkube/guard"
)

func number(t *testing.T, text string) int {
	t.Helper()
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func itoa(n int) string { return strconv.Itoa(n) }

// component is the process id of a component.
func component(t *testing.T, s controlplane.State, name string) int {
	t.Helper()
	for _, c := range s.Components {
		if c.Name == name {
			return c.PID
		}
	}
	t.Fatalf("no component %s in %v", name, s.Components)
	return 0
}

// runPod runs a Pod with a process that leaves its session, and waits for both.
func runPod(t *testing.T, dir string) {
	t.Helper()
	kube(t, dir, "run", "leaver", "--image=none", "--override-type=strategic",
		`--overrides={"spec":{"containers":[{"name":"leaver","resources":{"limits":{"cpu":"500m"}}}]}}`, "--annotations="+`localkube.ordeal/command.leaver=["/bin/sh","-c","setsid sleep 1000 & exec sleep 1000"]`)
	state, err := controlplane.ReadState(dir)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the Pod's two processes are there", func() bool {
		sleeping := 0
		for _, pid := range guard.Marked(state.Mark) {
			if line, _ := os.ReadFile(filepath.Join("/proc", itoa(pid), "cmdline")); string(line) == "sleep\x001000\x00" {
				sleeping++
			}
		}
		return sleeping == 2
	})
	if _, err := os.Stat(state.Groups); err != nil {
		t.Logf("limits of CPU do not hold on this machine, so control groups are not looked at: %v", err)
	} else if procs, err := filepath.Glob(filepath.Join(state.Groups, "*_leaver", "cgroup.procs")); err != nil || len(procs) != 1 {
		t.Errorf("control groups of the Pod: %v, %v, want one", procs, err)
	} else if text, err := os.ReadFile(procs[0]); err != nil || len(strings.Fields(string(text))) != 2 {
		t.Errorf("in the control group are %q, %v, want both processes", text, err)
	}
}

func TestNothingIsLeftHoweverItEnds(t *testing.T) {
	for _, test := range []struct {
		name string
		end  func(*testing.T, *plane, traces)
		code int    // its exit code; -1 where it was killed
		says string // on standard error
	}{
		{name: "SIGTERM", end: func(t *testing.T, p *plane, _ traces) { kill(t, p.PID, syscall.SIGTERM) }},
		{name: "SIGINT", end: func(t *testing.T, p *plane, _ traces) { kill(t, p.PID, syscall.SIGINT) }},
		{name: "standard input closes", end: func(_ *testing.T, p *plane, _ traces) { p.stdin.Close() }},
		{name: "SIGKILL", end: func(t *testing.T, p *plane, _ traces) { kill(t, p.PID, syscall.SIGKILL) }, code: -1},
		{name: "SIGKILL of its group", end: func(t *testing.T, p *plane, _ traces) { kill(t, -p.PID, syscall.SIGKILL) }, code: -1},
		{name: "a component dies", code: exitFailed, says: "etcd has ended (signal: killed)", end: func(t *testing.T, _ *plane, u traces) {
			kill(t, component(t, u.state, components.Etcd), syscall.SIGKILL)
		}},
		{name: "the guard dies", code: exitFailed, says: "the guard", end: func(t *testing.T, _ *plane, u traces) {
			kill(t, u.pids[1], syscall.SIGKILL)
		}},
		{name: "the guard dies, and the supervisor", code: -1, end: func(t *testing.T, p *plane, u traces) {
			kill(t, p.PID, syscall.SIGSTOP)
			kill(t, u.pids[1], syscall.SIGKILL)
			kill(t, p.PID, syscall.SIGKILL)
			<-p.ended
			if _, err := os.Stat(u.dir); err != nil {
				t.Errorf("%v: the test shows nothing", err)
			}
			if _, stderr, code := command(t, "status", "--dir", u.dir); code != exitFailed || !strings.Contains(stderr, "localkube down --dir "+u.dir) {
				t.Errorf("status: exit %d and %q, want how to take away what is left", code, stderr)
			}
			if stdout, stderr, code := command(t, "down", "--dir", u.dir); code != exitOK || stdout != "localkube is down\n" {
				t.Errorf("down: exit %d, %q %q", code, stdout, stderr)
			}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := up(t, filepath.Join(t.TempDir(), "kube"))
			runPod(t, p.Dir)
			u := uses(t, p.Dir)
			test.end(t, p, u)
			<-p.ended
			u.gone(t)
			if code := p.cmd.ProcessState.ExitCode(); code != test.code {
				t.Errorf("exit code %d, want %d", code, test.code)
			}
			if said := p.said(); test.says == "" && said != "" || !strings.Contains(said, test.says) {
				t.Errorf("it said %q, want %q", said, test.says)
			}
		})
	}
}

func TestNothingIsLeftOfAStartThatIsInterrupted(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		t.Run(sig.String(), func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "kube")
			p, _ := launch(t, dir)
			var state controlplane.State
			eventually(t, "the components are there", func() (ok bool) {
				var err error
				state, err = controlplane.ReadState(dir)
				return err == nil && len(state.Components) == len(components.Names())
			})
			u := uses(t, dir)
			kill(t, state.PID, sig)
			p.reap()
			u.gone(t)
			if said := p.said(); said != "" {
				t.Errorf("it said %q", said)
			}
		})
	}
}

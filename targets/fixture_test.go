package targets

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"ordeal/runner/evidence"
	"ordeal/targets/gateway"
	"ordeal/targets/users"
)

// TestMain makes the test binary stand for the command: it runs the guard, the
// reference services, and the programs that tests start.
func TestMain(m *testing.M) {
	// Under the race detector a program lingers for a second at its end.
	if err := os.Setenv("GORACE", "atexit_sleep_ms=0 "+os.Getenv("GORACE")); err != nil {
		panic(err)
	}
	if len(os.Args) < 2 {
		os.Exit(m.Run())
	}
	ctx := context.Background()
	switch os.Args[1] {
	case GuardVerb:
		if err := Guard(os.Stdin); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	case TargetVerb:
		if os.Args[2] == "gateway" {
			os.Exit(gateway.Main(ctx, os.Args[3:], os.Stdout, os.Stderr))
		}
		os.Exit(users.Main(ctx, os.Args[3:], os.Stdout, os.Stderr))
	case "serve":
		serveFixture(os.Args[2])
	case "rivals": // the first fails, the others wait
		if os.Mkdir(os.Args[2], 0o755) == nil {
			os.Exit(7)
		}
		select {}
	case "brief":
		briefFixture(os.Args[2])
	case "fail":
		fmt.Println("about to fail")
		os.Exit(7)
	case "idle":
		fmt.Println("doing nothing")
		select {}
	case "stubborn":
		signal.Ignore(syscall.SIGTERM)
		serveFixture(os.Args[2])
	case "family":
		familyFixture(os.Args[2], nil)
	case "daemon":
		familyFixture(os.Args[2], &syscall.SysProcAttr{Setsid: true})
	case "harness":
		harnessFixture(os.Args[2])
	default:
		os.Exit(m.Run())
	}
}

// serveFixture answers 200 with its arguments and environment, and exits with
// 3 when it is asked for /die.
func serveFixture(addr string) {
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, strings.Join(os.Args[2:], " "), " ", os.Getenv("FIXTURE"))
	})
	mux.HandleFunc("/die", func(http.ResponseWriter, *http.Request) {
		fmt.Println("last words")
		os.Exit(3)
	})
	if err := http.ListenAndServe(addr, mux); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

// briefFixture takes one connection and ends.
func briefFixture(addr string) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		os.Exit(1)
	}
	if _, err := l.Accept(); err != nil {
		os.Exit(1)
	}
	fmt.Println("took one")
	os.Exit(4)
}

// familyFixture serves, with a child that holds its output: in the same process
// group, or as attr says.
func familyFixture(addr string, attr *syscall.SysProcAttr) {
	child := exec.Command(os.Args[0], "idle")
	child.Stdout, child.SysProcAttr = os.Stdout, attr
	if err := child.Start(); err != nil {
		os.Exit(1)
	}
	fmt.Println("child", child.Process.Pid)
	serveFixture(addr)
}

// harnessTargets gives the programs that the harness fixture starts, by name.
// What has left its group is only found on Linux.
func harnessTargets() map[string]string {
	programs := map[string]string{"family": "family", "paused": "family"}
	if runtime.GOOS == "linux" {
		programs["daemon"] = "daemon"
	}
	return programs
}

// harnessFixture starts a target with a child, one that is paused, and one with a
// child that has left its group, tells their pids, and waits to be killed.
func harnessFixture(dir string) {
	l, err := NewLauncher(Config{Self: []string{os.Args[0]}, LogDir: dir, Clock: evidence.NewClock(), Sink: &recorder{}})
	if err != nil {
		os.Exit(1)
	}
	for name, fixture := range harnessTargets() {
		spec := &Spec{Name: name, Command: []string{os.Args[0], fixture, "${addr}"}, Replicas: 1, Grace: time.Second}
		t, err := l.Start(context.Background(), spec, nil)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		p := t.Processes()[0]
		fmt.Println("pid", p.PID())
		fmt.Println("pid", childOf(p))
		if name == "paused" {
			if err := p.Pause(); err != nil {
				os.Exit(1)
			}
		}
	}
	fmt.Println("guard", l.guard.pid)
	select {}
}

// childOf reads the pid of a family's child from its output.
func childOf(p *Process) int {
	for line := range strings.SplitSeq(p.out.last(), "\n") {
		if pid, ok := strings.CutPrefix(line, "child "); ok {
			n, _ := strconv.Atoi(pid)
			return n
		}
	}
	return 0
}

// recorder is a sink that keeps events.
type recorder struct {
	mu     sync.Mutex
	events []evidence.Event
}

func (*recorder) Sample(evidence.Sample)   {}
func (*recorder) Message(evidence.Message) {}
func (*recorder) Point(evidence.Point)     {}
func (r *recorder) Event(e evidence.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, e)
}

func (r *recorder) find(kind evidence.Kind) (evidence.Event, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.events {
		if e.Kind == kind {
			return e, true
		}
	}
	return evidence.Event{}, false
}

// launch gives a launcher that is closed with the test.
func launch(t *testing.T) (*Launcher, *recorder) {
	t.Helper()
	rec := &recorder{}
	l, err := NewLauncher(Config{Self: []string{os.Args[0]}, LogDir: t.TempDir(), Clock: evidence.NewClock(), Sink: rec})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(context.Background()); err != nil && !strings.Contains(err.Error(), "so it was killed") {
			t.Errorf("close the launcher: %v", err)
		}
	})
	return l, rec
}

func command(name string, args ...string) *Spec {
	return &Spec{Name: name, Command: append([]string{os.Args[0]}, args...), Replicas: 1, Grace: 10 * time.Second}
}

// eventually waits for a condition.
func eventually(t *testing.T, what string, cond func() bool) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !cond() {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// alive says whether a process is there and not a zombie that waits for its parent.
func alive(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	f, err := os.Open(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return !os.IsNotExist(err)
	}
	defer f.Close()
	line, _ := bufio.NewReader(f).ReadString('\n')
	_, state, _ := strings.Cut(line, ") ")
	return !strings.HasPrefix(state, "Z")
}

func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

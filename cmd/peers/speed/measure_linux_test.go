package speed

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestMain is also the server, the engine and the tools of these tests.
func TestMain(m *testing.M) {
	role := ""
	if len(os.Args) > 1 {
		role = os.Args[1]
	}
	var err error
	switch role {
	case "serve":
		err = Serve(os.Args[2], os.Stdin, os.Stdout, os.NewFile(3, "counters"))
	case "engine":
		err = Engine(context.Background(), os.Args[2:], os.Stdout)
	case "processors":
		var list []int
		list, err = processors()
		os.Stdout.WriteString(strings.Repeat("x", len(list)))
	default:
		os.Exit(m.Run())
	}
	if err != nil {
		os.Stderr.WriteString(err.Error())
		os.Exit(1)
	}
}

func self(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// testBench is a server of the kind, and a bench around it.
func testBench(t *testing.T, kind string) *bench {
	t.Helper()
	dir := t.TempDir()
	s, err := startServer(context.WithoutCancel(t.Context()), []string{self(t), "serve"}, kind, dir, -1) // ended by close
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.close(); err != nil {
			t.Error(err)
		}
	})
	return &bench{
		server: s, window: window{20 * time.Millisecond, 200 * time.Millisecond, 30 * time.Second}, cpu: -1,
		binaries: map[string]string{"sh": "/bin/sh"}, self: []string{self(t), "engine"}, dir: dir,
	}
}

// TestEngineIsMeasured runs the engine alone against each server and holds the
// figures against what they must be.
func TestEngineIsMeasured(t *testing.T) {
	for kind, j := range map[string]job{
		plainServer: {clients: 3}, lightServer: {clients: 3}, grpcServer: {clients: 3, conns: 2},
	} {
		t.Run(kind, func(t *testing.T) {
			b := testBench(t, kind)
			f, err := b.measure(t.Context(), discarding(), j)
			if err != nil {
				t.Fatal(err)
			}
			want := int64(max(j.conns, j.clients*(1-min(1, j.conns))))
			if f.Rate <= 0 || f.Cost <= 0 || f.Memory < 1<<20 || f.Server <= 0 || f.Server > float64(runtime.NumCPU()) || f.Conns < want || f.P99 != 0 {
				t.Errorf("%+v, want figures, and %d connections", f, want)
			}
			// The tool has all its processors at most.
			if cpus := f.Rate * f.Cost.Seconds(); cpus > 1.1*float64(runtime.NumCPU()) {
				t.Errorf("%v calls a second of %v each: %.1f processors", f.Rate, f.Cost, cpus)
			}
		})
	}
}

// shell is a tool that runs a script and reports n calls.
func shell(script string, n int64) *tool {
	return &tool{
		name: "shell", peer: "sh", args: func(job) []string { return []string{"-c", script} },
		read: func(context.Context, string, string) (said, error) { return said{calls: n, p99: 1}, nil },
	}
}

func TestToolThatFailsHasNoFigures(t *testing.T) {
	b := testBench(t, plainServer)
	for script, want := range map[string]string{
		"echo cannot >&2; exit 1": "exit status 1: cannot",
		"echo nothing to do":      "ended before its first call: exit status 0: nothing to do",
	} {
		f, err := b.measure(t.Context(), shell(script, 0), job{clients: 1})
		if err == nil || !strings.Contains(err.Error(), want) || f != (figures{}) {
			t.Errorf("%s: %+v, %v; want %q and no figures", script, f, err, want)
		}
	}
	if _, err := b.measure(t.Context(), &tool{name: "none", peer: "none", args: func(job) []string { return nil }}, job{}); err == nil {
		t.Error("a tool without a binary is no error")
	}
	b.window.patience = 50 * time.Millisecond
	if _, err := b.measure(t.Context(), shell("sleep 60", 0), job{clients: 1}); err == nil || !strings.Contains(err.Error(), "no call arrived within 50ms") {
		t.Errorf("a tool that makes no call: %v", err)
	}
}

// TestServerThatAnswersNothing is told as such: the connections are there, and
// no call arrives.
func TestServerThatAnswersNothing(t *testing.T) {
	b := testBench(t, muteServer)
	b.window.patience = 300 * time.Millisecond
	f, err := b.measure(t.Context(), discarding(), job{clients: 2})
	if err == nil || !strings.Contains(err.Error(), "no call arrived") || f != (figures{}) {
		t.Errorf("%+v, %v; want no figures", f, err)
	}
}

func TestWindowWithoutACallHasNoFigures(t *testing.T) {
	at := time.Now()
	if f, err := (look{at: at, calls: 5}).to(look{at: at.Add(time.Second), calls: 5}); err == nil {
		t.Errorf("%+v, want an error", f)
	}
	f, err := (look{at: at, calls: 5, bunched: 3, tool: time.Second, machine: time.Second, server: time.Second}).to(look{
		at: at.Add(2 * time.Second), calls: 1005, bunched: 253, conns: 3, memory: 9, tool: 2 * time.Second, server: 1500 * time.Millisecond, machine: 4 * time.Second,
	})
	want := figures{Rate: 500, Cost: time.Millisecond, Memory: 9, Conns: 3, Server: 0.25, Others: 0.75, Bunched: 0.25}
	if err != nil || f != want {
		t.Errorf("%+v, %v; want %+v", f, err, want)
	}
}

func TestServerThatCannotStartSaysWhy(t *testing.T) {
	_, err := startServer(t.Context(), []string{self(t), "serve"}, "teapot", t.TempDir(), -1)
	if err == nil || !strings.Contains(err.Error(), `no server is a "teapot"`) {
		t.Errorf("%v, want the reason", err)
	}
}

func TestPinnedProcessHasOneProcessor(t *testing.T) {
	all, err := processors()
	if err != nil || len(all) == 0 {
		t.Fatalf("%v, %v", all, err)
	}
	var out bytes.Buffer
	cmd := exec.Command(self(t), "processors")
	cmd.Stdout = &out
	if err := startOn(cmd, all[len(all)-1]); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil || out.Len() != 1 {
		t.Errorf("a pinned child has %d processors, %v", out.Len(), err)
	}
	if after, err := processors(); err != nil || len(after) != len(all) {
		t.Errorf("this process has %d processors afterwards, %v; it had %d", len(after), err, len(all))
	}
	if err := startOn(exec.Command(self(t), "processors"), 1023); err == nil {
		t.Error("a processor that is not there is no error")
	}
}

func TestProcessorTimeOfAProcessIsThatOfAllItsThreads(t *testing.T) {
	before, err := processTime(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // a thread that ends with this goroutine
		for began := time.Now(); ; {
			if used, err := processTime(os.Getpid()); err != nil || used-before > 50*time.Millisecond || time.Since(began) > time.Minute {
				return
			}
		}
	}()
	<-done
	if after, err := processTime(os.Getpid()); err != nil || after-before < 50*time.Millisecond {
		t.Errorf("%v of processor time, %v", after-before, err)
	}
	if _, err := processTime(1 << 22); err == nil {
		t.Error("a process that is not there has processor time")
	}
	if _, err := peakMemory(1 << 22); err == nil {
		t.Error("a process that is not there has memory")
	}
}

func TestBusyTimeLeavesIdlingOut(t *testing.T) {
	got, err := busyTime("cpu  1 2 3 1000 1000 4 5 6 0 0")
	if err != nil || got != 210*time.Millisecond {
		t.Errorf("%v, %v; want 210ms", got, err)
	}
	for _, text := range []string{"", "cpu 1 2 3", "cpu0 1 2 3 4 5 6 7 8", "cpu 1 2 3 4 5 6 7 x"} {
		if _, err := busyTime(text); err == nil {
			t.Errorf("%q is read", text)
		}
	}
}

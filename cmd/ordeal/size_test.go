package main

import (
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"ordeal/reports"
	"ordeal/runner/evidence"
	"ordeal/runner/evidence/synthetic"
)

// A run of ten million calls is judged and reported within 10 s and 256 MiB on
// two cores, and takes 16 bytes a call on disk. To see it:
//
//	go test ./cmd/ordeal -run TestLargeRun -v -calls 10000000 [-rundir DIR]
var (
	calls  = flag.Int("calls", 60_000, "calls of the run that TestLargeRun judges")
	runDir = flag.String("rundir", "", "where TestLargeRun keeps its run, or has it from before")
)

const (
	largeRun   = 1_000_000 // from so many calls on, memory is held against its limit
	mostMemory = 256 << 20
	mostOnDisk = 16 // bytes a call
)

func TestLargeRun(t *testing.T) {
	dir := *runDir
	if dir == "" {
		dir = filepath.Join(t.TempDir(), "run")
	}
	if _, err := os.Stat(filepath.Join(dir, "run.json")); err != nil {
		begin := time.Now()
		if err := synthetic.Write(dir, synthetic.Options{Calls: *calls}); err != nil {
			t.Fatal(err)
		}
		t.Logf("written in %v", time.Since(begin).Round(time.Millisecond))
	}
	program := filepath.Join(t.TempDir(), "ordeal") // by this name the test binary is the command
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, program); err != nil {
		t.Fatal(err)
	}
	var before map[string]string
	for _, verb := range []string{"judge", "report", "report"} {
		cmd := exec.Command(program, verb, dir)
		begin := time.Now()
		out, err := cmd.CombinedOutput()
		took := time.Since(begin)
		if err != nil {
			t.Fatalf("ordeal %s: %v\n%s", verb, err, out)
		}
		usage := cmd.ProcessState.SysUsage().(*syscall.Rusage)
		resident := usage.Maxrss << 10
		t.Logf("ordeal %s: %v, CPU %v, at most %d MiB resident", verb, took.Round(time.Millisecond),
			(cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Round(time.Millisecond), resident>>20)
		if *calls >= largeRun && resident > mostMemory {
			t.Errorf("ordeal %s took %d MiB, more than %d", verb, resident>>20, mostMemory>>20)
		}
		if verb == "judge" {
			continue
		}
		now := make(map[string]string)
		for _, name := range []string{"report.html", "report.json", "junit.xml", "summary.md"} {
			text, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			now[name] = string(text)
		}
		for name := range before {
			if before[name] != now[name] {
				t.Errorf("%s differs between two reports of the same directory", name)
			}
		}
		before = now
	}
	checkCounts(t, dir)
}

// checkCounts compares what the report says with what was planned, call by call.
func checkCounts(t *testing.T, dir string) {
	text, err := os.ReadFile(filepath.Join(dir, "report.json"))
	if err != nil {
		t.Fatal(err)
	}
	var d struct {
		Loads []reports.Load `json:"loads"`
	}
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	var all int64
	for _, l := range d.Loads {
		for _, p := range l.Phases {
			all += p.Calls
			if p.Calls != p.Planned || p.Calls == 0 {
				t.Errorf("%s has %d calls in %s, %d were planned", l.Name, p.Calls, p.Phase, p.Planned)
			}
		}
	}
	run, err := evidence.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	var size int64
	files, err := filepath.Glob(filepath.Join(dir, "samples", "*.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		info, err := os.Stat(f)
		if err != nil {
			t.Fatal(err)
		}
		size += info.Size()
	}
	each := float64(size) / float64(all)
	t.Logf("%d calls in %d segments, %.1f bytes each", all, len(files), each)
	if each > mostOnDisk {
		t.Errorf("a call takes %.1f bytes, more than %d", each, mostOnDisk)
	}
	if run.Meta.Waits > 0 {
		t.Logf("the writer held its caller back %d times", run.Meta.Waits)
	}
}

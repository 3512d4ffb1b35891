package observe

import (
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/prometheus/procfs"

	"ordeal/runner/evidence"
)

// The modes are all of a processor's time: added up they grow as time does, once
// for each processor.
func TestTheMachinesTimeIsAccountedFor(t *testing.T) {
	out := &notebook{}
	stop := observing(t, Harness{Clock: evidence.NewClock()}, out)
	eventually(t, "the machine was looked at for a second", func() bool { return len(out.values("ordeal", "machine_cpus", "")) >= 3 })
	stop()
	cpus := out.values("ordeal", "machine_cpus", "")[0]
	if cpus < 1 {
		t.Fatalf("%v processors", cpus)
	}
	var spent float64
	var from, to time.Duration
	for _, p := range out.points {
		if p.Name != "machine_cpu_seconds_total" {
			continue
		}
		if from == 0 {
			from = p.At
		}
		switch {
		case p.At == from:
			spent -= p.Value
		case p.At > to:
			to = p.At
		}
	}
	for _, p := range out.points {
		if p.Name == "machine_cpu_seconds_total" && p.At == to {
			spent += p.Value
		}
	}
	// Ticks are counted, and processors that sleep are counted late.
	if perCPU := spent / cpus / (to - from).Seconds(); perCPU < 0.5 || perCPU > 1.5 {
		t.Errorf("%.2fs were spent on %v processors in %v: %.2f each second", spent, cpus, to-from, perCPU)
	}
	fs, err := procfs.NewDefaultFS()
	if err != nil {
		t.Fatal(err)
	}
	_, err = fs.PSIStatsForResource("cpu")
	if seen := len(out.values("ordeal", "machine_cpu_pressure_seconds_total", "")) > 0; seen != (err == nil) {
		t.Errorf("pressure is there: %v, while the kernel says: %v", seen, err)
	}
}

// A target that is a shell costs what its children cost, while they live and
// after they were waited for.
func TestUsageCountsDescendants(t *testing.T) {
	burn := `i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done`
	cmd := exec.Command("sh", "-c", "( "+burn+"; echo burnt; read again; exit 0 )\nwait; echo waited; read end")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	said, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Wait() }()
	defer func() { _ = in.Close() }()
	line := func() {
		if _, err := said.Read(make([]byte, 64)); err != nil {
			t.Fatal(err)
		}
	}
	line()
	living, _, ok := usage(cmd.Process.Pid)
	if !ok || living <= 0 {
		t.Errorf("a child that has worked: %vs, %v", living, ok)
	}
	if proc, err := procfs.NewProc(cmd.Process.Pid); err != nil {
		t.Error(err)
	} else if stat, err := proc.Stat(); err != nil || stat.CPUTime() >= living {
		t.Errorf("the shell itself took %vs of %vs, %v: so its child was not counted", stat.CPUTime(), living, err)
	}
	if _, err := in.Write([]byte("\n")); err != nil {
		t.Fatal(err)
	}
	line()
	if waited, _, ok := usage(cmd.Process.Pid); !ok || waited < living {
		t.Errorf("after its child was waited for: %vs, before %vs", waited, living)
	}
	if _, _, ok := usage(os.Getpid()); !ok {
		t.Error("this process is not known")
	}
}

// A counter that falls would be one that began anew: the time of a child that
// ends while it is read is lost from no look.
func TestUsageNeverFalls(t *testing.T) {
	cmd := exec.Command("sh", "-c", "while kill -0 $TEST; do sh -c 'i=0; while [ $i -lt 60000 ]; do i=$((i+1)); done'; done")
	cmd.Env = append(os.Environ(), fmt.Sprintf("TEST=%d", os.Getpid())) // it does not outlive the test, however that ends
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	most := 0.0
	for deadline := time.Now().Add(30 * time.Second); most < 1; {
		cpu, _, ok := usage(cmd.Process.Pid)
		if !ok || cpu < most || time.Now().After(deadline) {
			t.Fatalf("%vs after %vs, %v", cpu, most, ok)
		}
		most = cpu
	}
}

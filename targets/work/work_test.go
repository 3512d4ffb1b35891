package work

import (
	"context"
	"errors"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestCostIsRead(t *testing.T) {
	for text, want := range map[string]Cost{
		"cpu:200us, sleep:1ms": {CPU: 200 * time.Microsecond, Sleep: time.Millisecond},
		"sleep:3ms":            {Sleep: 3 * time.Millisecond},
		"":                     {},
	} {
		c := Cost{CPU: 1, Sleep: 1}
		if err := c.Set(text); err != nil || c != want {
			t.Errorf("%q: read %+v, %v; want %+v", text, c, err, want)
		}
		var again Cost
		if err := again.Set(c.String()); err != nil || again != c {
			t.Errorf("%q is written %q, and that is read %+v, %v", text, c.String(), again, err)
		}
	}
}

func TestWrongCostIsRefused(t *testing.T) {
	for text, want := range map[string]string{
		"cpu":           "want cpu:DURATION",
		"cpu:5":         "want cpu:DURATION",
		"disk:5ms":      "want cpu or sleep",
		"cpu:-5ms":      "want 0s to",
		"sleep:2h":      "want 0s to",
		"cpu:1ms,":      "want cpu:DURATION",
		"cpu=1ms":       "want cpu:DURATION",
		"cpu:1ms;sleep": "want cpu:DURATION",
	} {
		c := Cost{CPU: 1}
		if err := c.Set(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error is %v, want %q in it", text, err, want)
		}
		if c != (Cost{CPU: 1}) {
			t.Errorf("%q: a refused value was taken: %+v", text, c)
		}
	}
}

// processorTime is what this process has used so far.
func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func TestWorkBurnsProcessorTimeAndSleepsWithout(t *testing.T) {
	worker := Measure()
	spent := func(c Cost) (cpu, wall time.Duration) {
		start, before := time.Now(), processorTime(t)
		if err := worker.Pay(context.Background(), c); err != nil {
			t.Fatal(err)
		}
		return processorTime(t) - before, time.Since(start)
	}
	// The bounds are wide: the measure of the processor is taken on a busy machine.
	if cpu, _ := spent(Cost{CPU: 200 * time.Millisecond}); cpu < 100*time.Millisecond || cpu > time.Second {
		t.Errorf("200 ms of work took %v of the processor", cpu)
	}
	if cpu, wall := spent(Cost{Sleep: 200 * time.Millisecond}); wall < 200*time.Millisecond || cpu > 150*time.Millisecond {
		t.Errorf("200 ms of sleep took %v, and %v of the processor", wall, cpu)
	}
}

func TestWorkEndsWithItsContext(t *testing.T) {
	for _, cost := range []Cost{{CPU: Longest}, {Sleep: Longest}} {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
		start := time.Now()
		err := Measure().Pay(ctx, cost)
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > 20*time.Second {
			t.Errorf("%+v: ended after %v with %v", cost, time.Since(start), err)
		}
	}
}

package speed

import (
	"strings"
	"testing"
	"time"
)

// TestNoiseIsHeard: a thread that shares its processor with another one is kept
// from it for a part of the time.
func TestNoiseIsHeard(t *testing.T) {
	cpus, err := processors()
	if err != nil {
		t.Fatal(err)
	}
	cpu := cpus[len(cpus)-1]
	n, err := hear(cpu, cpu, 300*time.Millisecond)
	if err != nil || n.held < 0.1 || n.held > 1 || n.longest < heldFrom || n.longest > time.Duration(n.held*float64(10*time.Second)) {
		t.Errorf("%+v, %v; want a thread that is held up", n, err)
	}
	if n.late < heldFrom || n.late > time.Minute {
		t.Errorf("%+v: want work that is late", n)
	}
	if n.cold <= 0 || n.warm <= 0 || n.idle < 300*time.Millisecond {
		t.Errorf("%+v: want what it takes to touch memory", n)
	}
	for _, where := range [][2]int{{1023, cpu}, {cpu, 1023}} {
		if _, err := hear(where[0], where[1], time.Millisecond); err == nil {
			t.Errorf("%v: a processor that is not there is no error", where)
		}
	}
}

func TestNoiseIsTold(t *testing.T) {
	if got := noises(nil).note(); got != "" {
		t.Errorf("%q of nothing", got)
	}
	got := noises{
		{held: 0.01, longest: 2 * time.Millisecond, late: 5 * time.Millisecond, idle: 2 * time.Second, cold: 8 * time.Microsecond, warm: 20 * time.Nanosecond},
		{held: 0.03, longest: 9 * time.Millisecond, late: 25 * time.Millisecond, idle: 2 * time.Second, cold: 10 * time.Microsecond, warm: 40 * time.Nanosecond},
		{held: 0.002, longest: time.Millisecond, late: 30 * time.Microsecond, idle: 2 * time.Second, cold: 9 * time.Microsecond, warm: 30 * time.Nanosecond},
	}.note()
	for _, want := range []string{"12µs of work every 20µs", "for 1.00% [0.20–3.00] of the time, 9.0 ms at the longest, and was 5.00 ms late at p99 [0.03–25.00]", "took 9.00 µs when it had not been touched for 2s, and 0.03 µs"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q lacks %q", got, want)
		}
	}
}

package charts

import (
	"math"
	"strings"
	"testing"
)

func labels(ticks []tick) string {
	var s []string
	for _, t := range ticks {
		if t.label != "" {
			s = append(s, t.label)
		}
	}
	return strings.Join(s, " ")
}

func TestTimeTicks(t *testing.T) {
	for end, want := range map[float64]string{
		0.5: "0.0s 0.1s 0.2s 0.3s 0.4s 0.5s", 40: "0s 5s 10s 15s 20s 25s 30s 35s 40s",
		300:  "0:00 0:30 1:00 1:30 2:00 2:30 3:00 3:30 4:00 4:30 5:00",
		7200: "0:00 10:00 20:00 30:00 40:00 50:00 1:00:00 1:10:00 1:20:00 1:30:00 1:40:00 1:50:00 2:00:00",
	} {
		if got := labels(timeTicks(end)); got != want {
			t.Errorf("timeTicks(%g) = %s, want %s", end, got, want)
		}
	}
}

func TestLogTicks(t *testing.T) {
	for _, c := range []struct {
		lo, hi float64
		want   string
	}{
		{1e-3, 1, "1ms 10ms 100ms 1s"}, {1e-3, 2e-2, "1ms 2ms 5ms 10ms 20ms"}, {2e-4, 2e-3, "200µs 500µs 1ms 2ms"},
	} {
		if got := labels(logTicks(c.lo, c.hi, seconds)); got != c.want {
			t.Errorf("logTicks(%g, %g) = %s, want %s", c.lo, c.hi, got, c.want)
		}
	}
}

func TestLinearTicks(t *testing.T) {
	for top, want := range map[float64]string{312: "0 100 200 300 400", 0: "0 0.5 1", 1: "0 0.5 1", 2: "0 0.5 1 1.5 2", 41000: "0 20k 40k 60k"} {
		ticks, end := linearTicks(top, 4, count)
		if top == 0 || top == 1 {
			ticks, end = linearTicks(top, 2, count)
		}
		if got := labels(ticks); got != want || end < top {
			t.Errorf("linearTicks(%g) = %s up to %g, want %s", top, got, end, want)
		}
	}
}

// TestLogRange holds what is drawn within the chart and off its edges' far side.
func TestLogRange(t *testing.T) {
	for lo := 1e-8; lo < 1e3; lo *= 1.37 {
		for _, factor := range []float64{1, 1.01, 3, 99, 1e6} {
			hi := lo * factor
			a, b := logRange(lo, hi)
			if a > lo || b < hi || a <= 0 || b/a < 9.9 || math.IsNaN(a) || math.IsNaN(b) {
				t.Fatalf("logRange(%g, %g) = %g, %g", lo, hi, a, b)
			}
			if len(labels(logTicks(a, b, seconds))) == 0 {
				t.Fatalf("no label between %g and %g", a, b)
			}
		}
	}
}

func TestFit(t *testing.T) {
	sty := write(textSize, Ink, 0, 0)
	if got := fit(sty, "outage", 200); got != "outage" {
		t.Errorf("what has room was shortened to %q", got)
	}
	got := fit(sty, "blackhole on gateway->users", 80)
	if !strings.HasSuffix(got, "…") || sty.Width(got) > 80 || !strings.HasPrefix(got, "blackhole") {
		t.Errorf("fit to 80 gives %q of width %v", got, sty.Width(got))
	}
	if got := fit(sty, "outage", 5); got != "" {
		t.Errorf("without room, there is %q", got)
	}
}

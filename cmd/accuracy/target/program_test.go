package target

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func program(t *testing.T, text string, seed uint64) Program {
	t.Helper()
	p, err := ParseProgram(text, seed)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestProgramsAreReadAsTheyAreWritten(t *testing.T) {
	for _, text := range []string{
		"prompt", "stall 6s 2s", "slow 1% 1s", "jitter 1ms 100ms", "errors 30% 100ms 400ms", "cuts 10% 20ms", "silence 2%", "queue 6 20ms",
	} {
		if got := program(t, text, 1).String(); got != text {
			t.Errorf("%q is read as %q", text, got)
		}
	}
	for text, want := range map[string]string{
		"":                  "no name",
		"hang 1s":           "no program",
		"stall 6s":          "missing",
		"stall 6s 2s 1s":    "too many",
		"stall six 2s":      "invalid duration",
		"slow 1 1s":         "share",
		"slow 101% 1s":      "share",
		"queue 0 20ms":      "slots",
		"queue x 20ms":      "invalid syntax",
		"cuts 10%":          "missing",
		"errors 5% 1s over": "invalid duration",
	} {
		if _, err := ParseProgram(text, 1); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func TestStallAnswersAllOfItsWindowAtItsEnd(t *testing.T) {
	p := program(t, "stall 6s 2s", 1)
	for at, want := range map[time.Duration]time.Duration{
		0: 0, 5999 * time.Millisecond: 0, 6 * time.Second: 2 * time.Second, 7500 * time.Millisecond: 500 * time.Millisecond,
		8*time.Second - 1: 1, 8 * time.Second: 0, time.Minute: 0,
	} {
		if got := p.Treat(3, at); got != (Treatment{want, Answered}) {
			t.Errorf("at %v: %+v, want a delay of %v", at, got, want)
		}
	}
}

// draws counts how calls are treated, and looks that a second program of the
// same seed treats them alike, in whatever order it is asked.
func draws(t *testing.T, text string, seed uint64, n int) []Treatment {
	t.Helper()
	p, again := program(t, text, seed), program(t, text, seed)
	got := make([]Treatment, n)
	for i := range n {
		got[i] = p.Treat(uint64(i), 0)
	}
	for i := n - 1; i >= 0; i-- {
		if again.Treat(uint64(i), time.Hour) != got[i] {
			t.Fatalf("%s: call %d is treated another way the second time", text, i)
		}
	}
	return got
}

func share(of []Treatment, match func(Treatment) bool) float64 {
	n := 0
	for _, t := range of {
		if match(t) {
			n++
		}
	}
	return float64(n) / float64(len(of))
}

func TestSharesAreWhatTheySay(t *testing.T) {
	const n = 200_000
	for _, tc := range []struct {
		program string
		share   float64
		match   func(Treatment) bool
	}{
		{"slow 1% 1s", 0.01, func(t Treatment) bool { return t == Treatment{time.Second, Answered} }},
		{"slow 1% 1s", 0.99, func(t Treatment) bool { return t == Treatment{0, Answered} }},
		{"errors 30% 100ms 400ms", 0.3, func(t Treatment) bool { return t == Treatment{0, Failed} }},
		{"errors 30% 100ms 400ms", 0.35, func(t Treatment) bool {
			return t.Outcome == Answered && t.Delay >= 100*time.Millisecond && t.Delay < 250*time.Millisecond
		}},
		{"cuts 10% 20ms", 0.1, func(t Treatment) bool { return t == Treatment{20 * time.Millisecond, Cut} }},
		{"silence 2%", 0.02, func(t Treatment) bool { return t.Outcome == Silent }},
	} {
		got := share(draws(t, tc.program, 4, n), tc.match)
		if d := got - tc.share; d < -0.004 || d > 0.004 {
			t.Errorf("%s: a share of %.4f, want %.4f", tc.program, got, tc.share)
		}
	}
	if slices.Equal(draws(t, "slow 1% 1s", 4, n), draws(t, "slow 1% 1s", 5, n)) {
		t.Error("another seed treats the same calls in the same way")
	}
}

func TestJitterIsLogNormalBetweenItsEnds(t *testing.T) {
	got := draws(t, "jitter 1ms 100ms", 5, 200_000)
	slices.SortFunc(got, func(a, b Treatment) int { return int(a.Delay - b.Delay) })
	if low, high := got[0].Delay, got[len(got)-1].Delay; low < time.Millisecond || high > 100*time.Millisecond || high < 90*time.Millisecond {
		t.Errorf("from %v to %v", low, high)
	}
	// ln 10 lies at the median, and one standard deviation is ln(10)/1.5 of it.
	for p, want := range map[float64]time.Duration{0.5: 10 * time.Millisecond, 0.8413: 21544 * time.Microsecond, 0.1587: 4642 * time.Microsecond} {
		v := got[int(p*float64(len(got)))].Delay
		if d := float64(v-want) / float64(want); d < -0.02 || d > 0.02 {
			t.Errorf("quantile %.4f is %v, want %v", p, v, want)
		}
	}
}

func TestQueueServesFirstComeFirstServed(t *testing.T) {
	p := program(t, "queue 2 10ms", 1)
	ms := time.Millisecond
	for i, tc := range []struct{ at, want time.Duration }{
		{0, 10 * ms}, {1 * ms, 10 * ms}, // a slot each
		{2 * ms, 18 * ms}, {2 * ms, 19 * ms}, // behind the first and the second
		{3 * ms, 27 * ms},   // behind the third
		{100 * ms, 10 * ms}, // all are free again
	} {
		if got := p.Treat(uint64(i), tc.at); got.Delay != tc.want {
			t.Errorf("call %d takes %v, want %v", i, got.Delay, tc.want)
		}
	}
}

package reports

import (
	"strings"
	"testing"
	"time"

	"ordeal/runner/verdict"
)

func TestDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0", 7: "7ns", 1500: "1.50µs", 850 * time.Microsecond: "850µs", 999_499: "999µs", 999_500: "1.00ms",
		12_400 * time.Microsecond: "12.4ms", 999_600 * time.Microsecond: "1.00s", 1240 * ms: "1.24s", 99_940 * ms: "99.9s",
		99_950 * ms: "1m40s", 125 * time.Second: "2m05s", 62 * time.Minute: "1h02m", -3 * ms: "-3.00ms",
	} {
		if got := duration(d); got != want {
			t.Errorf("duration(%d) = %q, want %q", d, got, want)
		}
	}
}

func TestPercentNeverRoundsToACertainty(t *testing.T) {
	for share, want := range map[float64]string{0: "0%", 0.00001: "<0.01%", 0.0002: "0.02%", 0.015: "1.5%", 0.5: "50%", 0.9996: ">99.9%", 1: "100%"} {
		if got := percent(share); got != want {
			t.Errorf("percent(%v) = %q, want %q", share, got, want)
		}
	}
}

func TestPlain(t *testing.T) {
	for d, want := range map[time.Duration]string{2 * time.Second: "2s", 250 * ms: "250ms", 90 * time.Second: "1m30s", time.Minute: "1m", time.Hour: "1h"} {
		if got := plain(d); got != want {
			t.Errorf("plain(%d) = %q, want %q", d, got, want)
		}
	}
}

func TestWrap(t *testing.T) {
	for _, c := range []struct {
		in   string
		w    int
		want string
	}{
		{"short", 10, "short"}, {"two words", 5, "two|words"}, {"unbreakable", 4, "unbr|eaka|ble"},
		{"a bcdefghij k", 4, "a|bcde|fghi|j k"}, {"", 4, ""}, {"     ", 3, ""},
	} {
		if got := strings.Join(wrap(c.in, c.w), "|"); got != c.want {
			t.Errorf("wrap(%q, %d) = %q, want %q", c.in, c.w, got, c.want)
		}
	}
}

func TestTerminalFitsItsWidth(t *testing.T) {
	run, j := hostileRun(t)
	for _, text := range []string{render(t, Terminal(false), run, j), render(t, Terminal(false), open(t, writeBreakerRun(t, breakerMeta())), breakerJudgement())} {
		for _, l := range strings.Split(text, "\n") {
			if letters(l) > terminalWidth && !strings.HasPrefix(l, "report: ") {
				t.Errorf("%d letters in a line: %s", letters(l), l)
			}
		}
	}
}

func TestAReasonIsToldOnce(t *testing.T) {
	v := verdict.Verdict{Why: "opens within: it never opened", Parts: []verdict.Part{
		{Name: "opens within", Status: verdict.Fail, Measured: "never", Why: "it never opened"},
		{Name: "sheds", Status: verdict.Inconclusive, Limit: ">= 99%", Why: "no metric"},
		{Name: "closes", Status: verdict.Pass},
		{Name: "no flapping", Status: verdict.Inconclusive, Why: "no metric"},
		{Name: "rejects fast", Status: verdict.Fail, Why: "no metric"},
	}}
	got := strings.Join(openParts(v), "\n")
	want := "✗ opens within: fail, never\n? sheds, no flapping: inconclusive: no metric\n✗ rejects fast: fail: no metric"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

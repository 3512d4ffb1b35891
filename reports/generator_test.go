package reports

import (
	"math"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ordeal/runner/evidence"
)

func TestGeneratorOverTime(t *testing.T) {
	d := build(t, open(t, writeBreakerRun(t, breakerMeta())), breakerJudgement())
	g, c := d.Generator, d.course
	if g == nil || g.CPUs != 2 || g.CPU != (Usage{0.625, 1}) || g.Others == nil || *g.Others != (Usage{0.25, 0.25}) {
		t.Fatalf("the generator is %+v, others %+v; want half a core, a whole one in 10 s of 40, and a quarter beside it", g, g.Others)
	}
	for what, x := range map[string]struct {
		got  *time.Duration
		want time.Duration
	}{"sched p99": {g.SchedDelay, 1200 * time.Microsecond}, "sched max": {g.SchedMax, 9 * ms}, "GC pause": {g.GCPause, 2500 * time.Microsecond}} {
		if x.got == nil || *x.got != x.want {
			t.Errorf("%s is %v, want %v", what, x.got, x.want)
		}
	}
	for i, want := range map[int]float64{5: 0.5, 20: 1, 30: 0.5} {
		if c.cpu[i] != want || math.Abs(c.others[i]-0.25) > 1e-9 {
			t.Errorf("second %d: %v cores and %v beside, want %v and 0.25", i, c.cpu[i], c.others[i], want)
		}
	}
	if c.gc[9] != 0 || c.gc[10] != 0.0025 || c.gc[11] != 0 {
		t.Errorf("the pause of second 10 is in %v", c.gc[9:12])
	}
	if len(c.steps) != 41 || len(c.cpu) != 40 {
		t.Errorf("%d steps of 40 s", len(c.steps)-1)
	}
}

func TestGeneratorOfAnOlderRun(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	w, err := evidence.Create(dir, breakerMeta(), nil)
	if err != nil {
		t.Fatal(err)
	}
	w.Event(evidence.Event{At: at(0), Kind: evidence.PhaseStart, Phase: "steady"})
	w.Event(evidence.Event{At: at(4), Kind: evidence.PhaseEnd, Phase: "steady"})
	for s := 0.0; s <= 4; s += 0.5 {
		w.Point(evidence.Point{At: at(s), Target: "ordeal", Name: "harness_cpu_seconds_total", Value: s})
		w.Point(evidence.Point{At: at(s), Target: "ordeal/1", Name: "target_cpu_seconds_total", Value: 9 * s})
	}
	if err := w.Close(evidence.Completed, nil); err != nil {
		t.Fatal(err)
	}
	d := build(t, open(t, dir), breakerJudgement())
	if g := d.Generator; g == nil || g.CPU.Mean != 1 || g.Others != nil || g.SchedDelay != nil || g.GCPause != nil {
		t.Fatalf("the generator is %+v, want one core and nothing else", d.Generator)
	}
	page := written(t, d, "html", Selection{})
	if !strings.Contains(page, "what other processes used was not recorded") || strings.Contains(page, "Delays inside") || strings.Contains(page, ">all else<") {
		t.Error("the page shows what was not recorded, or does not say that it was not")
	}
	if got, want := d.Generator.words(), "1.00 of 2 cores on average, at most 1.00 (50%)"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestGeneratorThatWasNotObserved(t *testing.T) {
	d := known(t)
	if page := written(t, d, "html", Selection{}); !strings.Contains(page, "was not recorded in this run") || strings.Contains(page, "The generator used") {
		t.Error("the page does not say that the generator was not observed")
	}
	for _, format := range []string{"terminal", "markdown"} {
		if text := written(t, d, format, Selection{}); strings.Contains(strings.ToLower(text), "generator:") {
			t.Errorf("the %s report has a generator", format)
		}
	}
}

func TestValidityIsShown(t *testing.T) {
	d := known(t)
	page := strings.Join(strings.Fields(written(t, d, "html", Selection{})), " ")
	for _, want := range []string{
		`– <span class="soft small">1 of 10</span>`,                                                          // p99.9 of steady
		`<td class="num">4</td><td class="num">100</td><td class="num">25</td><td class="num first">50</td>`, // late, not sent, timed out, beyond p50 in the outage
		"by the fast transport", "fast transport</span>",
		`<a href="#generator">How late`, `<section id="generator">`,
		"Messages: From when a message was due to its answer.",
		`<td class="soft">messages</td><td class="num">2,000</td><td class="num">1,000/s</td><td class="num small">4 not answered (0.20%)</td>`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not show %q", want)
		}
	}
	for format, wants := range map[string][]string{
		"terminal": {
			"send lag p99 at most 1.00ms (steady), max 20.0ms (outage); 4 late, 100 not sent,", "25 timed out\n",
			"\n–: fewer than 10 calls lie beyond p99 in warmup (1), outage (1)\n",
			"  messages    2,000  1,000/s  4.00ms  4.00ms  4.00ms  60.0ms\n    4 not answered (0.20%)\n", "messages: From when a message was due to its answer.\n",
		},
		"markdown": {
			"Send lag p99 at most 1.00ms (steady), max 20.0ms (outage); 4 late, 100 not sent, 25 timed out.",
			"| steady, messages | 2,000 | 1,000/s | 4.00ms | 4.00ms | 4.00ms | 60.0ms | 4 not answered (0.20%) |", "Messages: From when a message was due to its answer.\n",
		},
	} {
		text := written(t, d, format, Selection{})
		for _, want := range wants {
			if !strings.Contains(text, want) {
				t.Errorf("the %s report does not show %q:\n%s", format, want, text)
			}
		}
	}
}

func TestSentWords(t *testing.T) {
	lag := 3 * ms
	for want, l := range map[string]Load{
		"no call was sent; 7 not sent": {Model: "open", Phases: []Figures{{Phase: "a", Planned: 7, Unissued: 7}}},
		"send lag max 3.00ms; 0 late, 2 not sent, 1 timed out": {Model: "open",
			Phases: []Figures{{Phase: "a", Unissued: 2, Timeouts: 1, Lag: Latency{Max: &lag}}}},
		"3 timed out": {Model: "closed", Phases: []Figures{{Timeouts: 1}, {Timeouts: 2}}},
	} {
		if got := l.sentWords(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

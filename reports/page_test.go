package reports

import (
	"bytes"
	"math"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"ordeal/runner/evidence"
)

// fetches finds what would make a browser load something: attributes and CSS
// that name a place outside the page.
func fetches(page string) []string {
	return regexp.MustCompile(`(?i)(\s(src|srcset|data|poster|action)\s*=|<(script|iframe|object|embed|link|img|image|use|base)\b|@import|url\(|(xlink:)?href\s*=\s*["'][^#"'])`).FindAllString(page, -1)
}

func TestPageNeedsNothingElse(t *testing.T) {
	if len(fetches(`<link rel=x><img src="x"><style>@import "x"; a{background:url(x)}</style>`)) != 5 {
		t.Fatal("the test does not see what it is there to see")
	}
	page := render(t, HTML, open(t, writeBreakerRun(t, breakerMeta())), breakerJudgement())
	if f := fetches(page); len(f) > 0 {
		t.Errorf("the page refers to other places: %q", f)
	}
}

func TestPageShowsTheRun(t *testing.T) {
	page := render(t, HTML, open(t, writeBreakerRun(t, breakerMeta())), breakerJudgement())
	for _, want := range []string{
		"closed model, 5 clients", "each client waits", // what a closed model means
		"half-open",                              // the breaker's state track
		">blackhole on gateway-&gt;users</text>", // the fault's name in a chart
		">http-5xx</text>", ">planned</text>", ">p99</text>", ">99.9%</text>",
		"Calls through gateway-&gt;users",
		"4 connections, 132 calls, 18.4 kB", // what the fault touched
		"by the harness; signal: killed<details", "<pre>ready\nserving &lt;10&gt; calls</pre>",
		"bench-1", "0123456789ab", "v12.13.0", "127.0.0.1", "SHA-256",
		"get: /api/v1/users/42", // the scenario's source
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not show %q", want)
		}
	}
	if strings.Contains(page, "not as it was") {
		t.Error("the page says that untouched evidence was altered")
	}
}

func TestPageOfALongRunIsSmall(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "long")
	m := breakerMeta()
	m.Phases = []evidence.PhaseMeta{{Name: "steady", Start: start, For: time.Hour}}
	m.Loads[0].Planned = map[string]int64{"steady": 3 * 3600}
	w, err := evidence.Create(dir, m, nil)
	if err != nil {
		t.Fatal(err)
	}
	w.Event(evidence.Event{At: start, Kind: evidence.PhaseStart, Phase: "steady"})
	for i := range 2 * 3 * 3600 {
		s := evidence.Sample{Load: i % 2, Seq: uint64(i / 2), Intended: at(float64(i/2) / 3)}
		s.Sent = s.Intended
		s.Done = s.Sent + time.Duration(1+i*7919%1000)*ms/10
		s.Class = evidence.Class(i / 7 % evidence.NumClasses)
		w.Sample(s)
	}
	w.Event(evidence.Event{At: at(3600), Kind: evidence.PhaseEnd, Phase: "steady"})
	if err := w.Update(func(m *evidence.Meta) { m.Took = at(3600) }); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(evidence.Completed, nil); err != nil {
		t.Fatal(err)
	}
	page := render(t, HTML, open(t, dir), breakerJudgement())
	if len(page) > 1<<20 {
		t.Errorf("the page of an hour's run takes %d bytes, want at most 1 MiB", len(page))
	}
	if !strings.Contains(page, "of the calls intended in each 6s") {
		t.Error("an hour is not drawn in slices of 6s")
	}
}

// TestRendersAtTheSameTime is of use under the race detector.
func TestRendersAtTheSameTime(t *testing.T) {
	run := open(t, writeBreakerRun(t, breakerMeta()))
	var wg sync.WaitGroup
	pages := make([]string, 4)
	for i := range pages {
		wg.Add(1)
		go func() {
			defer wg.Done()
			var b bytes.Buffer
			if err := HTML(&b, build(t, run, breakerJudgement())); err != nil {
				t.Error(err)
			}
			pages[i] = b.String()
		}()
	}
	wg.Wait()
	for _, p := range pages[1:] {
		if p != pages[0] {
			t.Error("the same run gives different pages")
		}
	}
}

func TestPerSecondLine(t *testing.T) {
	d := &Document{Run: Identity{Start: start, End: at(4)}}
	// Ten a second for two seconds, then nothing; it is first read half a second late.
	s := evidence.Series{Target: "a->b"}
	for i := range 8 {
		s.T, s.V = append(s.T, at(0.5+float64(i)*0.5)), append(s.V, 100+10*min(2, 0.5+float64(i)*0.5))
	}
	l, moved := perSecondLine(s, d)
	if !moved || len(l.X) != 5 || len(l.V) != 4 || l.X[4] != 4 {
		t.Fatalf("line %v %v, moved %v", l.X, l.V, moved)
	}
	if !math.IsNaN(l.V[0]) || l.V[1] != 10 || l.V[2] != 0 || l.V[3] != 0 {
		t.Errorf("rates %v, want a gap, 10, 0, 0", l.V)
	}
	for i := range s.V {
		s.V[i] = 100
	}
	if _, moved := perSecondLine(s, d); moved {
		t.Error("a count that stays the same moves")
	}
}

func TestMarginBar(t *testing.T) {
	for _, c := range []struct {
		margin string
		want   *bar
	}{
		{"75%", &bar{Half: 38}}, {"100%", &bar{Half: 50}}, {"250%", &bar{Half: 50}},
		{"-40%", &bar{Over: true, Half: 20}}, {"−40 %", &bar{Over: true, Half: 20}}, {"-900%", &bar{Over: true, Half: 50}},
		{"0%", &bar{}}, {"", nil}, {"plenty", nil}, {"NaN%", nil},
	} {
		got := marginBar(c.margin)
		if (got == nil) != (c.want == nil) || got != nil && *got != *c.want {
			t.Errorf("marginBar(%q) = %+v, want %+v", c.margin, got, c.want)
		}
	}
}

func TestWordsBesideTheFiguresOfALoad(t *testing.T) {
	f := Figures{Degraded: 4, Late: 7, Classes: map[string]int64{"ok": 90, "timeout": 3}}
	if got, want := classWords(f), "timeout 3; 4 degraded; 7 sent over 10.0ms late"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := classWords(Figures{Classes: map[string]int64{"ok": 90}}); got != "" {
		t.Errorf("where all is well it says %q", got)
	}
}

package speed

import (
	"errors"
	"maps"
	"strings"
	"testing"
	"time"
)

func TestTargetsAreJudgedByTheMedian(t *testing.T) {
	for _, tc := range []struct {
		target target
		found  spread
		want   string
	}{
		{target{want: 1.8}, spread{1.8, 1, 3, 5}, "✓"},
		{target{want: 1.8}, spread{1.79, 1.79, 3, 5}, "✗"},
		{target{want: 0.55, atMost: true}, spread{0.55, 0.1, 1, 5}, "✓"},
		{target{want: 0.55, atMost: true}, spread{0.56, 0.1, 1, 5}, "✗"},
		{target{want: 0.55, atMost: true}, spread{}, "?"}, // no figures are no success
		{target{want: 1.8}, spread{}, "?"},
		{target{want: 1.8}, spread{9, 9, 9, 1}, "?"}, // nor are those of one round of five
		{target{want: 1.8}, spread{1, 1, 1, 2}, "?"},
		{target{want: 1.8}, spread{9, 9, 9, 3}, "✓"},
		{target{unjudged: true}, spread{9, 9, 9, 1}, " "},
	} {
		if got := (verdict{target: tc.target, found: tc.found, rounds: 5}).mark(); got != tc.want {
			t.Errorf("%+v with %+v: %q, want %q", tc.target, tc.found, got, tc.want)
		}
	}
	if got := (verdict{target: target{want: 1}, found: spread{9, 9, 9, 2}, rounds: 4}).mark(); got != "?" {
		t.Errorf("half of the rounds: %q, want ?", got)
	}
	if got := (verdict{target: target{want: 1}}).mark(); got != "?" {
		t.Errorf("no rounds at all: %q, want ?", got)
	}
}

// TestServersLimitLeavesRatiosOpen: a tool at the server's limit could be
// faster, so that the ratio is a bound. Which side of what is wanted it lies on
// counts only where the bound is on that side, too.
func TestServersLimitLeavesRatiosOpen(t *testing.T) {
	for _, tc := range []struct {
		of, to        bool   // at the server's limit
		least, tooLow string // at least 1 is wanted: 2 and 0.5 are found
		most, tooMuch string // at most 1 is wanted: 0.5 and 2 are found
		whose         string
	}{
		{of: false, to: false, least: "✓", tooLow: "✗", most: "✓", tooMuch: "✗"},
		{of: false, to: true, least: "≈", tooLow: "✗", most: "✓", tooMuch: "≈", whose: "wrk"},
		{of: true, to: false, least: "✓", tooLow: "≈", most: "≈", tooMuch: "✗", whose: "ordeal"},
		{of: true, to: true, least: "≈", tooLow: "≈", most: "≈", tooMuch: "≈", whose: "both"},
	} {
		mark := func(atMost bool, found float64) string {
			v := verdict{
				target: target{of: "ordeal", to: "wrk", want: 1, atMost: atMost}, found: spread{found, found, found, 5}, rounds: 5,
				ofLimited: tc.of, toLimited: tc.to,
			}
			if v.mark() == "≈" && v.atLimit() != tc.whose {
				t.Errorf("limited %v and %v: at the limit is %q, want %q", tc.of, tc.to, v.atLimit(), tc.whose)
			}
			return v.mark()
		}
		got := [4]string{mark(false, 2), mark(false, 0.5), mark(true, 0.5), mark(true, 2)}
		if want := [4]string{tc.least, tc.tooLow, tc.most, tc.tooMuch}; got != want {
			t.Errorf("limited %v and %v: %q, want %q", tc.of, tc.to, got, want)
		}
	}
}

func TestRatesAtTheServersLimitAreNotJudged(t *testing.T) {
	s := sampleStudy()
	o := &s.outcomes[0]
	o.results["ordeal"], o.results["vegeta"] = o.results["fortio"], o.results["fortio"]
	for _, v := range o.verdicts() {
		want := "≈"
		switch {
		case v.to == "k6" || v.to == "wrk":
			want = "?"
		case v.to == "ordeal, engine alone":
			continue // it was not at the limit
		case v.ofCost:
			want = "✗" // as much as the others, where half was wanted
		}
		if got := v.mark(); got != want {
			t.Errorf("%s: %q, want %q", v.name, got, want)
		}
	}
	var b strings.Builder
	if err := s.Document(&b); err != nil {
		t.Fatal(err)
	}
	if want := "**Not told apart**, HTTP/1.1, as fast as it goes: rate to fortio is 1.00 [1.00–1.00], wanted ≥ 1.00; at the limit of the server: both."; !strings.Contains(b.String(), want) {
		t.Errorf("the document lacks %q:\n%s", want, b.String())
	}
}

// TestServerWithAllProcessorsIsLimitedByAll: what fills one processor is no
// limit to a server that has four.
func TestServerWithAllProcessorsIsLimitedByAll(t *testing.T) {
	for _, tc := range []struct {
		cpus   int
		server float64 // processors
		want   bool
	}{
		{1, 0.94, false},
		{1, 0.95, true},
		{4, 0.99, false},
		{4, 3.9, true},
	} {
		o := outcome{serverCPUs: tc.cpus, results: map[string]rounds{"wrk": {{figures: figures{Rate: 1, Server: tc.server}}}}}
		if got := o.limited("wrk"); got != tc.want {
			t.Errorf("%v of %d processors: limited is %v", tc.server, tc.cpus, got)
		}
	}
	for _, tc := range []struct {
		m    machine
		want int
	}{{machine{processors: 8, pinned: true}, 1}, {machine{processors: 8}, 8}} {
		if got := tc.m.each(); got != tc.want {
			t.Errorf("%+v: %d processors each, want %d", tc.m, got, tc.want)
		}
	}
}

func TestWrkHasAThreadForEachProcessor(t *testing.T) {
	for want, j := range map[string]job{
		"-t1": {clients: 64, cpus: 1}, "-t8": {clients: 64, cpus: 8}, "-t4": {clients: 4, cpus: 8}, // it wants a connection a thread
	} {
		if got := wrk().args(j)[0]; got != want {
			t.Errorf("%+v: %s, want %s", j, got, want)
		}
	}
}

// TestReadmeHasNoSuccessThatOneRoundShows has vegeta fail in all rounds but one.
func TestReadmeHasNoSuccessThatOneRoundShows(t *testing.T) {
	s := sampleStudy()
	s.outcomes[0].results["vegeta"] = append(rounds{{figures: figures{Rate: 1, Cost: 1}}}, ofRates(0, 0)...)
	got, err := s.Readme(blockStart + blockEnd)
	if err != nil {
		t.Fatal(err)
	}
	if want := "| HTTP rate to vegeta | 20000 [20000–20000], 1 of 3 rounds | ≥ 1.80 | ? |"; !strings.Contains(got, want) {
		t.Errorf("the README lacks %q:\n%s", want, got)
	}
}

// TestReadmeLooksPastAnotherToolsLimit: only the other tool is at the server's
// limit, and Ordeal is faster than it could be. Without another server to look
// at, the README says that this shows nothing.
func TestReadmeLooksPastAnotherToolsLimit(t *testing.T) {
	s := sampleStudy()
	light := s.outcomes[0]
	light.comparison = comparisons(64, 5000)[1]
	s.outcomes[0].results = maps.Clone(light.results)
	s.outcomes[0].results["ordeal"] = ofRates(200000, 200000, 200000)
	for want, outcomes := range map[string][]outcome{
		"| HTTP, light server, rate to fortio | 0.16 [0.10–0.17] | ≥ 1.00 | ✗ |": {s.outcomes[0], light},
		"| HTTP rate to fortio | 1.62 [1.62–1.62] | ≥ 1.00 | ≈ |":                {s.outcomes[0]},
	} {
		s.outcomes = outcomes
		got, err := s.Readme(blockStart + blockEnd)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(got, want) || strings.Contains(got, "\n≈: the server was at its limit") != (len(outcomes) == 1) {
			t.Errorf("the README lacks %q, or what it means:\n%s", want, got)
		}
	}
}

// TestLagIsJudgedByItself: a target of one tool's figure is no ratio, and where it
// is not told, nothing is known.
func TestLagIsJudgedByItself(t *testing.T) {
	lagging := func(list ...time.Duration) rounds {
		var r rounds
		for _, d := range list {
			r = append(r, result{figures: figures{Rate: 1000, Lag: d}})
		}
		return r
	}
	for name, tc := range map[string]struct {
		half rounds
		want string
	}{
		"on time":           {lagging(900*time.Microsecond, time.Millisecond, 5*time.Millisecond), "✓ 1.00 [0.90–5.00]"},
		"late":              {lagging(time.Millisecond, 1100*time.Microsecond, 1200*time.Microsecond), "✗ 1.10 [1.00–1.20]"},
		"told once":         {lagging(0, time.Microsecond, 0), "? 0.00 [0.00–0.00], 1 of 3 rounds"},
		"never told":        {lagging(0, 0, 0), "? no figures"},
		"no round is whole": {rounds{{err: errors.New("it ended"), figures: figures{Lag: 1}}}, "? no figures"},
	} {
		for _, c := range comparisons(1, 1) {
			if !c.job.paced {
				continue
			}
			o := outcome{comparison: c, results: map[string]rounds{flooded: lagging(0, 0, 0), halved: tc.half}}
			list := o.verdicts()
			if got := list[0].mark() + " " + list[0].ratio(); len(list) != 1 || got != tc.want {
				t.Errorf("%s, %s: %q, want %q", c.key, name, got, tc.want)
			}
		}
	}
	done := map[string]rounds{flooded: {{figures: figures{Rate: 5000}}, {figures: figures{Rate: 7000}}}}
	for _, tool := range onTime() {
		if got, want := (job{paced: true}).of(tool, done).rate, map[string]int{flooded: flood, halved: 3000}[tool.name]; got != want {
			t.Errorf("%s makes %d calls a second, want %d", tool.name, got, want)
		}
	}
}

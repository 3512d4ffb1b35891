package speed

import (
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// sampleStudy has a server at its limit, a tool that failed once and one that
// never had figures.
func sampleStudy() *Study {
	run := func(rate float64, server float64) result {
		return result{figures: figures{
			Rate: rate, Cost: time.Duration(1e9 / rate), P99: 4 * time.Millisecond, Memory: 61 << 20, Conns: 64, Server: server, Others: 0.5,
		}}
	}
	failed := result{err: errors.New("it ended while it was measured: exit status 1: " + strings.Repeat("too many words ", 20))}
	c := comparisons(64, 5000)[0]
	return &Study{
		options:  Options{Rounds: 3, For: 8 * time.Second, Warm: 2 * time.Second},
		machine:  machine{at: time.Unix(1e9, 0).UTC(), model: "Some CPU", processors: 2, kernel: "Linux 6", golang: "go1", pinned: true},
		versions: map[string]string{"vegeta": "v12", "ordeal": "v1"},
		absent:   []string{"wrk was left out: wrk is not there"},
		outcomes: []outcome{{
			comparison: c,
			results: map[string]rounds{
				"vegeta":               {run(10000, 0.4), failed, run(12000, 0.4)},
				"fortio":               {run(123456, 0.99), run(123456, 0.99), run(123456, 0.99)},
				"k6":                   {failed, failed, failed},
				"ordeal":               {run(20000, 0.5), run(21000, 0.5), run(12000, 0.5)},
				"ordeal, engine alone": {run(20000, 0.5), run(21000, 0.5), run(12000, 0.5)},
			},
			lines:   []command{{tool: "vegeta", line: "vegeta attack -rate=0", files: map[string]string{"targets.txt": "GET /\n"}}},
			profile: "flat  flat%\n 1s  50% f",
		}},
	}
}

func TestTableFitsATerminalAndHidesNothing(t *testing.T) {
	var b strings.Builder
	if err := sampleStudy().Table(&b); err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(b.String(), "\n") {
		if utf8.RuneCountInString(line) > 80 {
			t.Errorf("a line of more than 80 columns: %q", line)
		}
	}
	for _, want := range []string{
		"vegeta                  11000 [10000–12000]", "123456 [123456–123456]", " 99%*\n", "all the processor time",
		"k6                               no figures\n", "k6 failed in 3 of 3 rounds: it ended while it was measured", "vegeta failed in 1 of 3 rounds",
		"✗ rate to vegeta                     1.50 [1.00–2.00], 2 of 3 rounds", "? rate to k6", "? rate to wrk", "✓ rate, recording everything",
		"wrk was left out", "Other work, the kernel's own included, used 0.50", "pinned to one processor",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, b.String())
		}
	}
}

func TestDocumentSaysWhatWasMissedAndHow(t *testing.T) {
	var b strings.Builder
	if err := sampleStudy().Document(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"2001-09-09 01:46 UTC", "Some CPU, 2 processors, Linux 6, go1", "ordeal v1; vegeta v12",
		"**Not reached**, HTTP/1.1, as fast as it goes: rate to vegeta is 1.50 [1.00–2.00], 2 of 3 rounds, wanted ≥ 1.80.",
		"**Not known**, HTTP/1.1, as fast as it goes: rate to k6: no figures.",
		"## What was reached\n\nThe machine was busy with other work",
		"| vegeta | 11000 [10000–12000] |", `| 99%\* |`,
		"    vegeta attack -rate=0", "targets.txt of vegeta:\n\n    GET /", "     1s  50% f",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the document lacks %q:\n%s", want, b.String())
		}
	}
	if strings.Contains(b.String(), "that was judged is reached") {
		t.Error("the document says that everything was reached")
	}
}

func TestReadmeLooksPastAServerAtItsLimit(t *testing.T) {
	s := sampleStudy()
	plain := &s.outcomes[0]
	light := *plain
	light.comparison = comparisons(64, 5000)[1]
	s.outcomes = append(s.outcomes, light)
	limited := map[string]rounds{}
	for name, r := range plain.results {
		limited[name] = r
	}
	limited["ordeal"] = limited["fortio"]
	s.outcomes[0].results = limited
	got, err := s.Readme(blockStart + blockEnd)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"| HTTP rate to vegeta | ", "| HTTP, light server, rate to fortio | 0.16 [0.10–0.17] | ≥ 1.00 | ✗ |"} {
		if !strings.Contains(got, want) {
			t.Errorf("the README lacks %q:\n%s", want, got)
		}
	}
	if strings.Contains(got, "≈") {
		t.Errorf("the README has a ratio that tells nothing:\n%s", got)
	}
}

func TestReadmeKeepsAllButItsBlock(t *testing.T) {
	got, err := sampleStudy().Readme("before\n" + blockStart + "old\n" + blockEnd + "after\n")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(got, "before\n"+blockStart+"| ") || !strings.HasSuffix(got, "\n"+blockEnd+"after\n") || strings.Contains(got, "old") {
		t.Errorf("the README became\n%s", got)
	}
	if busy := "The machine was busy"; !strings.Contains(got, busy) {
		t.Errorf("the README does not say %q:\n%s", busy, got)
	}
	if want := "| HTTP rate to vegeta | 1.50 [1.00–2.00], 2 of 3 rounds | ≥ 1.80 | ✗ |"; !strings.Contains(got, want) {
		t.Errorf("the README lacks %q:\n%s", want, got)
	}
	if strings.Contains(got, "CPU per call, recording everything") {
		t.Error("the README has a ratio for which nothing is wanted")
	}
	for _, text := range []string{"", blockStart, blockEnd} {
		if _, err := sampleStudy().Readme(text); err == nil {
			t.Errorf("a README without a place for the ratios: %q", text)
		}
	}
}

func TestStudyWithoutFiguresFails(t *testing.T) {
	s := sampleStudy()
	if err := s.Failed(); err != nil {
		t.Errorf("a study with figures: %v", err)
	}
	for name := range s.outcomes[0].results {
		s.outcomes[0].results[name] = ofRates(0, 0, 0)
	}
	if err := s.Failed(); err == nil {
		t.Error("a study whose tools all failed is no error")
	}
	if err := (&Study{}).Failed(); err == nil {
		t.Error("an empty study is no error")
	}
}

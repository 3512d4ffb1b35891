package scenarios

import (
	"bytes"
	"path"
	"slices"
	"strings"
	"testing"
	"time"
)

func library(t *testing.T) []Entry {
	t.Helper()
	entries, err := Library()
	if err != nil {
		t.Fatal(err)
	}
	return entries
}

func planOf(t *testing.T, e Entry) *Plan {
	t.Helper()
	p, err := Parse(e.File, bytes.NewReader(e.Source))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestLibraryHoldsWhatItMust(t *testing.T) {
	must := []string{
		"gateway-steady", "users-steady", "users-streams", "breaker-opens-and-recovers", "breaker-half-open-fails-again",
		"upstream-slow", "upstream-reset", "kill-and-restart", "pause", "rate-limit-holds", "graceful-restart", "slow-client",
	}
	negative := []string{"breaker-off", "breaker-never-closes", "limiter-off", "rolling-update-without-drain", "rolling-update-lying-readiness"}
	for _, e := range library(t) {
		list := must
		if e.Negative {
			list = negative
		}
		if i := slices.Index(list, e.Name); i >= 0 {
			list[i] = ""
		}
	}
	for _, name := range append(must, negative...) {
		if name != "" {
			t.Errorf("%s is not in the library", name)
		}
	}
}

// What is shipped is read by people: it says what it is, is named as its file,
// and has no plan that could only be inconclusive.
func TestShippedScenariosAreInOrder(t *testing.T) {
	var ci time.Duration
	for _, e := range library(t) {
		p := planOf(t, e)
		if p.Name != strings.TrimSuffix(path.Base(e.File), ".yaml") {
			t.Errorf("%s is named %s", e.File, p.Name)
		}
		if p.About == "" || len(p.About) > 120 || !strings.HasSuffix(p.About, ".") {
			t.Errorf("%s: about %q: want one sentence of at most 120 characters", p.Name, p.About)
		}
		if !bytes.HasPrefix(e.Source, []byte("# ")) {
			t.Errorf("%s has no comment that teaches", p.Name)
		}
		for i, line := range strings.Split(string(e.Source), "\n") {
			if len(line) > 140 {
				t.Errorf("%s:%d has %d columns", e.File, i+1, len(line))
			}
		}
		if e.Negative != e.Tagged("negative") || e.Negative && (e.Tagged("ci") || !strings.HasPrefix(p.About, "Must fail.")) {
			t.Errorf("%s: a negative scenario is tagged so, is not part of ci, and says that it must fail", p.Name)
		}
		if notes := p.Notes(); len(notes) > 0 {
			t.Errorf("%s: %s", p.Name, notes)
		}
		if err := p.CheckHosts(nil); err != nil {
			t.Errorf("%s: %v", p.Name, err)
		}
		if e.Tagged("ci") {
			if d := p.Duration(); d < 10*time.Second || d > 26*time.Second {
				t.Errorf("%s takes %v: want 10 to 26 s of a scenario for ci", p.Name, d)
			}
			ci += p.Duration()
		}
	}
	if ci > 4*time.Minute {
		t.Errorf("the scenarios for ci take %v, which leaves too little of five minutes for starting and reporting", ci)
	}
	t.Logf("ci: %v", ci)
}

func TestLookup(t *testing.T) {
	for _, name := range []string{"pause", "breaker-off"} {
		text, err := Lookup(name)
		if err != nil || !bytes.Contains(text, []byte("name: "+name+"\n")) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, want := range map[string]string{
		"pauze":        `did you mean "pause"?`,
		"limiter-of":   `did you mean "limiter-off"?`,
		"../go":        "want one of",
		"negative/..":  "want one of",
		"":             "want one of",
		"breaker-off/": "did you mean",
	} {
		if _, err := Lookup(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", name, err, want)
		}
	}
}

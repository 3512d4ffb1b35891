package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"ordeal/scenarios"
)

var update = flag.Bool("update", false, "write the table of the shipped library into the README")

const (
	tableStart = "<!-- library: written by go test ./cmd/ordeal -run README -update -->\n"
	tableEnd   = "<!-- end of library -->\n"
)

func libraryTable(t *testing.T) string {
	t.Helper()
	entries, err := scenarios.Library()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString("| scenario | what it shows | tag |\n| --- | --- | --- |\n")
	for _, e := range entries {
		file := "scenarios/" + e.Name + ".yaml"
		if e.Negative {
			file = "scenarios/negative/" + e.Name + ".yaml"
		}
		mark := ""
		for _, tag := range []string{"ci", "kubernetes", "negative"} {
			if e.Tagged(tag) {
				mark = tag
			}
		}
		fmt.Fprintf(&b, "| [%s](%s) | %s | %s |\n", e.Name, file, e.About, mark)
	}
	return b.String()
}

func TestREADMEListsTheLibrary(t *testing.T) {
	const path = "../../README.md"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), tableStart)
	if !ok {
		t.Fatalf("the README has no place for the table: %q", tableStart)
	}
	old, after, ok := strings.Cut(rest, tableEnd)
	if !ok {
		t.Fatalf("the README's table has no end: %q", tableEnd)
	}
	want := libraryTable(t)
	if *update {
		if err := os.WriteFile(path, []byte(before+tableStart+want+tableEnd+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if old != want {
		t.Error("the README's table of the shipped library is not current: go test ./cmd/ordeal -run README -update")
	}
}

// scenariosIn gives the whole scenarios among the YAML blocks of a page.
func scenariosIn(page string) []string {
	var found []string
	for _, block := range strings.Split(page, "```yaml\n")[1:] {
		text, _, _ := strings.Cut(block, "```")
		if strings.HasPrefix(text, "ordeal: v1\n") {
			found = append(found, text)
		}
	}
	return found
}

func TestScenariosInTheDocsAreValid(t *testing.T) {
	for page, least := range map[string]int{"../../README.md": 1, "../../docs/tutorial.md": 2} {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		found := scenariosIn(string(text))
		if len(found) < least {
			t.Errorf("%s has %d scenarios, want at least %d", page, len(found), least)
		}
		for _, scenario := range found {
			if _, err := scenarios.Parse(page, strings.NewReader(scenario)); err != nil {
				t.Errorf("a scenario in %s is not valid: %v", page, err)
			}
		}
	}
}

// The README says ten lines.
func TestREADMEsFirstScenarioHasTenLines(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(scenariosIn(string(text))[0], "\n"); n != 10 {
		t.Errorf("it has %d", n)
	}
}

package scenarios

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

const referencePath = "../docs/scenario-reference.md"

func TestReferencePageIsCurrent(t *testing.T) {
	got := Reference()
	if *update {
		if err := os.MkdirAll("../docs", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(referencePath, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(referencePath)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Error("the page differs from the types: go test ./scenarios -run Reference -update")
	}
}

// Every key has its line of explanation, and every link leads to a section.
func TestReferenceIsComplete(t *testing.T) {
	page := Reference()
	headings := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^###? (.*)$`).FindAllStringSubmatch(page, -1) {
		if headings[anchor(m[1])] {
			t.Errorf("two sections are titled %s", m[1])
		}
		headings[anchor(m[1])] = true
	}
	for _, m := range regexp.MustCompile(`\]\(#([^)]*)\)`).FindAllStringSubmatch(page, -1) {
		if !headings[m[1]] {
			t.Errorf("no section for the link #%s", m[1])
		}
	}
	for _, line := range strings.Split(page, "\n") {
		if strings.HasPrefix(line, "| `") && strings.HasSuffix(line, "|  |") {
			t.Errorf("a key without explanation: %s", line)
		}
	}
	for _, key := range []string{"`blackhole`", "`p99.9`", "`closes_within`", "`replicas`", "`arrivals`", "`spike`", "`amplitude`"} {
		if !strings.Contains(page, "| "+key) {
			t.Errorf("%s is not in the page", key)
		}
	}
}

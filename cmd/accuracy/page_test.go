package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestDocumentHasEveryTableAndCommand(t *testing.T) {
	all := cases()
	good := attempt{calls: comparison{trueResponse: exactly(upTo(20_000)), response: exactly(upTo(20_000))}}
	good.calls.judged = judge(good.calls.trueResponse, good.calls.response)
	bad := good
	bad.problem("3 calls are in the evidence twice")
	peer := peerResult{name: "vegeta", truth: good.calls.response, report: report{figures: exactly(upTo(10_000)), commands: []string{"vegeta attack"}}}
	p := page{
		began: time.Now(), ordeal: "none", versions: map[string]string{"vegeta": "v1"}, missing: []string{"wrk is not there"},
		results: []*result{{c: &all[0], attempts: []attempt{good}}, {c: &all[2], attempts: []attempt{bad, bad}, peers: []peerResult{peer}}},
		counts:  []*counted{{c: &countCases()[0], samples: 12, checked: true}},
	}
	path := filepath.Join(t.TempDir(), "accuracy.md")
	if err := p.write(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"## prompt\n", "## stall-many\n", "## count-http\n", "- vegeta: v1\n", "- Not run: wrk is not there\n", "2 of 3 cases hold, after 4 attempts",
		"| prompt | yes | 1 | 19.800s (19.800s) |", "| stall-many | **no** | 2 | 19.800s (19.800s) | 9.900s (19.800s) |",
		"wrong: 3 calls are in the evidence twice", "vegeta attack", "ordeal run scenario.yaml", "rate: 500/s",
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the document lacks %q", want)
		}
	}
	if p.held() {
		t.Error("the suite holds with a case that does not")
	}
}

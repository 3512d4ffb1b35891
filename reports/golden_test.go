package reports

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"ordeal/runner/evidence"
	"ordeal/runner/verdict"
)

var update = flag.Bool("update", false, "write the golden files anew")

// render gives a report as text, with the place of the run directory taken out.
func render(t testing.TB, r Renderer, run *evidence.Run, j verdict.Judgement) string {
	t.Helper()
	var b bytes.Buffer
	if err := r(&b, run, j); err != nil {
		t.Fatal(err)
	}
	return string(bytes.ReplaceAll(b.Bytes(), []byte(run.Dir), []byte("runs/breaker-opens")))
}

// drawing is what a chart draws; it has golden files of its own.
var drawing = regexp.MustCompile(`(?s)(<svg [^>]*>).*?(</svg>)`)

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs from what is rendered now; if that is meant, run the test with -update.\n%s", path, firstDifference(string(want), got))
	}
}

// firstDifference shows where two texts part.
func firstDifference(want, got string) string {
	w, g := bytes.Split([]byte(want), []byte("\n")), bytes.Split([]byte(got), []byte("\n"))
	for i := range max(len(w), len(g)) {
		var a, b string
		if i < len(w) {
			a = string(w[i])
		}
		if i < len(g) {
			b = string(g[i])
		}
		if a != b {
			return "want: " + a + "\n got: " + b
		}
	}
	return ""
}

func TestGolden(t *testing.T) {
	run := open(t, writeBreakerRun(t, breakerMeta()))
	if l := run.Meta.Lost; len(l) > 0 {
		t.Fatalf("the synthetic run lost evidence: %v", l)
	}
	for _, format := range Formats() {
		t.Run(format, func(t *testing.T) {
			r, file, ok := ByName(format)
			if !ok {
				t.Fatalf("no renderer for %q", format)
			}
			if file == "" {
				file = "terminal.txt"
			}
			got := render(t, r, run, breakerJudgement())
			golden(t, file, drawing.ReplaceAllString(got, "$1$2"))
		})
	}
}

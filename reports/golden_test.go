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
	if err := r(&b, build(t, run, j)); err != nil {
		t.Fatal(err)
	}
	return string(bytes.ReplaceAll(b.Bytes(), []byte(run.Dir), []byte("runs/breaker-opens")))
}

func build(t testing.TB, run *evidence.Run, j verdict.Judgement) *Document {
	t.Helper()
	d, err := Build(run, j)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// renderer finds a format's renderer of what is selected.
func renderer(t testing.TB, name string, of Selection) (Renderer, string) {
	t.Helper()
	f, err := ByName(name)
	if err != nil {
		t.Fatal(err)
	}
	r, err := f.Of(of)
	if err != nil {
		t.Fatal(err)
	}
	return r, f.File
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
	for _, format := range []string{"terminal", "html", "json", "junit", "markdown", "csv", "prometheus", "benchfmt", "hgrm"} {
		t.Run(format, func(t *testing.T) {
			var of Selection
			if format == "hgrm" {
				of.Loads = []string{"browse"}
			}
			r, file := renderer(t, format, of)
			if file == "" {
				file = format + ".txt"
			}
			got := render(t, r, run, breakerJudgement())
			golden(t, file, drawing.ReplaceAllString(got, "$1$2"))
		})
	}
}

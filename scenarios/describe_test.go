package scenarios

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// describe writes a plan and sees to it that no line is wider than it may be.
func describe(t *testing.T, p *Plan, width int) string {
	t.Helper()
	var b bytes.Buffer
	if err := p.Describe(&b, width); err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(b.String(), "\n") {
		if n := runes(line); n > width || line != strings.TrimRight(line, " ") {
			t.Errorf("%s: a line of %d characters: %q", p.Name, n, line)
		}
	}
	return b.String()
}

func TestDescribe(t *testing.T) {
	files := map[string]string{"breaker": "breaker-opens-and-recovers.yaml"}
	for _, name := range []string{"everything", "cluster", "context"} {
		files[name] = "testdata/describe/" + name + ".yaml"
	}
	for name, file := range files {
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		p, err := Parse(file, f)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		got := describe(t, p, 80)
		golden := filepath.Join("testdata/describe", name+".txt")
		if *update {
			if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
		}
	}
}

func TestDescribeKeepsToItsWidth(t *testing.T) {
	for _, e := range library(t) {
		for _, width := range []int{60, 80, 132} {
			describe(t, planOf(t, e), width)
		}
	}
}

// The bars of phases lie one after the other: each starts where the one before
// it ends, and the last ends at the edge.
func TestTimelineIsToScale(t *testing.T) {
	text := describe(t, mustParse(t, sound), 80)
	var steady, outage string
	for _, line := range strings.Split(text, "\n") {
		switch {
		case strings.Contains(line, "━"):
			steady = line
		case strings.Contains(line, "▒"):
			outage = line
		}
	}
	from, to := runes(outage[:strings.Index(outage, "▒")]), runes(outage)
	if end := runes(steady); end != from || to != 80 {
		t.Errorf("steady ends at %d, outage goes from %d to %d", end, from, to)
	}
	if n, m := strings.Count(steady, "━"), strings.Count(outage, "▒"); n != m {
		t.Errorf("two phases of 10s have bars of %d and %d", n, m)
	}
}

func mustParse(t *testing.T, text string) *Plan {
	t.Helper()
	p, err := Parse("x.yaml", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestTransportFollowsTheTarget: what a load does not say of its transport
// follows from whether its target speaks TLS.
func TestTransportFollowsTheTarget(t *testing.T) {
	p := mustParse(t, `ordeal: v1
name: x
targets:
  plain:  {external: "http://127.0.0.1:8080"}
  secure: {external: "https://127.0.0.1:8443"}
load:
  a: {http: {target: plain, get: /}, rate: 1/s}
  b: {http: {target: secure, get: /, tls: {insecure: true}}, rate: 1/s}
  c: {http: {target: secure, get: /, transport: fast}, rate: 1/s}
timeline:
  - {phase: steady, for: 10s}
expect:
  - errors: {load: a, count: "= 0"}
`)
	for name, want := range map[string]string{"a": "fast", "b": "standard", "c": "fast"} {
		if got := p.Load(name).Meta(p.Spans(name), 1).Transport; got != want {
			t.Errorf("load %s goes by %q, want %q", name, got, want)
		}
	}
}

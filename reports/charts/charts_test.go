package charts

import (
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

func testWindow() Window {
	return Window{
		End: 40,
		Phases: []Phase{
			{Name: "warmup", Start: 0, End: 3, Warmup: true}, {Name: "steady", Start: 3, End: 15},
			{Name: "outage", Start: 15, End: 25}, {Name: "recovery", Start: 25, End: 40},
		},
		Bands: []Span{{Name: "blackhole on a->b", Start: 15, End: 25}, {Name: "latency 300ms on a->c", Start: 20, End: 30}},
	}
}

// wave is a line of 40 slices with a gap in it.
func wave(name string, tone Tone, base float64) Line {
	l := Line{Name: name, Tone: tone, Step: true}
	for i := range 40 {
		v := base * (1 + 0.3*math.Sin(float64(i)/3))
		if i >= 30 && i < 33 {
			v = math.NaN()
		}
		l.X, l.V = append(l.X, float64(i)), append(l.V, v)
	}
	l.X = append(l.X, 40)
	return l
}

// drawAll draws one chart of every kind.
func drawAll(t *testing.T) map[string]string {
	t.Helper()
	w := testWindow()
	out := make(map[string]string)
	keep := func(name, svg string, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		out[name] = svg
	}
	svg, err := Latency(w, "latency of browse", []Line{wave("p50", P50, 0.002), wave("p99", P99, 0.02), wave("max", Max, 0.3)})
	keep("latency", svg, err)
	svg, err = Delays(w, "delays", []Line{wave("sched max", Max, 0.003), wave("GC pause", Category(1), 0.0001)})
	keep("delays", svg, err)
	changed := w
	changed.Changes = []float64{5, 20}
	pods := func(name string, tone Tone, n float64) Line {
		return Line{Name: name, Tone: tone, Step: true, X: []float64{0, 5, 12, 40}, V: []float64{1, n, 1}}
	}
	svg, err = Replicas(changed, "Pods of gateway", []Line{pods("ready", Attained, 2), pods("wanted", Planned, 3)})
	keep("replicas", svg, err)
	planned := Line{Name: "planned", Tone: Planned, Step: true, X: []float64{0, 20, 40}, V: []float64{300, 500}, Dashes: []float64{4, 3}}
	svg, err = Rate(w, "rate of browse", []Line{wave("calls", Attained, 300), planned})
	keep("rate", svg, err)
	svg, err = Stack(w, "errors of browse", 1, []Line{wave("http-5xx", Category(1), 20), wave("timeout", Category(3), 5)})
	keep("stack", svg, err)
	svg, err = Strip(w, "what happened", []Lane{
		{Name: "fault", Spans: []LaneSpan{{Span: Span{Start: 15, End: 25}, Tone: FaultFill, Mark: "blackhole"}}},
		{Name: "users", Marks: []Mark{{16, "exit", Down}, {19, "ready", Up}, {22, "paused", Paused}, {24, "note", Other}}},
	})
	keep("strip", svg, err)
	svg, err = Tracks(w, "states", []Lane{{Name: "users", Spans: []LaneSpan{{Span: Span{Start: 0, End: 15}, Tone: ClosedFill, Mark: "closed"}}}})
	keep("tracks", svg, err)
	q := Line{Name: "steady", Tone: Category(0), Dashes: Dashes(1)}
	for x := 1.0; x <= 4000; x *= 1.5 {
		q.X, q.V = append(q.X, x), append(q.V, 0.002*math.Sqrt(x))
	}
	svg, err = Quantiles("percentiles of browse", []Line{q})
	keep("quantiles", svg, err)
	return out
}

func TestGolden(t *testing.T) {
	for name, got := range drawAll(t) {
		path := filepath.Join("testdata", name+".svg")
		if *update {
			if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s differs from what is drawn now; if that is meant, run the test with -update", path)
		}
	}
}

// TestColorsAreLeftToThePage guards the way from gonum's colours to the page's
// variables: a colour that came through would be unreadable on a dark page.
func TestColorsAreLeftToThePage(t *testing.T) {
	color := regexp.MustCompile(`(fill|stroke):#[0-9A-F]{6}`)
	if !color.MatchString(`style="fill:#D00D10"`) {
		t.Fatal("the test does not see what it is there to see")
	}
	for name, svg := range drawAll(t) {
		if c := color.FindString(svg); c != "" {
			t.Errorf("%s: a colour of its own: %s", name, c)
		}
		if !strings.Contains(svg, "stroke:var(--c-edge)") {
			t.Errorf("%s: no axis in the page's colour", name)
		}
		if strings.Contains(svg, "font-family") {
			t.Errorf("%s: a font of its own", name)
		}
		// A path without a fill of its own would be black.
		for _, p := range regexp.MustCompile(`<path[^>]*>|<text[^>]*>`).FindAllString(svg, -1) {
			if !strings.Contains(p, "fill:") {
				t.Errorf("%s: nothing said of the fill of %s", name, p)
			}
		}
	}
}

func TestTonesAreToldApart(t *testing.T) {
	seen := make(map[string]bool)
	for tone := Tone(0); tone < numTones; tone++ {
		if tones[tone] == "" || seen[tone.Var()] {
			t.Errorf("tone %d has no name of its own: %q", tone, tone.Var())
		}
		seen[tone.Var()] = true
	}
}

func TestChartsAreWellFormed(t *testing.T) {
	w := testWindow()
	w.Phases[1].Name = `<script>"&'` // escaped wherever it stands
	svg, err := Latency(w, `<label>"&'`, []Line{{Name: "<p50>", Tone: P50, X: []float64{1, 20}, V: []float64{1, 2}}})
	if err != nil {
		t.Fatal(err)
	}
	all := drawAll(t)
	all["hostile"] = svg
	for name, svg := range all {
		d := xml.NewDecoder(strings.NewReader(svg))
		for {
			tok, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if e, ok := tok.(xml.StartElement); ok && e.Name.Local == "script" {
				t.Errorf("%s: text became an element", name)
			}
		}
	}
}

// baseline finds where a chart's time axis begins and ends.
func baseline(t *testing.T, svg string) string {
	t.Helper()
	m := regexp.MustCompile(`d="M([0-9.]+),[0-9.]+L([0-9.]+),[0-9.]+" style="fill:none;stroke:var\(--c-edge\);stroke-width:0.8"`).FindAllStringSubmatch(svg, -1)
	for _, p := range m {
		if p[1] != p[2] {
			return p[1] + ".." + p[2]
		}
	}
	t.Fatal("no time axis")
	return ""
}

func TestTimeChartsLineUp(t *testing.T) {
	all := drawAll(t)
	want := fmt.Sprintf("%g..%g", float64(marginLeft), float64(width-marginRight))
	for _, name := range []string{"latency", "rate", "stack", "strip", "tracks"} {
		if got := baseline(t, all[name]); got != want {
			t.Errorf("%s: time goes from %s, want %s", name, got, want)
		}
	}
	if got := baseline(t, all["quantiles"]); got == want {
		t.Error("the test does not see a chart of another width")
	}
}

// TestOddData draws what must not break a chart.
func TestOddData(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	lines := map[string][]Line{
		"none":        nil,
		"empty":       {{Name: "a"}},
		"only gaps":   {{Name: "a", X: []float64{0, 1}, V: []float64{nan, nan}}},
		"zero":        {{Name: "a", X: []float64{0, 1}, V: []float64{0, 0}}},
		"infinite":    {{Name: "a", X: []float64{0, inf}, V: []float64{inf, -inf}}},
		"one point":   {{Name: "a", X: []float64{1}, V: []float64{1}}},
		"tiny":        {{Name: "a", X: []float64{0, 1}, V: []float64{1e-9, 1e-9}}},
		"huge":        {{Name: "a", X: []float64{0, 1e9}, V: []float64{1e-9, 1e9}}},
		"negative":    {{Name: "a", X: []float64{-5, 1}, V: []float64{-1, -2}}},
		"ragged":      {{Name: "a", X: []float64{0, 1, 2}, V: []float64{1}}},
		"many names":  {wave("a", P50, 1), wave("b", P90, 1), wave("c", P99, 1), wave("d", Max, 1), wave("e", Max, 1)},
		"long name":   {{Name: strings.Repeat("long ", 50), X: []float64{0, 1}, V: []float64{1, 2}}},
		"steps alone": {{Name: "a", Step: true, X: []float64{0}, V: []float64{1}}},
	}
	windows := map[string]Window{
		"whole": testWindow(), "empty": {}, "no length": {Phases: []Phase{{Name: "a"}}, Bands: []Span{{Name: "x"}}},
		"backwards": {End: -3, Phases: []Phase{{Name: "a", Start: 3, End: 1}}}, "endless": {End: inf}, "no number": {End: nan},
		"band past the end": {End: 2, Bands: []Span{{Name: "x", Start: 1, End: 99}}},
	}
	for wn, w := range windows {
		for ln, l := range lines {
			draw := map[string]func() (string, error){
				"latency":   func() (string, error) { return Latency(w, "l", l) },
				"delays":    func() (string, error) { return Delays(w, "l", l) },
				"rate":      func() (string, error) { return Rate(w, "l", l) },
				"stack":     func() (string, error) { return Stack(w, "l", 1, l) },
				"quantiles": func() (string, error) { return Quantiles("l", l) },
				"strip":     func() (string, error) { return Strip(w, "l", []Lane{{Name: ln}}) },
			}
			for name, f := range draw {
				svg, err := f()
				if err != nil {
					t.Errorf("%s of %s in window %s: %v", name, ln, wn, err)
				}
				if strings.Contains(svg, "NaN") || strings.Contains(svg, "Inf") {
					t.Errorf("%s of %s in window %s has a coordinate that is no number", name, ln, wn)
				}
			}
		}
	}
}

package reports

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"ordeal/runner/evidence"
	"ordeal/runner/verdict"
)

// hostile is a name that tries everything at once: tags, quotes, control
// characters, escape sequences of terminals, a line end, table and code marks
// of Markdown, what XML forbids, a turn of the writing direction, bad UTF-8.
const hostile = "evil</title></style></script><script>alert(1)</script><img src=x onerror=alert(2)>\"'&|`**a**[x](javascript:alert(3)) @team https://evil.example/x \x1b[31mred\x1b]0;title\x07\x00\x08\n## heading\r\u202egnol\u0085\ufffe\xff{{.Run}} <!-- ]]>"

func hostileRun(t testing.TB) (*evidence.Run, verdict.Judgement) {
	t.Helper()
	m := breakerMeta()
	m.Scenario, m.About, m.File, m.ID = hostile, hostile, hostile, hostile
	m.Tags, m.Hosts, m.Args = []string{hostile}, []string{hostile}, []string{hostile}
	m.Host.Name, m.Host.Kernel, m.Build.Commit, m.Build.Version = hostile, hostile, hostile, hostile
	m.Modules = map[string]string{hostile: hostile}
	m.Targets[0].Name, m.Targets[0].Command, m.Targets[0].Settings = hostile, hostile, map[string]string{hostile: hostile}
	m.Targets[0].Addrs = []string{hostile}
	m.Links[0].Name = hostile
	m.Loads[0].Name, m.Loads[0].Call, m.Loads[0].Shape, m.Loads[0].Target = hostile, hostile, hostile, hostile
	m.Phases[2].Name, m.Phases[2].Faults[0].Fault = hostile, hostile
	w := writeBreakerRun(t, m)
	run := open(t, w)
	run.Meta.Outcome, run.Meta.Error = evidence.Failed, hostile
	run.Events = append(run.Events, evidence.Event{At: at(30), Kind: evidence.TargetExit, Target: hostile, Text: hostile})
	name, err := json.Marshal(hostile)
	if err != nil {
		t.Fatal(err)
	}
	for i, kind := range []string{"Deployment", "Pod", "HorizontalPodAutoscaler"} {
		for seconds := range 3 { // so that there is something to be drawn
			data := fmt.Sprintf(`{"metadata":{"labels":{"pod-template-hash":"h"},"ownerReferences":[{"kind":"ReplicaSet","name":%[1]s}]},"spec":{"replicas":%[2]d,
				"scaleTargetRef":{"name":%[1]s},"metrics":[{"resource":{"name":%[1]s,"target":{"averageUtilization":5}}}]},
				"status":{"readyReplicas":%[2]d,"phase":%[1]s,"containerStatuses":[{"restartCount":%[2]d}],"currentMetrics":[{"resource":{"name":%[1]s,"current":{"averageUtilization":%[2]d}}}]}}`, name, seconds)
			run.Events = append(run.Events, evidence.Event{At: at(float64(30 + 3*i + seconds)), Kind: evidence.ObjectSeen, Object: &evidence.Object{
				Action: "changed", Kind: kind, Name: hostile, Namespace: hostile, UID: hostile, Data: json.RawMessage(data)}})
		}
	}
	run.Events = append(run.Events, evidence.Event{At: at(31), Kind: evidence.Changed, Phase: hostile, Text: hostile, Object: &evidence.Object{Kind: hostile, Name: hostile}})

	v := verdict.Verdict{Kind: hostile, Name: hostile, Status: verdict.Fail, Measured: hostile, Limit: hostile, Margin: hostile, Why: hostile,
		Parts: []verdict.Part{{Name: hostile, Status: verdict.Fail, Measured: hostile, Limit: hostile, Why: hostile}}}
	unsure, passed := v, v
	unsure.Status, passed.Status = verdict.Inconclusive, verdict.Pass
	return run, verdict.Judgement{Status: verdict.Fail, Validity: []verdict.Verdict{unsure, passed}, Checks: []verdict.Verdict{v, unsure, passed}}
}

// tags are the elements that the page may have: anything else came in with text.
var tags = regexp.MustCompile(`<[a-zA-Z!/][^>]*>`)

// strayTags lists what looks like an element, or an event handler, that the
// page itself never has.
func strayTags(page string) []string {
	own := regexp.MustCompile(`^</?(html|head|meta|title|style|body|header|main|nav|a|section|footer|div|span|p|h[1-3]|b|br|i|u|q|code|pre|ul|li|table|thead|tbody|tr|th|td|dl|dt|dd|details|summary|figure|figcaption|svg|g|path|text)[ />]|^<!DOCTYPE html>$`)
	handler := regexp.MustCompile(`(?i)\son[a-z]+\s*=`)
	values := regexp.MustCompile(`"[^"]*"`)
	var stray []string
	for _, tag := range tags.FindAllString(page, -1) {
		if !own.MatchString(tag) || handler.MatchString(values.ReplaceAllString(tag, `""`)) {
			stray = append(stray, tag)
		}
	}
	return stray
}

func TestHostileTextStaysTextInHTML(t *testing.T) {
	if len(strayTags(`<p title="onclick=1">a</p><script>x</script><td onclick="x">`)) != 3 {
		t.Fatal("the test does not see what it is there to see")
	}
	run, j := hostileRun(t)
	page := render(t, HTML, run, j)
	if stray := strayTags(page); len(stray) > 0 {
		t.Errorf("text became elements: %q", stray)
	}
	if n := strings.Count(page, "</title>"); n != 1 {
		t.Errorf("%d ends of <title>, want 1", n)
	}
	if !strings.Contains(page, "&lt;script&gt;alert(1)") {
		t.Error("the hostile text is not shown at all")
	}
	if i := strings.IndexFunc(page, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }); i >= 0 {
		t.Errorf("control character %q in the page", page[i])
	}
	if !utf8.ValidString(page) {
		t.Error("the page is not UTF-8")
	}
}

func TestHostileTextDoesNotReachTheTerminal(t *testing.T) {
	run, j := hostileRun(t)
	text := render(t, Terminal(false), run, j)
	for _, r := range text {
		if r != '\n' && (unicode.IsControl(r) || r == '\u202e') {
			t.Fatalf("control character %q reaches the terminal", r)
		}
	}
	for _, l := range strings.Split(text, "\n") {
		if strings.HasPrefix(l, "## heading") {
			t.Errorf("text broke out of its line: %q", l)
		}
	}
	// With colour, the only escape sequences are our own.
	colored := render(t, Terminal(true), run, j)
	if rest := regexp.MustCompile("\x1b\\[(1;3[123]|0)m").ReplaceAllString(colored, ""); strings.Contains(rest, "\x1b") || rest == colored {
		t.Error("escape sequences other than those of statuses, or none at all")
	}
}

func TestHostileTextKeepsJUnitWellFormed(t *testing.T) {
	run, j := hostileRun(t)
	text := render(t, JUnit, run, j)
	d := xml.NewDecoder(strings.NewReader(text))
	cases, depth := 0, 0
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("junit.xml is not XML: %v", err)
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			depth++
			if tok.Name.Local == "testcase" {
				cases++
			}
			if tok.Name.Local == "script" {
				t.Error("text became an element")
			}
		case xml.EndElement:
			depth--
		}
	}
	if cases != 5 || depth != 0 {
		t.Errorf("%d cases, want 5", cases)
	}
}

func TestHostileTextKeepsMarkdownTables(t *testing.T) {
	run, j := hostileRun(t)
	text := render(t, Markdown, run, j)
	if strings.Contains(text, "<script") || strings.Contains(text, "<img") || regexp.MustCompile(`[^\\]\]\(java`).MatchString(text) || strings.Contains(text, "@team") || strings.Contains(text, "https://") {
		t.Error("text became an element, a link or a mention")
	}
	want := 0 // cells a row has, from its header
	for _, l := range strings.Split(text, "\n") {
		if !strings.HasPrefix(l, "|") {
			want = 0
			if strings.HasPrefix(l, "## heading") {
				t.Error("text became a heading")
			}
			continue
		}
		if n := strings.Count(l, "|"); want == 0 {
			want = n
		} else if n != want {
			t.Errorf("a row of %d bars in a table of %d: %q", n, want, l)
		}
	}
}

func TestHostileTextSurvivesInJSON(t *testing.T) {
	run, j := hostileRun(t)
	var d Document
	text := render(t, JSON, run, j)
	// Statuses are words; the Go type only writes them.
	if err := json.Unmarshal([]byte(regexp.MustCompile(`"status": "(\w+)"`).ReplaceAllString(text, `"status": 2`)), &d); err != nil {
		t.Fatal(err)
	}
	if want := strings.ToValidUTF8(hostile, "\ufffd"); d.Judgement.Checks[0].Why != want {
		t.Errorf("the text is another after a way through JSON: %q", d.Judgement.Checks[0].Why)
	}
}

package scenarios

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/rogpeppe/go-internal/txtar"
)

// seeds are texts that the fuzzer starts from: whole scenarios, malformed ones,
// and what parsers of YAML are known to stumble over.
func seeds(f *testing.F) [][]byte {
	var out [][]byte
	entries, err := Library()
	if err != nil {
		f.Fatal(err)
	}
	for _, e := range entries {
		out = append(out, e.Source)
	}
	files, err := filepath.Glob("testdata/malformed/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		a, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		out = append(out, a.Files[0].Data)
	}
	for _, text := range []string{
		"", " ", "\n", "\t", "---", "...", "--- ---", "%", "%YAML 1.2\n---\n", "\xef\xbb\xbfordeal: v1", "\xff\xfe", "\x00",
		"a: &a [*a, *a]", "<<: {a: b}", "? a\n: b", "? [a, b]\n: {c: d}", "[[[[", "}}}}", "{a: {b: {c: ", "- - - - a", "a: |\n  b\n c", "a: >-\n\n",
		"a: 'b", "a: \"\\x\"", "a: \"\\u12", "!!binary aGk=", "!<tag:yaml.org,2002:str> a", "a: b: c", "a:\n\t- b", "a: @b", "a: `b", "a:\r\n  b: c\rd",
		"a: 1\na: 2\na: 3", "- a\nb: c", "a: b\n- c", "# c\n# d", "a: # c\n  b", "\u2028", "\u0085a: b", "a: \ud7ff", ": a", ":", "-", "?", "|", ">", "&", "*", "!",
	} {
		out = append(out, []byte(text))
	}
	return out
}

// Whatever the bytes are: no panic, no hang, and either a plan that can be
// described or errors that each have a place in the text.
func FuzzParse(f *testing.F) {
	for _, s := range seeds(f) {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		start := time.Now()
		plan, err := Parse("fuzz.yaml", bytes.NewReader(text))
		if took := time.Since(start); took > 20*time.Second {
			t.Errorf("took %v", took)
		}
		if err == nil {
			if plan.Duration() <= 0 || len(plan.Checks()) == 0 {
				t.Errorf("a plan of %v with %d checks", plan.Duration(), len(plan.Checks()))
			}
			if err := plan.Describe(io.Discard, 80); err != nil {
				t.Error(err)
			}
			_ = plan.CheckHosts(nil)
			return
		}
		es := asErrors(err)
		if len(es) == 0 {
			t.Fatalf("an error without a place: %v", err)
		}
		lines := newSource("", text).lines
		for _, e := range es {
			if e.Line < 1 || e.Line > len(lines) || e.Column < 1 || e.Column > utf8.RuneCountInString(lines[e.Line-1])+1 {
				t.Errorf("%d:%d is not in the text: %s", e.Line, e.Column, e.Msg)
			}
		}
		if strings.ContainsAny(es.Error(), "\x1b\x07\x00") {
			t.Errorf("a control character in %q", es.Error())
		}
	})
}

// Inputs that drive parsers into deep recursion or quadratic time are refused,
// or read, in a moment.
func TestParseIsBounded(t *testing.T) {
	for _, piece := range []string{
		"[", "{", "{a: ", "[a, ", "- ", "? ", "a: ", "a:\n", "a: b\n", "- a\n", "a: {b: c}\n", "&a ", "*a ", "!t ", "|\n", "\"a\" ", "'", "# c\n", "\n", " ", "\t",
		"a: |\n  b\n", "---\n", "%a\n", "é", "\\", ": : ", "a, ", "{}, ", "a: \"b\n", "a\n\n", "- - a\n", ",", "]", "}",
	} {
		for head, size := range map[string]int{"": 40 << 10, "expect:\n": 10 << 10} {
			if piece == "[" && head == "" {
				size = maxBytes
			}
			text := head + strings.Repeat(piece, size/len(piece))
			start := time.Now()
			_, err := Parse("long.yaml", strings.NewReader(text))
			if err == nil {
				t.Errorf("%q and many %q were taken", head, piece)
			}
			if took := time.Since(start); took > 20*time.Second {
				t.Errorf("%q and many %q took %v", head, piece, took)
			}
		}
	}
}

// A file that cannot be read is not said to be malformed.
func TestParseReportsReadErrors(t *testing.T) {
	dir, err := os.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	if _, err := Parse("x.yaml", dir); err == nil || len(asErrors(err)) > 0 {
		t.Errorf("error: %v", err)
	}
}

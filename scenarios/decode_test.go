package scenarios

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

// The structs below stand for those of the rooms: every convention once.
type probe struct {
	Name     string            `yaml:"name" required:"true" doc:"its name"`
	Wait     time.Duration     `yaml:"wait" default:"5s"`
	Count    int               `yaml:"count"`
	Small    int8              `yaml:"small"`
	Seed     uint64            `yaml:"seed"`
	Part     float64           `yaml:"part"`
	On       bool              `yaml:"on"`
	Mode     string            `yaml:"mode" enum:"uniform,poisson" default:"uniform"`
	Pace     *probePace        `yaml:"pace"`
	Speed    probeSpeed        `yaml:"speed"`
	Words    []string          `yaml:"words"`
	During   probeNames        `yaml:"during" ref:"phase"`
	Over     []string          `yaml:"over" ref:"phase"`
	Env      map[string]string `yaml:"env"`
	Calls    map[string]string `yaml:"calls" ref:"target"`
	Loads    map[string]*probe `yaml:"loads" ref:"load"`
	Data     any               `yaml:"data"`
	List     []*probeKinds     `yaml:"list"`
	Unlisted string            `yaml:"-"`
}

type probeKinds struct {
	Link string     `yaml:"link" ref:"link"`
	Slow *probeSlow `yaml:"slow" oneof:"kind"`
	Cut  *struct{}  `yaml:"cut" oneof:"kind"`
}

type probeSlow struct {
	By   time.Duration `yaml:"by" required:"true"`
	Plus time.Duration `yaml:"plus"`
}

func (s *probeSlow) Validate(bad func(field, format string, args ...any)) {
	if s.Plus > s.By {
		bad("plus", "plus %v is more than by %v", s.Plus, s.By)
	}
}

type probeSpeed float64

func (s *probeSpeed) UnmarshalText(b []byte) error {
	if _, err := fmt.Sscanf(string(b), "%g/s", s); err != nil {
		return errors.New(`want a speed such as "3/s"`)
	}
	return nil
}

func (probeSpeed) Examples() []string { return []string{"3/s"} }

type probeNames []string

func (p *probeNames) UnmarshalText(b []byte) error {
	*p = probeNames{string(b)}
	return nil
}

// probePace has a long form and a short one.
type probePace struct {
	Hold probeSpeed    `yaml:"hold"`
	For  time.Duration `yaml:"for" default:"1s"`
}

func (p *probePace) UnmarshalText(b []byte) error { return p.Hold.UnmarshalText(b) }

// read decodes text into a probe.
func read(text string) (*probe, *decoder) {
	src := newSource("x.yaml", []byte(text))
	d := newDecoder(src)
	var p probe
	root, errs := parseYAML(src, []byte(text))
	if d.errs = errs; len(errs) == 0 {
		d.decode(root, &p)
	}
	d.errs = sortErrors(d.errs)
	return &p, d
}

func TestDecodeTakesEveryKindOfField(t *testing.T) {
	got, d := read(`
name: "a b"
count: -3
seed: 18446744073709551615
part: 0.5
on: true
mode: poisson
pace: 7/s
speed: 2/s
words: [x, "y", 3]
during: steady
over: peak
env: {A: on, B: 010}
calls: {u: users}
loads: {browse: {name: inner, pace: {hold: 1/s, for: 2s}}}
data: {a: [1, 1.5, true, ~, "2", x], b: {c: 010}}
list:
  - {link: a->b, slow: {by: 300ms}}
  - cut: {}
`)
	if len(d.errs) > 0 {
		t.Fatal(d.errs)
	}
	want := &probe{
		Name: "a b", Wait: 5 * time.Second, Count: -3, Seed: 1<<64 - 1, Part: 0.5, On: true, Mode: "poisson",
		Pace: &probePace{Hold: 7, For: time.Second}, Speed: 2, Words: []string{"x", "y", "3"},
		During: probeNames{"steady"}, Over: []string{"peak"},
		Env: map[string]string{"A": "on", "B": "010"}, Calls: map[string]string{"u": "users"},
		Loads: map[string]*probe{"browse": {Name: "inner", Wait: 5 * time.Second, Mode: "uniform", Pace: &probePace{Hold: 1, For: 2 * time.Second}}},
		Data:  map[string]any{"a": []any{int64(1), 1.5, true, nil, "2", "x"}, "b": map[string]any{"c": "010"}},
		List:  []*probeKinds{{Link: "a->b", Slow: &probeSlow{By: 300 * time.Millisecond}}, {Cut: &struct{}{}}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
	var refs []string
	for _, r := range d.refs {
		refs = append(refs, fmt.Sprintf("%s %s at %d:%d", r.kind, r.name, r.at.line, r.at.column))
	}
	wantRefs := "phase steady at 11:9; phase peak at 12:7; target users at 14:12; load browse at 15:9; link a->b at 18:12"
	if got := strings.Join(refs, "; "); got != wantRefs {
		t.Errorf("references:\ngot  %s\nwant %s", got, wantRefs)
	}
	if at := d.place(got.List[0].Slow, "by"); at != (place{18, 29, 5}) {
		t.Errorf("place of by: %v", at)
	}
	if at := d.place(got.List[1], "link"); at != (place{19, 5, 3}) {
		t.Errorf("place of an absent field is its struct, got %v", at)
	}
}

func TestDecodeSaysWhatIsWrong(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"name: x\nnam: y", `2:1: unknown key "nam": did you mean "name"?`},
		{"nam: y", `1:1: unknown key "nam": did you mean "name"?`},
		{"name: x\nzzzzzz: 1", `2:1: unknown key "zzzzzz": want one of calls, count, data, during, env, list, loads, mode, name, on, over, pace, part, seed, small, speed, wait, words`},
		{"name: x\nname: y", `2:1: duplicate key "name": it is on line 1 already`},
		{"count: 1", `1:1: "name" is missing: want text`},
		{"name: [x]", `1:1: a list is not a value for "name": want text`},
		{"name:", `1:1: nothing is not a value for "name": want text`},
		{"name: x\nwait: 5", `2:7: "5" has no unit: want a duration such as "300ms" or "10s"`},
		{"name: x\nwait: 0", `2:7: "0" has no unit: want a duration such as "300ms" or "10s"`},
		{"name: x\nwait: 5 sec", `2:7: "sec" is not a unit of time: want ms, s, m or h, as in 300ms or 10s`},
		{"name: x\nwait: soon", `2:7: "soon" is not a value for "wait": want a duration such as "300ms" or "10s"`},
		{"name: x\ncount: 0x10", `2:8: "0x10" is not a value for "count": want a whole number`},
		{"name: x\ncount: 1.5", `2:8: "1.5" is not a value for "count": want a whole number`},
		{"name: x\ncount: \"1\"", `2:8: "1" is not a value for "count": want a whole number`},
		{"name: x\nsmall: 128", `2:8: "128" is not a value for "small": want a whole number`},
		{"name: x\nseed: -1", `2:7: "-1" is not a value for "seed": want a whole number, zero or more`},
		{"name: x\npart: .inf", `2:7: ".inf" is not a value for "part": want a number`},
		{"name: x\non: on", `2:5: "on" is not a value for "on": want true or false`},
		{"name: x\nmode: posson", `2:7: "posson" is not a value for "mode": did you mean "poisson"?`},
		{"name: x\nspeed: 3", `2:8: "3" is not a value for "speed": want a speed such as "3/s"`},
		{"name: x\nspeed: {a: b}", `2:1: a mapping is not a value for "speed": want a value such as "3/s"`},
		{"name: x\nwords: x", `2:8: "x" is not a value for "words": want a list`},
		{"name: x\nenv: [a]", `2:1: a list is not a value for "env": want a mapping { }`},
		{"name: x\nenv: {A: [a]}", `2:7: a list is not a value for "A": want text`},
		{"name: x\nlist: [{link: a->b}]", `2:8: no kind is given: want one of cut, slow`},
		{"name: x\nlist: [{cut: {}, slow: {by: 1s}}]", `2:18: "cut" and "slow" are given together: want one kind only`},
		{"name: x\nlist: [{cut: }]", `2:9: "cut" has no value: write "cut: {}" to take it with its defaults`},
		{"name: x\nlist: [{slwo: {by: 1s}}]", `2:9: unknown key "slwo": did you mean "slow"?`},
		{"name: x\nlist: [{slow: {by: 1s, plus: 2s}}]", `2:30: plus 2s is more than by 1s`},
		{"name: x\nlist: [{slow: {}}]", `2:9: "by" is missing: want a duration such as "300ms" or "10s"`},
		{"name: x\ndata: {a: 1, a: 2}", `2:14: duplicate key "a": it is on line 2 already`},
		{"name: x y: z", `1:7: not YAML: mapping value is not allowed in this context: text with ": " in it is written in quotes, and a mapping on one line in { }`},
		{"- a", `1:1: a list is not a value for "scenario": want a mapping { }`},
		{"", `1:1: the file is empty: a scenario starts with "ordeal: v1"`},
		{"# nothing", `1:1: the file is empty: a scenario starts with "ordeal: v1"`},
		{"name: &a x\ncount: *a", `1:7: anchors and aliases are not part of the language: write the value out|2:8: anchors and aliases are not part of the language: write the value out`},
		{"name: !!str 5", `1:7: tags are not part of the language: write the plain value`},
		{"name: x\n---\nname: y", `2:1: a second document: want one scenario in a file`},
		{"name: x\n\tcount: 1", `2:1: not YAML: a tab where indentation is wanted: indent with spaces`},
		{"name: \xff", `1:7: byte 0xff is not UTF-8: want a file in UTF-8`},
		{"name: \x07", `1:7: control character U+0007: want it written as an escape in double quotes, such as "\x07"`},
		{"name: > 5", `1:7: text does not start on the line of its | or >: a limit is written in quotes, such as "> 99%"`},
		{"list: [{link: x cut: {}}]\nname: x", `1:22: not YAML: ',' or '}' must be specified: is a comma or a closing bracket missing before this?`},
		{strings.Repeat("[", 100_000), `1:65: too many brackets within each other: want at most 64`},
		{strings.Repeat("a: b\n", 100_000), `6667:4: the scenario is too long: want at most 20000 words and signs`},
		{strings.Repeat("- ", 1_000), `1:201: nested too far to the right: want it within 200 columns`},
		{strings.Repeat(" ", 1<<20+1), `1:1: the file is too large: want at most 1 MiB`},
	} {
		_, d := read(c.text)
		var got []string
		for _, e := range d.errs {
			got = append(got, strings.TrimPrefix(e.Summary(), "x.yaml:"))
		}
		if got := strings.Join(got, "|"); got != c.want {
			t.Errorf("%.60q:\ngot  %s\nwant %s", c.text, got, c.want)
		}
	}
}

func TestErrorShowsTheSource(t *testing.T) {
	_, d := read("load:\n    browse: {rat: 300/s}\nname: x\n")
	want := "x.yaml:1:1: unknown key \"load\": did you mean \"loads\"?\n" +
		"  1 | load:\n" +
		"    | ^^^^"
	if got := d.errs.Error(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	_, d = read("name: x\nlist:\n\n\n\n\n\n\n  - {link: é, slow: {bye: 1s}}\n")
	want = "x.yaml:9:22: unknown key \"bye\": did you mean \"by\"?\n" +
		"  9 |   - {link: é, slow: {bye: 1s}}\n" +
		"    |                      ^^^"
	if got := d.errs.Error(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestErrorsAreBoundedAndSafeToShow(t *testing.T) {
	var b strings.Builder
	b.WriteString("name: x\n")
	for i := range 25 {
		fmt.Fprintf(&b, "zz%d: 1\n", i)
	}
	_, d := read(b.String())
	got := d.errs.Error()
	if n := strings.Count(got, "unknown key"); n != 20 || !strings.HasSuffix(got, "\nand 5 more") {
		t.Errorf("%d errors shown, the end is %q", n, got[len(got)-20:])
	}
	if len(d.errs) != 25 {
		t.Errorf("%d errors kept, want 25", len(d.errs))
	}
	_, d = read("name: x\n" + `"` + strings.Repeat("k", 500) + `": "` + "\u009b31m" + strings.Repeat("v", 500) + `"` + "\n")
	for _, line := range strings.Split(d.errs.Error(), "\n")[1:] {
		if n := len([]rune(line)); n > 120 {
			t.Errorf("an excerpt of %d characters", n)
		}
		if strings.Contains(line, "\u009b") {
			t.Error("a control character reached the output")
		}
	}
	var one *Error
	if !errors.As(error(d.errs), &one) || one.Line != 2 {
		t.Errorf("errors.As: %+v", one)
	}
}

// unmarshal reads a text into a value of a type that reads itself.
func unmarshal(t reflect.Type, text string) error {
	return reflect.New(t).Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(text))
}

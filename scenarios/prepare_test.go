package scenarios

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestPrepareNamesThePlace: what cannot work is told before anything is
// started, at the place where it is written.
func TestPrepareNamesThePlace(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "rows.csv"), []byte("id\n1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const head = "ordeal: v1\nname: x\ntargets:\n  t: {command: [x], workdir: WORKDIR}\nload:\n  l:\n    rate: 1/s\n    "
	const tail = "\ntimeline: [{phase: p, for: 1s}]\nexpect: [{errors: {load: l, count: \"= 0\"}}]\n"
	for _, c := range []struct {
		load, workdir string
		at, says      string // at: what the place begins with; "" where nothing is wrong
	}{
		{load: `http: {target: t, get: "/{{.Row.id}}", data: {csv: rows.csv}}`},
		{load: `http: {target: t, get: /, data: {csv: none.csv}}`, at: "none.csv", says: "load l: open the data file"},
		{load: `http: {target: t, get: "/{{.file}}"}`, at: `"/{{.file}}"`, says: "load l: a template knows no .file"},
		{load: `http: {target: t, get: "/{{.Row.name}}", data: {csv: rows.csv}}`, at: `"/{{.Row.name}}"`, says: "its data has the columns id only"},
		{load: "http:\n      target: t\n      post: /\n      headers:\n        X-A: ok\n        X.B: \"{{.b}}\"", at: `"{{.b}}"`, says: ".b"},
		{load: "http:\n      target: t\n      post: /\n      body:\n        users:\n          - {name: a}\n          - {name: \"{{.c}}\"}", at: `"{{.c}}"`, says: ".c"},
		{load: "http:\n      target: t\n      post: /\n      body: [a, \"{{.d}}\"]", at: `"{{.d}}"`, says: ".d"},
		{load: "http:\n      target: t\n      post: /\n      body: |\n        {{.e}}", at: "|", says: ".e"},
		{load: `http: {target: t, get: /, auth: {bearer: "{{.f}}"}}`, at: `"{{.f}}"`, says: ".f"},
		{load: `grpc: {target: t, call: a.B/C, messages: [{id: 1}, {id: "{{.g}}"}]}`, at: `"{{.g}}"`, says: ".g"},
		{load: `grpc: {target: t, call: a.B/C, metadata: {k: "{{.h}}"}}`, at: `"{{.h}}"`, says: ".h"},
		{load: `grpc: {target: t, call: a.B/C, protoset: none.pb}`, at: "none.pb", says: "no such file"},
		{load: `http: {target: t, get: /}`, workdir: "none", at: "none", says: "target t: there is no directory"},
		{load: `http: {target: t, get: /}`, workdir: "rows.csv", at: "rows.csv", says: "is no directory"},
	} {
		workdir := c.workdir
		if workdir == "" {
			workdir = "."
		}
		p := mustParse(t, strings.Replace(head, "WORKDIR", workdir, 1)+c.load+tail)
		es := asErrors(p.Prepare(dir))
		if c.says == "" {
			if len(es) > 0 {
				t.Errorf("%s: %v", c.load, es)
			}
			continue
		}
		if len(es) != 1 || !strings.HasPrefix(string([]rune(es[0].Source)[es[0].Column-1:]), c.at) || !strings.Contains(es[0].Msg, c.says) {
			t.Errorf("%s: %v, want %q at %s", c.load, es, c.says, c.at)
		}
	}
}

// TestPrepareKnowsTheReferenceServices: their calls and messages are known.
func TestPrepareKnowsTheReferenceServices(t *testing.T) {
	const text = "ordeal: v1\nname: x\ntargets:\n  t: {reference: users}\nload:\n  l: {grpc: {target: t, call: CALL, data: DATA}, rate: 1/s}\n" +
		"timeline: [{phase: p, for: 1s}]\nexpect: [{errors: {load: l, count: \"= 0\"}}]\n"
	for _, c := range []struct{ call, data, at, says string }{
		{"user.v1.UserService/GetUser", `{user_id: "{{.Seq}}"}`, "", ""},
		{"grpc.health.v1.Health/Check", "{}", "", ""},
		{"user.v1.UserService/GetUzer", "{}", "user.v1.UserService/GetUzer", "has no method GetUzer; it has"},
		{"user.v2.UserService/GetUser", "{}", "user.v2.UserService/GetUser", "the reference users has none of that name"},
		{"user.v1.UserService/GetUser", "{uzer_id: a}", "data", "uzer_id"},
	} {
		es := asErrors(mustParse(t, strings.NewReplacer("CALL", c.call, "DATA", c.data).Replace(text)).Prepare(""))
		switch {
		case c.says == "" && len(es) == 0:
		case len(es) != 1 || c.says == "" || !strings.HasPrefix(es[0].Source[es[0].Column-1:], c.at) || !strings.Contains(es[0].Msg, c.says):
			t.Errorf("%s %s: %v", c.call, c.data, es)
		}
	}
}

func TestTheLibraryIsPrepared(t *testing.T) {
	entries, err := Library()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if err := mustParse(t, string(e.Source)).Prepare(t.TempDir()); err != nil {
			t.Error(err)
		}
	}
}

package load

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"ordeal/runner/evidence"
)

// echo remembers what it is sent, by path.
type echo struct {
	mu     sync.Mutex
	bodies map[string]string
	auths  []string
	kinds  map[string]string
}

func newEcho(t *testing.T) (*echo, *target) {
	e := &echo{bodies: map[string]string{}, kinds: map[string]string{}}
	return e, newHTTPTarget(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		e.mu.Lock()
		defer e.mu.Unlock()
		e.bodies[r.Method+" "+r.URL.RequestURI()] = string(b)
		e.auths = append(e.auths, r.Header.Get("Authorization"))
		e.kinds[r.Method+" "+r.URL.RequestURI()] = r.Header.Get("Content-Type")
	}))
}

func TestTemplatedRequests(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "users.csv"), []byte("id,name\n7,Ada\n8,\"Grace \"\"G\"\"\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	e, tg := newEcho(t)
	token := "{{.Row.id}}"
	spec := Spec{HTTP: &HTTP{
		Target: "t", Put: "/users/{{.Row.id}}?call={{.Seq}}",
		Body: map[string]any{"name": "{{.Row.name}}", "load": "{{.Load}}", "age": 3, "tags": []any{"<a>", nil, true}},
		Auth: &Auth{Bearer: &token}, Data: &Data{CSV: "users.csv"},
	}}
	callsIn(t, spec, 3, Env{Addrs: []string{tg.addr}, Dir: dir})
	e.mu.Lock()
	defer e.mu.Unlock()
	for request, want := range map[string]string{
		"PUT /users/7?call=0": `{"age":3,"load":"l","name":"Ada","tags":["<a>",null,true]}`,
		"PUT /users/8?call=1": `{"age":3,"load":"l","name":"Grace \"G\"","tags":["<a>",null,true]}`,
		"PUT /users/7?call=2": `{"age":3,"load":"l","name":"Ada","tags":["<a>",null,true]}`,
	} {
		if got := e.bodies[request]; got != want {
			t.Errorf("%s has body %s, want %s", request, got, want)
		}
		if got := e.kinds[request]; got != "application/json" {
			t.Errorf("%s is %q", request, got)
		}
	}
	if e.auths[1] != "Bearer 8" {
		t.Errorf("authorization %q", e.auths[1])
	}
}

func TestRandomValuesFollowTheSeed(t *testing.T) {
	render := func(seed, seq uint64) string {
		c, err := parseBody(`{{.Int 1 6}} {{.Int 1000 9999}} {{.Hex 9}} {{.UUID}} {{.Pick "x" "y"}}`)
		if err != nil {
			t.Fatal(err)
		}
		b, err := c.render(nil, newVars(seed, seq, "l", nil))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	a := render(1, 5)
	if a != render(1, 5) {
		t.Error("the same call differs from itself")
	}
	if a == render(2, 5) || a == render(1, 6) {
		t.Error("another seed, or another call, changes nothing")
	}
	fields := strings.Fields(a)
	if len(fields) != 5 || len(fields[2]) != 9 || len(fields[3]) != 36 || fields[3][14] != '4' {
		t.Errorf("%q", a)
	}
	seen := map[string]bool{}
	for seq := range uint64(200) {
		die := strings.Fields(render(1, seq))[0]
		seen[die] = true
		if die < "1" || die > "6" {
			t.Errorf("a die shows %s", die)
		}
	}
	if len(seen) != 6 {
		t.Errorf("200 dice show %d faces", len(seen))
	}
}

// TestRenderFails: a template that fails at run time makes a call of class
// other; it does not end the run, and nothing is sent.
func TestRenderFails(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "d.json"), []byte(`[{"id": 12345678901234567890}, {}]`), 0o600); err != nil {
		t.Fatal(err)
	}
	env := func(tg *target) Env { return Env{Addrs: []string{tg.addr}, Dir: dir} }
	t.Run("http", func(t *testing.T) {
		e, tg := newEcho(t)
		spec := Spec{HTTP: &HTTP{Target: "t", Get: "/{{.Row.id}}", Data: &Data{JSON: "d.json"}}}
		got := callsIn(t, spec, 4, env(tg))
		for i, want := range []evidence.Class{evidence.OK, evidence.Other, evidence.OK, evidence.Other} {
			if got[i].Class != want {
				t.Errorf("call %d is %v", i, got[i].Class)
			}
		}
		e.mu.Lock()
		defer e.mu.Unlock()
		if _, ok := e.bodies["GET /12345678901234567890"]; !ok || len(e.bodies) != 1 {
			t.Errorf("requests %v", e.bodies)
		}
	})
	t.Run("grpc", func(t *testing.T) {
		tg := newGRPCTarget(t)
		spec := Spec{GRPC: &GRPC{Target: "t", Call: "grpc.testing.TestService/UnaryCall",
			Metadata: map[string]string{"id": "{{.Row.id}}"}, Rows: &Data{JSON: "d.json"}}}
		got := callsIn(t, spec, 4, env(tg))
		for i, want := range []evidence.Class{evidence.OK, evidence.Other, evidence.OK, evidence.Other} {
			if got[i].Class != want {
				t.Errorf("call %d is %v", i, got[i].Class)
			}
		}
	})
}

func TestBasicAuth(t *testing.T) {
	e, tg := newEcho(t)
	spec := Spec{HTTP: &HTTP{Target: "t", Delete: "/x", Auth: &Auth{Basic: &Basic{User: "ann", Password: "secret"}}}}
	calls(t, spec, 1, tg.addr)
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.auths[0] != "Basic YW5uOnNlY3JldA==" {
		t.Errorf("%q", e.auths[0])
	}
}

func TestTokenIsMadeOnceAndRenewed(t *testing.T) {
	now := time.Now()
	a, err := (&Auth{JWT: &JWT{Key: "k", Subject: "ann", Claims: map[string]any{"role": "admin"}, Expires: time.Minute}}).authorize()
	if err != nil {
		t.Fatal(err)
	}
	a.now = func() time.Time { return now }
	var value string
	for range 1000 {
		if value, err = a.value(); err != nil {
			t.Fatal(err)
		}
	}
	if a.made != 1 {
		t.Errorf("%d tokens for 1000 calls", a.made)
	}
	claims := jwt.MapClaims{}
	parse := func(key string) error {
		_, err := jwt.ParseWithClaims(strings.TrimPrefix(value, "Bearer "), claims,
			func(*jwt.Token) (any, error) { return []byte(key), nil }, jwt.WithValidMethods([]string{"HS256"}))
		return err
	}
	if err := parse("k"); err != nil || claims["sub"] != "ann" || claims["role"] != "admin" {
		t.Errorf("%v: %v", err, claims)
	}
	if parse("another") == nil {
		t.Error("any key will do")
	}
	now = now.Add(45 * time.Second)
	if later, _ := a.value(); later == value || a.made != 2 {
		t.Error("a token that is about to expire was not renewed")
	}
	expired, err := (&Auth{JWT: &JWT{Key: "k", Expires: -time.Minute}}).authorize()
	if err != nil {
		t.Fatal(err)
	}
	if value, _ = expired.value(); parse("k") == nil {
		t.Error("a token that was to have expired is good")
	}
}

// TestTokenReachesTheWire: the token is in the shared headers, with the others.
func TestTokenReachesTheWire(t *testing.T) {
	e, tg := newEcho(t)
	spec := Spec{HTTP: &HTTP{Target: "t", Post: "/x", Body: "plain", Auth: &Auth{JWT: &JWT{Key: "k"}}}}
	calls(t, spec, 2, tg.addr)
	e.mu.Lock()
	defer e.mu.Unlock()
	if !strings.HasPrefix(e.auths[0], "Bearer ey") || e.auths[0] != e.auths[1] || e.bodies["POST /x"] != "plain" {
		t.Errorf("%q, body %q", e.auths, e.bodies)
	}
}

func TestData(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"ok.csv": "a,b\n1,2\n", "empty.csv": "", "head.csv": "a,b\n", "ragged.csv": "a,b\n1\n",
		"ok.json": `[{"a": 1}]`, "object.json": `{"a": 1}`, "more.json": `[{"a": 1}] 2`, "none.json": `[]`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ csv, json, want string }{
		{"ok.csv", "", ""},
		{"", "ok.json", ""},
		{"missing.csv", "", "no such file"},
		{"empty.csv", "", "no rows"},
		{"head.csv", "", "no rows"},
		{"ragged.csv", "", "wrong number of fields"},
		{"", "object.json", "cannot unmarshal"},
		{"", "more.json", "after the list"},
		{"", "none.json", "no rows"},
	} {
		_, err := (&Data{CSV: c.csv, JSON: c.json}).Rows(dir)
		if (err == nil) != (c.want == "") || (err != nil && !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s%s: %v, want %q", c.csv, c.json, err, c.want)
		}
	}
}

// FuzzBody: whatever a scenario has as a body, what is sent is what was meant.
func FuzzBody(f *testing.F) {
	f.Add("name", "plain")
	f.Add(`"}`, "{{.Seq}}")
	f.Add("{{", "{{")
	f.Fuzz(func(t *testing.T, key, value string) {
		c, err := parseBody(map[string]any{key: []any{value, 1}})
		if err != nil {
			return // not a template
		}
		b, err := c.render(nil, newVars(1, 2, "l", nil))
		if err != nil {
			return
		}
		var back map[string][]any
		if err := json.Unmarshal(b, &back); err != nil {
			t.Fatalf("%q: %v", b, err)
		}
		if len(back) != 1 {
			t.Fatalf("%q", b)
		}
	})
}

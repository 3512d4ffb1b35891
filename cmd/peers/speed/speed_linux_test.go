package speed

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestStudyOfOrdeal runs a round of Ordeal and its engine as the command does:
// with a binary that is built, a run directory and a profile.
func TestStudyOfOrdeal(t *testing.T) {
	var progress strings.Builder
	study, err := Run(t.Context(), &progress, Options{
		Rounds: 1, For: 500 * time.Millisecond, Warm: 100 * time.Millisecond, Only: []string{"ordeal", "engine"},
		Cases: []string{"http", "http-lag", "grpc-4"}, Clients: 4, Rate: 100, Profile: true, Self: self(t),
	})
	if err != nil {
		t.Fatalf("%v\n%s", err, progress.String())
	}
	if err := study.Failed(); err != nil || len(study.outcomes) != 3 {
		t.Fatalf("%d comparisons, %v\n%s", len(study.outcomes), err, progress.String())
	}
	for _, o := range study.outcomes {
		if len(o.errors()) > 0 || len(o.tools) != 2 || len(o.lines) != 2 {
			t.Errorf("%s: %v; %d tools", o.title, o.errors(), len(o.tools))
		}
		for _, v := range o.verdicts() {
			if v.found.N != 1 || v.found.Median <= 0 {
				t.Errorf("%s: %s is %+v", o.title, v.name, v.found)
			}
		}
		if !strings.Contains(o.profile, "flat%") || strings.Count(o.profile, "\n") < 5 {
			t.Errorf("%s: the profile is %q", o.title, o.profile)
		}
	}
}

// TestMissingPeerIsSaidAndOthersGoOn has a source tree in which nothing is built.
func TestMissingPeerIsSaidAndOthersGoOn(t *testing.T) {
	root := t.TempDir()
	if err := os.WriteFile(filepath.Join(root, "go.mod"), []byte("module ordeal\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Chdir(root)
	study, err := Run(t.Context(), &strings.Builder{}, Options{
		Rounds: 1, For: 200 * time.Millisecond, Only: []string{"vegeta", "engine"}, Cases: []string{"http"}, Clients: 2, Rate: 100, Self: self(t),
	})
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := errors.Join(study.Table(&b), study.Failed()); err != nil {
		t.Fatal(err)
	}
	if text := strings.Join(strings.Fields(b.String()), " "); !strings.Contains(text, "vegeta was left out: vegeta is not there: make peers") || !strings.Contains(text, "ordeal, engine alone") {
		t.Errorf("the table is\n%s", b.String())
	}
}

func TestOptionsAreCheckedAtTheDoor(t *testing.T) {
	good := Options{Rounds: 1, For: time.Second, Clients: 1, Rate: 1}
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	for want, spoil := range map[string]func(*Options){
		`no tool is named "hey"`:      func(o *Options) { o.Only = []string{"hey"} },
		`no comparison is named "h3"`: func(o *Options) { o.Cases = []string{"h3"} },
		"at least one round":          func(o *Options) { o.Rounds = 0 },
		"to be measured":              func(o *Options) { o.For = 0 },
		"a warm-up of":                func(o *Options) { o.Warm = -1 },
		"clients":                     func(o *Options) { o.Clients = 0 },
		"want a rate":                 func(o *Options) { o.Rate = 0 },
	} {
		bad := good
		spoil(&bad)
		if _, err := Run(t.Context(), nil, bad); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

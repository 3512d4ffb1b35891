package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// mayImport says which rooms a room may import. A room includes the rooms
// below it that have no line of their own. Every package needs a line.
var mayImport = map[string][]string{
	"cmd/accuracy":       {"cmd/peers/peer", "runner/evidence"},
	"cmd/ordeal":         {"chaos", "reports", "runner", "runner/evidence", "runner/load", "runner/telemetry", "runner/verdict", "scenarios", "targets", "targets/kubernetes", "targets/gateway", "targets/users"},
	"cmd/peers":          {"cmd/peers/peer", "runner/evidence", "runner/load", "targets/api"},
	"cmd/peers/peer":     {},
	"chaos":              {"runner/evidence"},
	"deploy":             {},
	"deploy/kubernetes":  {},
	"reports":            {"runner/evidence", "runner/verdict"},
	"runner":             {"chaos", "runner/change", "runner/evidence", "runner/load", "runner/observe", "runner/telemetry", "runner/verdict", "scenarios", "targets", "targets/kubernetes"},
	"runner/change":      {"targets/kubernetes"},
	"runner/evidence":    {},
	"runner/load":        {"runner/evidence"},
	"runner/observe":     {"chaos", "runner/evidence", "scenarios", "targets", "targets/kubernetes"},
	"runner/telemetry":   {"runner/evidence"},
	"runner/verdict":     {"runner/evidence", "runner/verdict/autoscaler"},
	"scenarios":          {"chaos", "runner/change", "runner/evidence", "runner/load", "runner/verdict", "targets", "targets/kubernetes"},
	"targets":            {"runner/evidence", "targets/gateway", "targets/marked", "targets/users"},
	"targets/api":        {},
	"targets/breaker":    {},
	"targets/marked":     {},
	"targets/tuning":     {},
	"targets/work":       {},
	"targets/kubernetes": {"deploy/kubernetes", "runner/evidence"},
	// The reference services are ordinary programs: nothing of the harness.
	"targets/gateway": {"targets/api", "targets/breaker", "targets/tuning", "targets/work"},
	"targets/users":   {"targets/api", "targets/tuning", "targets/work"},
	// The second opinion on an autoscaler is arithmetic alone.
	"runner/verdict/autoscaler": {},
}

type goPackage struct {
	ImportPath string
	Imports    []string
}

// room gives the room that a package of ours is in, "" for others' packages.
func room(path string) (string, bool) {
	path, ours := strings.CutPrefix(path, "ordeal/")
	if !ours {
		return "", false
	}
	for dir := path; dir != ""; {
		if _, ok := mayImport[dir]; ok {
			return dir, true
		}
		i := strings.LastIndexByte(dir, '/')
		if i < 0 {
			break
		}
		dir = dir[:i]
	}
	return path, true
}

// breaches lists the imports that the rules do not allow.
func breaches(packages []goPackage) []string {
	var bad []string
	for _, p := range packages {
		from, ours := room(p.ImportPath)
		if !ours {
			continue
		}
		allowed, known := mayImport[from]
		if !known {
			bad = append(bad, fmt.Sprintf("%s is in no room: give it a line", p.ImportPath))
			continue
		}
		for _, i := range p.Imports {
			to, ours := room(i)
			if ours && to != from && !slices.Contains(allowed, to) {
				bad = append(bad, fmt.Sprintf("%s imports %s", p.ImportPath, i))
			}
		}
	}
	return bad
}

func TestRoomsImportOnlyWhatTheyMay(t *testing.T) {
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", "ordeal/...").Output()
	if err != nil {
		t.Fatalf("list the packages: %v", err)
	}
	var packages []goPackage
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		if err := d.Decode(&p); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
	if len(packages) < len(mayImport) {
		t.Errorf("only %d packages were found, there are rules for %d", len(packages), len(mayImport))
	}
	for _, b := range breaches(packages) {
		t.Error(b)
	}
}

func TestRulesOfImportAreEnforced(t *testing.T) {
	for _, tc := range []struct {
		p    goPackage
		want int
	}{
		{goPackage{"ordeal/reports", []string{"ordeal/runner", "fmt"}}, 1},
		{goPackage{"ordeal/reports/charts", []string{"ordeal/runner/evidence", "ordeal/reports"}}, 0},
		{goPackage{"ordeal/targets/gateway", []string{"ordeal/targets", "ordeal/targets/api/user/v1"}}, 1},
		{goPackage{"ordeal/runner/evidence", []string{"ordeal/chaos"}}, 1},
		{goPackage{"ordeal/shed", nil}, 1},
		{goPackage{"example.com/x", []string{"ordeal/chaos"}}, 0},
	} {
		if got := breaches([]goPackage{tc.p}); len(got) != tc.want {
			t.Errorf("%s importing %v: %v, want %d", tc.p.ImportPath, tc.p.Imports, got, tc.want)
		}
	}
}

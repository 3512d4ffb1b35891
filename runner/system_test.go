package runner

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ordeal/targets"
)

func TestTargetsStartAfterThoseTheyCall(t *testing.T) {
	call := func(names ...string) map[string]string {
		calls := map[string]string{}
		for _, n := range names {
			calls[n] = n
		}
		return calls
	}
	specs := []*targets.Spec{
		{Name: "web", Calls: call("shop", "users")},
		{Name: "users"},
		{Name: "shop", Calls: call("db", "users")},
		{Name: "db"},
	}
	var names []string
	for _, s := range callOrder(specs) {
		names = append(names, s.Name)
	}
	if got := strings.Join(names, " "); got != "users db shop web" {
		t.Errorf("started in the order %q, want each after those it calls, else as written", got)
	}
}

func TestRunDirectoriesOfTheSameSecondDiffer(t *testing.T) {
	parent := filepath.Join(t.TempDir(), "runs")
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	first, err := makeDir(parent, "shop", at)
	if err != nil {
		t.Fatal(err)
	}
	second, err := makeDir(parent, "shop", at)
	if err != nil {
		t.Fatal(err)
	}
	if filepath.Base(first) != "20260102-030405-shop" || filepath.Base(second) != "20260102-030405-shop-2" {
		t.Errorf("got %s and %s", first, second)
	}
}

func TestRunDirectoryThatCannotBeMade(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if dir, err := makeDir(file, "shop", time.Now()); err == nil || dir != "" {
		t.Errorf("got %q, %v; want an error", dir, err)
	}
}

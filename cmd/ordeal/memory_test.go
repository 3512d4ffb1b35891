package main

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"testing"

	"ordeal/runner"
)

func TestBoundMemoryUnlessTheEnvironmentDoes(t *testing.T) {
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(math.MaxInt64))
	for env, want := range map[string]int64{"": readingMemory, "off": math.MaxInt64, "9223372036854775807": math.MaxInt64} {
		t.Setenv("GOMEMLIMIT", env)
		restore := boundMemory()
		if got := debug.SetMemoryLimit(-1); got != want {
			t.Errorf("GOMEMLIMIT=%q: a limit of %d, want %d", env, got, want)
		}
		restore()
		if got := debug.SetMemoryLimit(-1); got != math.MaxInt64 {
			t.Errorf("GOMEMLIMIT=%q: a limit of %d is left behind", env, got)
		}
	}
}

// settings are those of the collector.
type settings struct {
	percent int
	limit   int64
}

func collector() settings {
	n := debug.SetGCPercent(100)
	debug.SetGCPercent(n)
	return settings{n, debug.SetMemoryLimit(-1)}
}

// witness notes the settings in force whenever something is written to it.
type witness struct {
	mu   sync.Mutex
	text strings.Builder
	seen map[settings]int
}

func (w *witness) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.seen == nil {
		w.seen = make(map[settings]int)
	}
	w.seen[collector()]++
	return w.text.Write(p)
}

// The collector is eased while a scenario runs, for each of several, and memory
// is bounded while it is judged.
func TestEachRunEasesTheCollectorAndJudgingBoundsMemory(t *testing.T) {
	t.Setenv("GOGC", "")
	t.Setenv("GOMEMLIMIT", "")
	before := settings{100, math.MaxInt64}
	percent, limit := debug.SetGCPercent(before.percent), debug.SetMemoryLimit(before.limit)
	defer func() { debug.SetGCPercent(percent); debug.SetMemoryLimit(limit) }()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	program := filepath.Join(dir, "ordeal") // by this name the test binary is the command
	if err := os.Symlink(self, program); err != nil {
		t.Fatal(err)
	}
	url := twoSpeeds(t).URL
	var files []string
	for _, name := range []string{"one", "two"} {
		file := filepath.Join(dir, name+".yaml")
		text := fmt.Sprintf(`
ordeal: v1
name: %s
targets: {shop: {external: %q}}
load: {browse: {http: {target: shop, get: /}, rate: 50/s}}
timeline: [{phase: steady, for: 500ms}]
expect: [{errors: {load: browse, during: steady, count: "= 0"}}]
`, name, url)
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	sources, err := findAll(files)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range sources {
		var stdout, stderr witness
		opts := runner.Options{Dir: filepath.Join(dir, "runs"), Self: []string{program}}
		if _, err := runOne(t.Context(), &stdout, &stderr, s, opts, runFlags{}); err != nil {
			t.Fatal(err)
		}
		if want := (settings{before.percent, readingMemory}); len(stdout.seen) != 1 || stdout.seen[want] == 0 {
			t.Errorf("%s was judged with %v, want %v\n%s", s.plan.Name, stdout.seen, want, stdout.text.String())
		}
		eased := 0 // times that progress was shown
		for c, n := range stderr.seen {
			if c.percent > before.percent && c.limit != readingMemory {
				eased += n
			}
		}
		if eased == 0 {
			t.Errorf("%s ran with %v", s.plan.Name, stderr.seen)
		}
		if got := collector(); got != before {
			t.Errorf("%s left %v behind, want %v", s.plan.Name, got, before)
		}
	}
}

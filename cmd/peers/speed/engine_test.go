package speed

import (
	"math"
	"net/http"
	"net/http/httptest"
	"runtime/debug"
	"strings"
	"testing"

	"ordeal/runner/load"
)

// gcPercent gives GOGC as it is.
func gcPercent() int {
	n := debug.SetGCPercent(100)
	debug.SetGCPercent(n)
	return n
}

// percentWhenWritten notes GOGC as it is when something is written.
type percentWhenWritten struct{ percent int }

func (w *percentWhenWritten) Write(p []byte) (int, error) {
	w.percent = gcPercent()
	return len(p), nil
}

// TestEngineCollectsGarbageAsOrdealDoes has the engine alone collect as seldom as
// a run does.
func TestEngineCollectsGarbageAsOrdealDoes(t *testing.T) {
	t.Setenv("GOGC", "")
	t.Setenv("GOMEMLIMIT", "")
	percent, limit := debug.SetGCPercent(100), debug.SetMemoryLimit(math.MaxInt64)
	defer func() { debug.SetGCPercent(percent); debug.SetMemoryLimit(limit) }()
	restore := load.EaseCollector()
	want := gcPercent()
	restore()
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer s.Close()
	var out percentWhenWritten
	if err := Engine(t.Context(), []string{strings.TrimPrefix(s.URL, "http://"), "1", "0", "20ms"}, &out); err != nil {
		t.Fatal(err)
	}
	if out.percent != want || want <= 100 {
		t.Errorf("GOGC %d, a run has %d", out.percent, want)
	}
}

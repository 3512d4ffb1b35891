package speed

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestBurstsAreCounted has calls arrive at known times: none is counted where
// nothing is looked at, and only those that follow closely where it is.
func TestBurstsAreCounted(t *testing.T) {
	var c counters
	c.arrived()
	c.arrived()
	if c.calls.Load() != 2 || c.bunched.Load() != 0 {
		t.Errorf("%d calls, %d in bursts; want 2 and none", c.calls.Load(), c.bunched.Load())
	}
	c.bunch.Store(int64(time.Hour))
	c.arrived() // the first that is looked at
	c.arrived()
	c.arrived()
	if c.bunched.Load() != 2 {
		t.Errorf("three calls at once: %d in bursts, want 2", c.bunched.Load())
	}
	c.last.Store(time.Now().Add(-2 * time.Hour).UnixNano())
	c.arrived()
	if c.bunched.Load() != 2 {
		t.Errorf("a call after two hours: %d in bursts, want 2", c.bunched.Load())
	}
}

// TestServersTellBursts looks at it from the process of the one who measures.
func TestServersTellBursts(t *testing.T) {
	for _, kind := range []string{plainServer, lightServer} {
		b := testBench(t, kind)
		b.server.count.bunch.Store(int64(time.Hour))
		for range 3 {
			answer, err := http.Get("http://" + b.server.addr)
			if err != nil {
				t.Fatal(err)
			}
			answer.Body.Close()
		}
		if calls, bunched := b.server.count.calls.Load(), b.server.count.bunched.Load(); calls != 3 || bunched != 2 {
			t.Errorf("%s: %d calls, %d in bursts; want 3 and 2", kind, calls, bunched)
		}
	}
}

func TestBurstsAreShownWhereTheRateIsFixed(t *testing.T) {
	if got := (job{rate: 5000}).bunch(); got != 100*time.Microsecond {
		t.Errorf("at 5000/s: within %v, want half of 200 µs", got)
	}
	if got := (job{}).bunch(); got != 0 {
		t.Errorf("as fast as it goes: within %v, want it not looked at", got)
	}
	s := sampleStudy()
	s.outcomes[0].comparison = comparisons(64, 5000)[slices.Index(Cases(), "http-fixed")]
	s.outcomes[0].results["fortio"] = ofRates(4999, 5000, 5001)
	for i := range s.outcomes[0].results["ordeal"] {
		s.outcomes[0].results["ordeal"][i].figures.Bunched = 0.25
	}
	var table, page strings.Builder
	if err := s.Table(&table); err != nil {
		t.Fatal(err)
	}
	if err := s.Document(&page); err != nil {
		t.Fatal(err)
	}
	for text, wants := range map[string][]string{
		table.String(): {"server bursts\n", "    50%    25%\n", "not judged"},
		page.String():  {"| server | bursts |\n", "| 50% | 25% |\n", "| k6 | no figures |  |  |  |  |  |\n", "not judged"},
	} {
		for _, want := range wants {
			if !strings.Contains(text, want) {
				t.Errorf("there is no %q in\n%s", want, text)
			}
		}
	}
	for line := range strings.Lines(table.String()) {
		if n := len([]rune(strings.TrimSpace(line))); n > 80 {
			t.Errorf("a line of %d columns: %q", n, line)
		}
	}
}

package speed

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestToolsAreReadAsTheyReport reads what each tool left behind in a short run,
// and in one where every call failed.
func TestToolsAreReadAsTheyReport(t *testing.T) {
	for _, tc := range []struct {
		file string
		read func([]byte) (said, error)
		want said
	}{
		{"vegeta.json", readVegeta, said{calls: 15813, p99: 4091594}},
		{"vegetabad.json", readVegeta, said{calls: 16676, failed: 16676, p99: 4113247}},
		{"fortio.json", readFortio, said{calls: 22622, p99: 4166260}},
		{"k6.json", readK6, said{calls: 5179, p99: 10203168}},
		{"k6bad.json", readK6, said{calls: 9447, failed: 9447, p99: 11171234}},
		{"wrk.txt", readWrk, said{calls: 22425, p99: 13750 * time.Microsecond}},
		{"wrkbad.txt", readWrk, said{calls: 24997, failed: 24997, p99: 6800 * time.Microsecond}},
		{"ghz.json", readGhz, said{calls: 60, p99: 7562724}},
		{"ghzbad.json", readGhz, said{calls: 60, failed: 60}},
		{"ordeal.json", readOrdeal, said{calls: 45881, p99: 761343}},
	} {
		text, err := os.ReadFile(filepath.Join("testdata", tc.file))
		if err != nil {
			t.Fatal(err)
		}
		got, err := tc.read(text)
		if d := got.p99 - tc.want.p99; err != nil || got.calls != tc.want.calls || got.failed != tc.want.failed || d < -time.Microsecond || d > time.Microsecond {
			t.Errorf("%s: %+v, %v; want %+v", tc.file, got, err, tc.want)
		}
		for name, damaged := range map[string]string{"cut off": string(text[:len(text)/3]), "empty": "", "something else": "{}"} {
			if got, err := tc.read([]byte(damaged)); err == nil && got.check(got.calls, job{}) == nil && !strings.HasSuffix(tc.file, "txt") {
				t.Errorf("%s, %s: read as %+v", tc.file, name, got)
			}
		}
	}
	lagging := `{"loads": [{"whole": {"calls": 9, "errors": 0, "response": {"p99_ns": 5}},
		"phases": [{"send_lag": {"p99_ns": 900}}, {"send_lag": {"p99_ns": 7}}]}]}`
	if got, err := readOrdeal([]byte(lagging)); err != nil || got.lag != 7 {
		t.Errorf("the send lag of the last phase: %+v, %v", got, err)
	}
	for _, text := range []string{"", "{}", "  5 requests in 1s\n", "  99%  1.00ms\n"} {
		if got, err := readWrk([]byte(text)); err == nil {
			t.Errorf("wrk saying %q: read as %+v", text, got)
		}
	}
	broken := "   99%    1.00ms\n  50 requests in 1.00s, 1MB read\n  Socket errors: connect 1, read 2, write 3, timeout 4\n"
	if got, err := readWrk([]byte(broken)); err != nil || got.failed != 10 {
		t.Errorf("wrk with socket errors: %+v, %v; want 10 failed", got, err)
	}
}

func TestWhatAToolSaysIsHeldAgainstWhatArrived(t *testing.T) {
	good := said{calls: 100_000, p99: time.Millisecond}
	j := job{clients: 64}
	if err := good.check(100_064, j); err != nil {
		t.Errorf("64 calls in flight at the end: %v", err)
	}
	for _, tc := range []struct {
		said    said
		arrived int64
		want    string
	}{
		{said{calls: 100_000, p99: 1, failed: 1}, 100_000, "1 of its 100000 calls failed"},
		{good, 99_000, "99000 arrived"},
		{good, 101_000, "101000 arrived"},
		{said{calls: 100_000}, 100_000, "p99"},
	} {
		if err := tc.said.check(tc.arrived, j); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%+v with %d arrived: %v, want %q", tc.said, tc.arrived, err, tc.want)
		}
	}
	if err := (said{calls: 10, noP99: true}).check(10, j); err != nil {
		t.Errorf("a tool that measures no p99: %v", err)
	}
}

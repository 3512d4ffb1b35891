package evidence

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

func TestDamagedSegmentIsAWarning(t *testing.T) {
	for name, c := range map[string]struct {
		damage   func(t *testing.T, path string)
		warning  string
		kept     int
		onlyRead bool // found when the rows are read, not before
	}{
		"torn": {func(t *testing.T, p string) {
			info, err := os.Stat(p)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.Truncate(p, info.Size()/2); err != nil {
				t.Fatal(err)
			}
		}, "samples/000002.parquet", 600, false},
		"garbage": {func(t *testing.T, p string) { overwrite(t, p, []byte(strings.Repeat("garbage", 900))) }, "samples/000002.parquet", 600, false},
		"empty":   {func(t *testing.T, p string) { overwrite(t, p, nil) }, "samples/000002.parquet", 600, false},
		"missing": {func(t *testing.T, p string) {
			if err := os.Remove(p); err != nil {
				t.Fatal(err)
			}
		}, "000002.parquet", 600, false},
		"unfinished": {func(t *testing.T, p string) {
			if err := os.Rename(p, p+partial); err != nil {
				t.Fatal(err)
			}
		}, "never finished", 600, false},
		"a page": {func(t *testing.T, p string) {
			text, err := os.ReadFile(p)
			if err != nil {
				t.Fatal(err)
			}
			for i := 4; i < 200; i++ {
				text[i] = 0xa5
			}
			overwrite(t, p, text)
		}, "samples/000002.parquet", 600, true},
		"short statistics": {statistics(7), "samples/000002.parquet", 600, false},
		"long statistics":  {statistics(9), "samples/000002.parquet", 600, false},
		"empty statistics": {statistics(0), "samples/000002.parquet", 600, false},
	} {
		t.Run(name, func(t *testing.T) {
			dir := finishedRun(t)
			if r := mustOpen(t, dir); len(readSamples(t, r)) != 900 || len(r.Warnings()) != 0 {
				t.Fatalf("the sound run: %d samples, %q", len(readSamples(t, r)), r.Warnings())
			}
			c.damage(t, filepath.Join(dir, samplesDir, segmentName(2)))
			r := mustOpen(t, dir)
			if c.onlyRead != (len(r.Warnings()) == 0) {
				t.Errorf("warnings after opening: %q", r.Warnings())
			}
			sum, err := r.Summary()
			if err != nil {
				t.Fatal(err)
			}
			if n := sum.Loads[0].Whole.Calls; n != int64(c.kept) {
				t.Errorf("%d calls, want the %d of the other segments", n, c.kept)
			}
			if w := strings.Join(r.Warnings(), "\n"); !strings.Contains(w, c.warning) {
				t.Errorf("warnings %q do not name it", w)
			}
			if lines, err := r.Verify(); err != nil || len(lines) == 0 {
				t.Errorf("verified: %q, %v", lines, err)
			}
		})
	}
}

// statistics is the damage of a footer whose least and greatest values have so
// many bytes, instead of the eight of a time.
func statistics(size int) func(t *testing.T, path string) {
	return func(t *testing.T, path string) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		overwrite(t, path, withStatistics(t, text, make([]byte, size)))
	}
}

// withStatistics gives a Parquet file whose footer has one value as the least and
// the greatest of every column that holds integers, and is sound otherwise.
func withStatistics(t testing.TB, text, value []byte) []byte {
	t.Helper()
	f, err := parquet.OpenFile(bytes.NewReader(text), int64(len(text)))
	if err != nil {
		t.Fatal(err)
	}
	footer := f.Metadata()
	for _, g := range footer.RowGroups {
		for i := range g.Columns {
			if m := &g.Columns[i].MetaData; m.Type == format.Int64 {
				m.Statistics.MinValue, m.Statistics.MaxValue = value, value
			}
		}
	}
	made, err := thrift.Marshal(new(thrift.CompactProtocol), footer)
	if err != nil {
		t.Fatal(err)
	}
	old := int(binary.LittleEndian.Uint32(text[len(text)-8:]))
	whole := append(slices.Clone(text[:len(text)-8-old]), made...)
	return append(binary.LittleEndian.AppendUint32(whole, uint32(len(made))), "PAR1"...)
}

func overwrite(t testing.TB, path string, text []byte) {
	t.Helper()
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestOpenRefusesWhatIsNoRun(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"no run.json":    {"", "not a run directory"},
		"not JSON":       {"{", "run.json"},
		"another format": {`{"format": 7, "loads": "unlike ours"}`, "format 7"},
		"no format":      {`{}`, "format 0"},
		"wrong types":    {`{"format": 1, "loads": 3}`, "run.json"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if c.text != "" {
				overwrite(t, filepath.Join(dir, runFile), []byte(c.text))
			}
			if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("opened with %v, want %q", err, c.want)
			}
		})
	}
}

func TestMetaSurvives(t *testing.T) {
	dir := finishedRun(t)
	r := mustOpen(t, dir)
	text, err := os.ReadFile(filepath.Join(dir, runFile))
	if err != nil {
		t.Fatal(err)
	}
	var m Meta
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	if r.Meta.Scenario != "test" || r.Meta.ID != "run" || r.Meta.Format != Format || len(r.Meta.Files) != 7 || m.Files["scenario.yaml"] == "" {
		t.Errorf("read %+v", r.Meta)
	}
}

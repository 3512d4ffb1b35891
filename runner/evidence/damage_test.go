package evidence

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
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

func TestVerifyFindsWhatWasTouched(t *testing.T) {
	for name, c := range map[string]struct {
		touch func(dir string) error
		want  string
	}{
		"nothing": {func(string) error { return nil }, ""},
		"a report, written later": {func(d string) error {
			return os.WriteFile(filepath.Join(d, "report.html"), []byte("x"), 0o644)
		}, ""},
		"one byte of a segment": {func(d string) error { return flip(filepath.Join(d, samplesDir, segmentName(1))) }, `"samples/000001.parquet" was changed`},
		"one byte of an event":  {func(d string) error { return flip(filepath.Join(d, eventsFile)) }, `"events.jsonl" was changed`},
		"the scenario": {func(d string) error {
			return os.WriteFile(filepath.Join(d, scenarioFile), []byte("ordeal: v1\nname: kinder\n"), 0o644)
		}, `"scenario.yaml" was changed`},
		"a segment removed": {func(d string) error { return os.Remove(filepath.Join(d, samplesDir, segmentName(3))) }, `"samples/000003.parquet" is missing`},
		"a segment added": {func(d string) error {
			return os.Link(filepath.Join(d, samplesDir, segmentName(1)), filepath.Join(d, samplesDir, segmentName(4)))
		}, `"samples/000004.parquet" was added`},
	} {
		t.Run(name, func(t *testing.T) {
			dir := finishedRun(t)
			if err := c.touch(dir); err != nil {
				t.Fatal(err)
			}
			lines, err := mustOpen(t, dir).Verify()
			if err != nil {
				t.Fatal(err)
			}
			switch got := strings.Join(lines, "\n"); {
			case c.want == "" && got != "":
				t.Errorf("an untouched run: %q", got)
			case !strings.Contains(got, c.want):
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func flip(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	text[len(text)/3] ^= 1
	return os.WriteFile(path, text, 0o644)
}

var errFull = errors.New("no space left on device")

// fullDisk takes a number of bytes for files of one directory, and then no
// more until it is given room.
type fullDisk struct {
	dir  string
	room atomic.Int64
}

func (d *fullDisk) open(path string) (io.WriteCloser, error) {
	f, err := openOnDisk(path)
	if err != nil || filepath.Base(filepath.Dir(path)) != d.dir && filepath.Base(path) != d.dir {
		return f, err
	}
	return &fullFile{f, d}, nil
}

type fullFile struct {
	io.WriteCloser
	disk *fullDisk
}

func (f *fullFile) Write(p []byte) (int, error) {
	if f.disk.room.Add(-int64(len(p))) >= 0 {
		return f.WriteCloser.Write(p)
	}
	n, err := f.WriteCloser.Write(p[:len(p)/2])
	return n, errors.Join(errFull, err)
}

func TestFullDiskIsToldAndCounted(t *testing.T) {
	dir := t.TempDir()
	disk := &fullDisk{dir: samplesDir}
	w := mustCreate(t, dir, testMeta("a"), disk.open)
	const n = 3 * groupRows
	for i := range n {
		w.Sample(call(0, uint64(i)))
	}
	waitFor(t, "the error", func() bool { return w.Err() != nil })
	if err := w.Err(); !errors.Is(err, errFull) || !strings.Contains(err.Error(), "samples") {
		t.Errorf("Err is %v", err)
	}
	// Once there is room again, what comes is kept.
	waitFor(t, "the writer to take everything", func() bool { return len(w.samples.full) == 0 })
	disk.room.Store(1 << 40)
	for i := range 1000 {
		w.Sample(call(0, uint64(n+i)))
	}
	if err := w.Close(Completed, nil); !errors.Is(err, errFull) {
		t.Errorf("Close gives %v", err)
	}
	r := mustOpen(t, dir)
	kept := len(readSamples(t, r))
	if lost := r.Meta.Lost["samples"]; kept < 1000 || lost == 0 || lost+int64(kept) != n+1000 {
		t.Errorf("%d kept, %d lost, %d written", kept, lost, n+1000)
	}
	if r.Meta.Outcome != Failed || !strings.Contains(r.Meta.Error, errFull.Error()) {
		t.Errorf("outcome %q, error %q", r.Meta.Outcome, r.Meta.Error)
	}
	left, err := filepath.Glob(filepath.Join(dir, samplesDir, "*"+partial))
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %q, %v", left, err)
	}
}

func TestEventAfterATornOneIsReadAgain(t *testing.T) {
	dir := t.TempDir()
	disk := &fullDisk{dir: eventsFile}
	w := mustCreate(t, dir, testMeta("a"), disk.open)
	w.Event(Event{Kind: Note, Text: "torn"})
	waitFor(t, "the error", func() bool { return w.Err() != nil })
	disk.room.Store(1 << 40)
	w.Event(Event{Kind: Note, Text: "kept"})
	if err := w.Close(Completed, nil); !errors.Is(err, errFull) {
		t.Errorf("Close gives %v", err)
	}
	r := mustOpen(t, dir)
	if len(r.Events) != 1 || r.Events[0].Text != "kept" || r.Meta.Lost["events"] != 1 {
		t.Errorf("events %+v, lost %v", r.Events, r.Meta.Lost)
	}
}

func TestRunFileIsReplacedInOneStep(t *testing.T) {
	dir := t.TempDir()
	disk := &fullDisk{dir: runFile + partial}
	disk.room.Store(1 << 40)
	w := mustCreate(t, dir, testMeta("before"), disk.open)
	disk.room.Store(10)
	if err := w.Update(func(m *Meta) { m.Loads[0].Name = "after" }); !errors.Is(err, errFull) {
		t.Errorf("Update gives %v", err)
	}
	if r := mustOpen(t, dir); r.Meta.Loads[0].Name != "before" {
		t.Errorf("run.json holds %q", r.Meta.Loads[0].Name)
	}
	if _, err := os.Stat(filepath.Join(dir, runFile+partial)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("left behind: %v", err)
	}
}

func TestSlowDiskHoldsCallersBackAndIsCounted(t *testing.T) {
	dir := t.TempDir()
	gate := make(chan struct{})
	w := mustCreate(t, dir, testMeta("a"), func(path string) (io.WriteCloser, error) {
		f, err := openOnDisk(path)
		if filepath.Base(filepath.Dir(path)) == samplesDir {
			<-gate
		}
		return f, err
	})
	const n = (maxBatches + 80) * batchRows
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range n {
			w.Sample(call(0, uint64(i)))
		}
	}()
	waitFor(t, "back-pressure", func() bool { return w.samples.waits.Load() > 0 })
	select {
	case <-done:
		t.Error("all samples were taken though the disk stood still")
	default:
	}
	if made := w.samples.made.Load(); made > maxBatches {
		t.Errorf("%d batches", made)
	}
	close(gate)
	<-done
	if err := w.Close(Completed, nil); err != nil {
		t.Fatal(err)
	}
	r := mustOpen(t, dir)
	if got := len(readSamples(t, r)); got != n {
		t.Errorf("%d of %d kept", got, n)
	}
	if r.Meta.Waits == 0 || len(r.Meta.Lost) != 0 {
		t.Errorf("waits %d, lost %v", r.Meta.Waits, r.Meta.Lost)
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
	if r.Meta.Scenario != "test" || r.Meta.ID != "run" || r.Meta.Format != Format || len(r.Meta.Files) != 6 || m.Files["scenario.yaml"] == "" {
		t.Errorf("read %+v", r.Meta)
	}
}

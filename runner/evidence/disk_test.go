package evidence

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

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
	for dir, c := range map[string]struct {
		put   func(w *Writer, i uint64)
		waits func(w *Writer) (waits, made int64)
		read  func(t *testing.T, r *Run) int
	}{
		samplesDir: {
			func(w *Writer, i uint64) { w.Sample(call(0, i)) },
			func(w *Writer) (int64, int64) { return w.samples.waits.Load(), w.samples.made.Load() },
			func(t *testing.T, r *Run) int { return len(readSamples(t, r)) },
		},
		messagesDir: {
			func(w *Writer, i uint64) { w.Message(message(0, i, 0)) },
			func(w *Writer) (int64, int64) { return w.messages.waits.Load(), w.messages.made.Load() },
			func(t *testing.T, r *Run) int { return int(mustSum(t, r).Loads[0].Whole.Messages.Count) },
		},
	} {
		t.Run(dir, func(t *testing.T) {
			gate := make(chan struct{})
			w := mustCreate(t, t.TempDir(), testMeta("a"), func(path string) (io.WriteCloser, error) {
				f, err := openOnDisk(path)
				if filepath.Base(filepath.Dir(path)) == dir {
					<-gate
				}
				return f, err
			})
			const n = (maxBatches + 80) * batchRows
			done := make(chan struct{})
			go func() {
				defer close(done)
				for i := range uint64(n) {
					c.put(w, i)
				}
			}()
			waitFor(t, "back-pressure", func() bool { waits, _ := c.waits(w); return waits > 0 })
			select {
			case <-done:
				t.Error("all was taken though the disk stood still")
			default:
			}
			if _, made := c.waits(w); made > maxBatches {
				t.Errorf("%d batches", made)
			}
			close(gate)
			<-done
			if err := w.Close(Completed, nil); err != nil {
				t.Fatal(err)
			}
			waits, _ := c.waits(w)
			r := mustOpen(t, w.Dir())
			if got := c.read(t, r); got != n {
				t.Errorf("%d of %d kept", got, n)
			}
			if r.Meta.Waits < waits || len(r.Meta.Lost) != 0 {
				t.Errorf("waits %d, of which %d were seen, lost %v", r.Meta.Waits, waits, r.Meta.Lost)
			}
		})
	}
}

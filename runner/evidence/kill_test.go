package evidence

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const writeForever = "ORDEAL_TEST_WRITE_TO"

// TestMain lets the test binary be the program that is killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv(writeForever); dir != "" {
		writeUntilKilled(dir)
	}
	os.Exit(m.Run())
}

func writeUntilKilled(dir string) {
	d := realDisk()
	d.age, d.look = 200*time.Millisecond, 50*time.Millisecond
	w, err := create(dir, testMeta("a"), nil, d)
	if err != nil {
		panic(err)
	}
	w.Event(Event{Kind: PhaseStart, Phase: "steady"})
	deadline := time.Now().Add(time.Minute) // should the test itself be killed
	for i := uint64(0); time.Now().Before(deadline); i++ {
		w.Sample(call(0, i))
		w.Message(message(0, i, 0))
		w.Point(point(0, int(i)))
		if i%50 == 0 {
			w.Event(Event{At: call(0, i).Intended, Kind: Note, Text: strings.Repeat("x", 200)})
			time.Sleep(time.Millisecond)
		}
	}
}

func TestKilledRunIsRead(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), writeForever+"="+dir)
	child.Stderr = os.Stderr
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = child.Process.Kill() }() // gone already where all went well
	waitFor(t, "finished segments of samples, of messages and of points", func() bool {
		_, err1 := os.Stat(filepath.Join(dir, samplesDir, segmentName(3)))
		_, err2 := os.Stat(filepath.Join(dir, seriesDir, segmentName(3)))
		_, err3 := os.Stat(filepath.Join(dir, messagesDir, segmentName(3)))
		return err1 == nil && err2 == nil && err3 == nil
	})
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := child.Wait(); err == nil {
		t.Fatal("the child ended by itself")
	}

	r := mustOpen(t, dir)
	if !r.Killed() {
		t.Error("a killed run is not told to be one")
	}
	got := readSamples(t, r)
	for k, s := range got {
		if s != call(0, k[1]) {
			t.Fatalf("read %+v", s)
		}
	}
	// Nothing is missing but at the end, where the last batches were not yet
	// handed on.
	if len(got) == 0 {
		t.Fatal("nothing was read")
	}
	for i := range uint64(max(0, len(got)-maxBatches*batchRows)) {
		if _, ok := got[[2]uint64{0, i}]; !ok {
			t.Fatalf("%d calls were read, but not call %d", len(got), i)
		}
	}
	// Events do not wait for a segment to be closed; those that came while one was
	// may be lost with it.
	if last := r.Events[len(r.Events)-1]; last.At < call(0, uint64(len(got))).Intended/2 {
		t.Errorf("events end at %v, samples at call %d", last.At, len(got))
	}
	sum := mustSum(t, r)
	if sum.Loads[0].Whole.Calls != int64(len(got)) || sum.Outside != 0 {
		t.Errorf("the summary has %+v, %d outside", sum.Loads[0].Whole.Counts, sum.Outside)
	}
	if n := sum.Loads[0].Whole.Messages.Count; n == 0 {
		t.Error("no message was read")
	}
	if p, ok := r.Phase("steady"); !ok || p.Complete || p.End <= 0 {
		t.Errorf("the open phase is %+v", p)
	}
	if s, err := r.Series("", point(0, 0).Name); err != nil || len(s) != 1 || s[0].Len() == 0 {
		t.Errorf("series %+v, %v", s, err)
	}
	if lines, err := r.Verify(); err != nil || len(lines) != 1 {
		t.Errorf("a run without hashes verified: %q, %v", lines, err)
	}
}

func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

func TestTornLastEventIsToleratedAndTold(t *testing.T) {
	dir := finishedRun(t)
	path := filepath.Join(dir, eventsFile)
	before := mustOpen(t, dir)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append(text, `{"at_ns":5,"ki`...), 0o644); err != nil {
		t.Fatal(err)
	}
	r := mustOpen(t, dir)
	if len(r.Events) != len(before.Events) {
		t.Errorf("%d events, %d before the torn line", len(r.Events), len(before.Events))
	}
	if w := r.Warnings(); len(w) != 1 || !strings.Contains(w[0], "torn") {
		t.Errorf("warnings %q", w)
	}
	if w := before.Warnings(); len(w) != 0 {
		t.Errorf("warnings of a sound run: %q", w)
	}
}

// finishedRun is a small sound run of three segments.
func finishedRun(t testing.TB) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	w := mustCreate(t, dir, testMeta("a"), openOnDisk)
	w.Event(Event{Kind: PhaseStart, Phase: "steady"})
	for i := range 300 {
		w.Sample(call(0, uint64(i)))
		w.Point(point(i%3, i/3))
		w.Message(message(0, uint64(i/10), uint64(i%10)))
	}
	w.Event(Event{At: time.Second, Kind: PhaseEnd, Phase: "steady"})
	if err := w.Close(Completed, nil); err != nil {
		t.Fatal(err)
	}
	// Segments of a second run, to have more than one.
	for n := 2; n <= 3; n++ {
		s := newSegments(filepath.Join(dir, samplesDir), "samples", realDisk(), newAside(func() bool { return true }), &sampleForm{loads: []string{"a"}})
		s.number = n
		rows := make([]Sample, 0, 300)
		for i := range 300 {
			rows = append(rows, call(0, uint64((n-1)*300+i)))
		}
		if err := s.add(rows); err != nil {
			t.Fatal(err)
		}
		if err := s.close(); err != nil {
			t.Fatal(err)
		}
	}
	rehash(t, w)
	return dir
}

// rehash writes run.json again with the hashes of the files as they are.
func rehash(t testing.TB, w *Writer) {
	t.Helper()
	var err error
	if w.meta.Files, err = hashFiles(w.dir); err != nil {
		t.Fatal(err)
	}
	if err := w.writeMeta(); err != nil {
		t.Fatal(err)
	}
}

func TestEventsAreReadWhileTheRunGoesOn(t *testing.T) {
	dir := t.TempDir()
	w := mustCreate(t, dir, testMeta("a"), openOnDisk)
	w.Event(Event{Kind: Note, Text: "now"})
	waitFor(t, "the event", func() bool {
		f, err := os.Open(filepath.Join(dir, eventsFile))
		if err != nil {
			return false
		}
		defer func() { _ = f.Close() }()
		return bufio.NewScanner(f).Scan()
	})
	if err := w.Update(func(m *Meta) { m.Targets = []TargetMeta{{Name: "users"}} }); err != nil {
		t.Fatal(err)
	}
	r := mustOpen(t, dir)
	if !r.Killed() || len(r.Events) != 1 || len(r.Meta.Targets) != 1 {
		t.Errorf("a run under way is read as %+v with %d events", r.Meta, len(r.Events))
	}
}

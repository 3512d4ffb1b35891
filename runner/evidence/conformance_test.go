package evidence

import (
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"sync"
	"testing"
	"time"
)

// call makes a sample from its number, so that a test can tell what must be
// read back.
func call(load int, seq uint64) Sample {
	at := time.Duration(seq) * time.Millisecond
	s := Sample{
		Load: load, Seq: seq,
		Intended: at, Sent: at + time.Duration(seq%97)*time.Microsecond, Done: at + time.Duration(1+seq*7919%5000)*time.Microsecond*2,
		Class: Class(seq % uint64(NumClasses)), Code: int(200 + seq%300), Bytes: int64(seq * seq % 100_000),
	}
	if seq%3 == 0 {
		s.Backend = fmt.Sprintf("127.0.0.1:%d", 4000+seq%5)
	}
	if seq%11 == 0 {
		s.Mark = "fallback \"ü\""
	}
	return s
}

// message makes a message from its numbers.
func message(load int, call, n uint64) Message {
	at := time.Duration(call)*time.Millisecond + time.Duration(n)*10*time.Microsecond
	sent := at + time.Duration(n%13)*time.Microsecond
	return Message{Load: load, Call: call, N: n, Intended: at, Sent: sent, Done: sent + time.Duration(1+(call*31+n)*7919%5000)*time.Microsecond, Class: Class((call + n) % uint64(NumClasses))}
}

func point(series int, n int) Point {
	return Point{
		At: time.Duration(n) * 250 * time.Millisecond, Target: fmt.Sprintf("users/%d", series%2), Name: fmt.Sprintf("metric_%d", series),
		Labels: fmt.Sprintf("code=\"%d\",path=\"/a,b\"", series), Value: float64(n) * 1.5,
	}
}

func testMeta(loads ...string) Meta {
	m := Meta{Scenario: "test", Base: time.Now(), Phases: []PhaseMeta{{Name: "steady", For: time.Hour}}}
	for _, l := range loads {
		m.Loads = append(m.Loads, LoadMeta{Name: l, Engine: "http"})
	}
	return m
}

func mustCreate(t testing.TB, dir string, meta Meta, open openFile) *Writer {
	t.Helper()
	d := realDisk()
	d.open = open
	w, err := create(dir, meta, []byte("ordeal: v1\n"), d)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close(Interrupted, nil) })
	return w
}

func mustOpen(t testing.TB, dir string) *Run {
	t.Helper()
	r, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// readSamples gives every sample by load and seq, and fails on one that is
// there twice.
func readSamples(t testing.TB, r *Run) map[[2]uint64]Sample {
	t.Helper()
	got := make(map[[2]uint64]Sample)
	for s, err := range r.Samples() {
		if err != nil {
			t.Fatal(err)
		}
		k := [2]uint64{uint64(s.Load), s.Seq}
		if _, twice := got[k]; twice {
			t.Fatalf("load %d, call %d was written twice", s.Load, s.Seq)
		}
		got[k] = s
	}
	return got
}

func TestWhatIsWrittenIsReadOnceAndWhole(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	w := mustCreate(t, dir, testMeta("a", "b", "c"), openOnDisk)
	const writers, each = 16, 5000
	var wg sync.WaitGroup
	for g := range writers {
		wg.Go(func() {
			for i := range each {
				w.Sample(call(g%3, uint64(g*each+i)))
				if i%100 == 0 {
					for n := range uint64(i / 100) {
						w.Message(message(g%3, uint64(g*each+i), n))
					}
					w.Event(Event{At: time.Duration(g*each + i), Kind: Note, Text: fmt.Sprint(g, i), Touched: &Touched{Bytes: int64(i)}})
					w.Point(point(g, i))
				}
			}
		})
	}
	wg.Wait()
	if err := w.Close(Completed, nil); err != nil {
		t.Fatal(err)
	}

	r := mustOpen(t, dir)
	got := readSamples(t, r)
	if len(got) != writers*each {
		t.Fatalf("%d samples read, %d written", len(got), writers*each)
	}
	for g := range writers {
		for i := range each {
			want := call(g%3, uint64(g*each+i))
			if s := got[[2]uint64{uint64(want.Load), want.Seq}]; s != want {
				t.Fatalf("read %+v\nwrote %+v", s, want)
			}
		}
	}
	if len(r.Events) != writers*each/100 || r.Events[1].Touched == nil {
		t.Errorf("%d events read, %d written", len(r.Events), writers*each/100)
	}
	messages := make(map[Message]int)
	for m, err := range r.Messages() {
		if err != nil {
			t.Fatal(err)
		}
		messages[m]++
	}
	if want := writers * (each / 100) * (each/100 - 1) / 2; len(messages) != want {
		t.Errorf("%d distinct messages read, %d written", len(messages), want)
	}
	for g := range writers {
		for i := 0; i < each; i += 100 {
			for n := range uint64(i / 100) {
				if want := message(g%3, uint64(g*each+i), n); messages[want] != 1 {
					t.Fatalf("message %+v was read %d times", want, messages[want])
				}
			}
		}
	}
	points := make(map[Point]int)
	for p, err := range r.Points() {
		if err != nil {
			t.Fatal(err)
		}
		points[p]++
	}
	if len(points) != writers*each/100 || points[point(3, 700)] != 1 {
		t.Errorf("%d distinct points read, %d written", len(points), writers*each/100)
	}
	if r.Killed() || len(r.Warnings()) != 0 || len(r.Meta.Lost) != 0 || r.Meta.Outcome != Completed {
		t.Errorf("a sound run is told to be otherwise: %q, %v, %v", r.Warnings(), r.Meta.Lost, r.Meta.Outcome)
	}
	if text, err := r.Scenario(); err != nil || string(text) != "ordeal: v1\n" {
		t.Errorf("scenario read as %q, %v", text, err)
	}
}

func TestExtremeValuesSurvive(t *testing.T) {
	dir := t.TempDir()
	w := mustCreate(t, dir, testMeta("a"), openOnDisk)
	want := []Sample{
		{Load: -1, Seq: 1<<64 - 1, Intended: -1 << 63, Sent: 1<<63 - 1, Done: 1<<63 - 1, Class: Other, Code: -1 << 40, Bytes: 1<<63 - 1, Backend: "\x00\xff", Mark: "a\nb"},
		{Load: 1 << 40, Class: classes + 3},
	}
	for _, s := range want {
		w.Sample(s)
	}
	want[1].Class = Other // an unknown class is kept as one
	if err := w.Close(Completed, nil); err != nil {
		t.Fatal(err)
	}
	var got []Sample
	for s, err := range mustOpen(t, dir).Samples() {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, s)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("read  %+v\nwrote %+v", got, want)
	}
}

func TestManyDistinctBackendsOutgrowTheDictionary(t *testing.T) {
	dir := t.TempDir()
	w := mustCreate(t, dir, testMeta("a"), openOnDisk)
	long := make([]byte, 300)
	const n = 20_000
	for i := range n {
		s := call(0, uint64(i))
		s.Backend = fmt.Sprintf("%d%s", i, long)
		w.Sample(s)
	}
	if err := w.Close(Completed, nil); err != nil {
		t.Fatal(err)
	}
	got := readSamples(t, mustOpen(t, dir))
	for i := range n {
		if s := got[[2]uint64{0, uint64(i)}]; s.Backend != fmt.Sprintf("%d%s", i, long) {
			t.Fatalf("call %d has backend %.20q", i, s.Backend)
		}
	}
}

func TestAfterCloseNothingHangsAndAllIsCounted(t *testing.T) {
	dir := t.TempDir()
	w := mustCreate(t, dir, testMeta("a"), openOnDisk)
	var wg sync.WaitGroup
	var sent [4]uint64
	stop := make(chan struct{})
	for g := range sent {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					w.Sample(call(0, sent[g]*4+uint64(g)))
					sent[g]++
				}
			}
		})
	}
	for w.samples.made.Load() < 5 {
		time.Sleep(time.Millisecond)
	}
	cause := errors.New("interrupted by the user")
	if err := w.Close(Interrupted, cause); err != nil {
		t.Fatal(err)
	}
	close(stop)
	wg.Wait()
	w.Event(Event{Kind: Note})
	w.Point(Point{})
	w.Message(Message{})
	if n := w.messages.late.Load(); n != 1 {
		t.Errorf("%d messages late, want 1", n)
	}
	var all uint64
	for _, n := range sent {
		all += n
	}
	r := mustOpen(t, dir)
	if kept, late := len(readSamples(t, r)), w.samples.late.Load(); uint64(kept)+uint64(late) != all {
		t.Errorf("%d kept and %d late, of %d", kept, late, all)
	}
	if r.Meta.Outcome != Interrupted || r.Meta.Error != cause.Error() {
		t.Errorf("outcome %q, error %q", r.Meta.Outcome, r.Meta.Error)
	}
	if err := w.Update(func(*Meta) {}); err == nil {
		t.Error("a closed run was updated")
	}
	if err := w.Close(Completed, nil); err != nil {
		t.Error(err)
	}
	if again := mustOpen(t, dir); !reflect.DeepEqual(again.Meta, r.Meta) {
		t.Errorf("closing again changed %+v to %+v", r.Meta, again.Meta)
	}
}

func TestClosingTwiceAtOnceWaitsForTheEnd(t *testing.T) {
	dir := t.TempDir()
	w := mustCreate(t, dir, testMeta("a"), openOnDisk)
	w.Sample(call(0, 1))
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if err := w.Close(Completed, nil); err != nil {
				t.Error(err)
			}
			if r, err := Open(dir); err != nil || r.Killed() || len(r.Meta.Files) == 0 {
				t.Errorf("closed, but read as %+v, %v", r, err)
			}
		})
	}
	wg.Wait()
}

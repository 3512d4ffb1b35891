package evidence

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestMessagesAreSummedUpByWhenTheyWereDue(t *testing.T) {
	meta := testMeta("streams", "calls")
	meta.Phases = []PhaseMeta{
		{Name: "warmup", For: time.Second, Warmup: true},
		{Name: "steady", Start: time.Second, For: time.Second},
		{Name: "outage", Start: 2 * time.Second, For: time.Second},
	}
	dir := t.TempDir()
	w := mustCreate(t, dir, meta, openOnDisk)
	for _, p := range meta.Phases {
		w.Event(Event{At: p.Start, Kind: PhaseStart, Phase: p.Name})
		w.Event(Event{At: p.Start + p.For, Kind: PhaseEnd, Phase: p.Name})
	}
	// One call that begins in warmup and has a message each 10 ms for 3 s; those
	// of the outage are sent 5 ms late and take 20 ms, the others 2 ms.
	for n := range uint64(300) {
		due := time.Duration(n) * 10 * time.Millisecond
		m := Message{Call: 7, N: n, Intended: due, Sent: due, Done: due + 2*time.Millisecond}
		if due >= 2*time.Second {
			m.Sent, m.Done = due+5*time.Millisecond, due+25*time.Millisecond
			if n%10 == 0 {
				m.Class = Timeout
			}
		}
		w.Message(m)
	}
	w.Message(Message{Load: 2, Intended: time.Second})  // of no load
	w.Message(Message{Load: 0, Intended: -time.Second}) // before the timeline
	if err := w.Close(Completed, nil); err != nil {
		t.Fatal(err)
	}
	r := mustOpen(t, dir)
	sum := mustSum(t, r)
	l := sum.Load("streams")
	near := func(what string, got, want time.Duration) {
		t.Helper()
		if d := got - want; d < -want/500 || d > want/500 {
			t.Errorf("%s is %v, want %v", what, got, want)
		}
	}
	for name, want := range map[string][4]time.Duration{ // count, response, service, lag
		"warmup": {100, 2 * time.Millisecond, 2 * time.Millisecond, 0},
		"steady": {100, 2 * time.Millisecond, 2 * time.Millisecond, 0},
		"outage": {100, 25 * time.Millisecond, 20 * time.Millisecond, 5 * time.Millisecond},
	} {
		m := l.Phases[name].Messages
		if m.Count != int64(want[0]) || m.Response.Count() != m.Count || l.Phases[name].Calls != 0 {
			t.Errorf("%s has %d messages, %d response times, %d calls", name, m.Count, m.Response.Count(), l.Phases[name].Calls)
		}
		for i, d := range []*Distribution{m.Response, m.Service, m.Lag} {
			p50, enough := d.Percentile(50)
			near(name, p50, want[i+1])
			if !enough || d.Max() != want[i+1] {
				t.Errorf("%s: max %v, enough %v", name, d.Max(), enough)
			}
		}
	}
	if m := l.Whole.Messages; m.Count != 200 || m.Unanswered != 10 || m.Response.Max() != 25*time.Millisecond {
		t.Errorf("beside warmup there are %d messages, max %v", m.Count, m.Response.Max())
	}
	if m := l.Over("warmup", "outage").Messages; m.Count != 200 || m.Unanswered != 10 || l.Phases["steady"].Messages.Unanswered != 0 || m.Response.Count() != 200 {
		t.Errorf("warmup and outage have %d messages", m.Count)
	}
	none := sum.Load("calls").Whole.Messages
	if _, enough := none.Lag.Percentile(50); none.Count != 0 || none.Response != nil || enough {
		t.Errorf("a load without messages has %+v", none)
	}
	if sum.Outside != 2 {
		t.Errorf("%d outside, want 2", sum.Outside)
	}
}

func TestRunWithoutMessagesHasNoDirectoryOfThem(t *testing.T) {
	dir := t.TempDir()
	w := mustCreate(t, dir, testMeta("a"), openOnDisk)
	w.Sample(call(0, 0))
	if err := w.Close(Completed, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, messagesDir)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("there is one: %v", err)
	}
	r := mustOpen(t, dir)
	for range r.Messages() {
		t.Error("a message")
	}
	if mustSum(t, r); len(r.Warnings()) != 0 {
		t.Errorf("warnings %q", r.Warnings())
	}
}

func TestDamagedMessagesAreAWarning(t *testing.T) {
	dir := finishedRun(t)
	path := filepath.Join(dir, messagesDir, segmentName(1))
	if n := mustSum(t, mustOpen(t, dir)).Loads[0].Whole.Messages.Count; n != 300 {
		t.Fatalf("the sound run has %d messages", n)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, damaged := range map[string][]byte{"torn": text[:len(text)/2], "a page": append(append(text[:4:4], strings.Repeat("\xa5", 200)...), text[204:]...)} {
		overwrite(t, path, damaged)
		r := mustOpen(t, dir)
		sum := mustSum(t, r)
		if n := sum.Loads[0].Whole.Messages.Count; n != 0 || sum.Loads[0].Whole.Calls != 900 {
			t.Errorf("%s: %d messages, %d calls", name, n, sum.Loads[0].Whole.Calls)
		}
		if w := strings.Join(r.Warnings(), "\n"); !strings.Contains(w, "messages/000001.parquet") {
			t.Errorf("%s: warnings %q", name, w)
		}
	}
}

func TestMessagesLostToAFullDiskAreCounted(t *testing.T) {
	dir := t.TempDir()
	disk := &fullDisk{dir: messagesDir}
	w := mustCreate(t, dir, testMeta("a"), disk.open)
	for i := range uint64(1000) {
		w.Message(message(0, i, 0))
	}
	if err := w.Close(Completed, nil); !errors.Is(err, errFull) {
		t.Errorf("Close gives %v", err)
	}
	if r := mustOpen(t, dir); r.Meta.Lost["messages"] != 1000 || r.Meta.Outcome != Failed {
		t.Errorf("lost %v, outcome %q", r.Meta.Lost, r.Meta.Outcome)
	}
}

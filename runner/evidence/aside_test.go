package evidence

import (
	"path/filepath"
	"testing"
	"time"
)

// TestWritingStepsAside: the work on a group is done in many pieces, unless there
// is a hurry.
func TestWritingStepsAside(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		piece   time.Duration
		hurried bool
		least   int
		most    int
	}{
		// One for each batch, and some between the columns and in sorting.
		"after each piece": {0, false, groupRows/batchRows + 10, 1 << 20},
		"in a hurry":       {0, true, 0, 0},
		"no piece is over": {time.Hour, false, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pauses := 0
			a := newAside(func() bool { return c.hurried })
			a.piece, a.pause = c.piece, func(time.Duration) { pauses++ }
			s := newSegments(filepath.Join(t.TempDir(), samplesDir), "samples", realDisk(), a, &sampleForm{loads: []string{"a"}})
			batch := make([]Sample, batchRows)
			for n := 0; n < groupRows; n += batchRows {
				for i := range batch {
					batch[i] = Sample{Seq: uint64(n + i), Class: OK, Done: time.Duration(n+i) * time.Microsecond}
				}
				if err := s.add(batch); err != nil {
					t.Fatal(err)
				}
			}
			if err := s.close(); err != nil {
				t.Fatal(err)
			}
			if pauses < c.least || pauses > c.most {
				t.Errorf("%d pauses, want %d to %d", pauses, c.least, c.most)
			}
		})
	}
}

// TestWriterHurries: where callers may have to wait soon, and at the end.
func TestWriterHurries(t *testing.T) {
	t.Parallel()
	w := &Writer{samples: newIntake[Sample](1), messages: newIntake[Message](1), points: newIntake[Point](1), closing: make(chan struct{})}
	if w.hurried() {
		t.Error("with nothing to do")
	}
	for range maxBatches/4 + 1 {
		w.messages.full <- &batch[Message]{}
	}
	if !w.hurried() {
		t.Errorf("not with %d batches to write", len(w.messages.full))
	}
	<-w.messages.full
	if w.hurried() {
		t.Errorf("with %d batches to write", len(w.messages.full))
	}
	close(w.closing)
	if !w.hurried() {
		t.Error("not at the end")
	}
}

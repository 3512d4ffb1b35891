package evidence

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"
)

const (
	// A segment is closed when it is so old (the writer looks so often), or so
	// long: a kill costs what is in the open one.
	segmentAge  = 3 * time.Second
	lookEvery   = time.Second
	segmentRows = 1 << 18
	// groupRows rows are sorted and written at a time.
	groupRows = 1 << 14

	partial  = ".partial" // ends the name of a segment that is not finished
	lastMark = "ordeal.last_ns"
)

// disk is where evidence is put, and how long it may be held back from it;
// tests use one that fails, or that is impatient.
type disk struct {
	open      openFile
	age, look time.Duration
}

func realDisk() disk { return disk{open: openOnDisk, age: segmentAge, look: lookEvery} }

type openFile func(path string) (io.WriteCloser, error)

func openOnDisk(path string) (io.WriteCloser, error) {
	return os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o644)
}

// segments writes rows into one numbered Parquet file after another. One
// goroutine uses it.
type segments[T, H, R any, P held[H]] struct {
	dir, kind string // where, and what rows are called in errors
	open      openFile
	age       time.Duration
	form      form[T, H, R]
	aside     *aside
	number    int
	pending   []H // not yet handed to Parquet
	order     order
	sorted    [batchRows]R
	out       *parquet.GenericWriter[R]
	file      io.WriteCloser // nil where no segment is open
	opened    time.Time
	rows      int64 // in the open segment, beside pending
	last      time.Duration
	lost      int64
}

func newSegments[T, H, R any, P held[H]](dir, kind string, d disk, a *aside, f form[T, H, R]) *segments[T, H, R, P] {
	return &segments[T, H, R, P]{dir: dir, kind: kind, open: d.open, age: d.age, aside: a, order: order{step: a.step}, form: f, number: 1}
}

func (s *segments[T, H, R, P]) path() string {
	return filepath.Join(s.dir, segmentName(s.number))
}

// add takes rows. An error says that the rows of the open segment are lost,
// which has then been counted.
func (s *segments[T, H, R, P]) add(rows []T) error {
	if len(s.pending) == 0 && s.file == nil {
		s.opened = time.Now()
	}
	for i := range rows {
		s.pending = append(s.pending, s.form.hold(&rows[i]))
	}
	if len(s.pending) < groupRows {
		return nil
	}
	if err := s.group(); err != nil {
		return s.abandon(err)
	}
	if s.rows >= segmentRows {
		return s.close()
	}
	return nil
}

// closeOld closes the open segment if it is old enough.
func (s *segments[T, H, R, P]) closeOld(now time.Time) error {
	if (len(s.pending) == 0 && s.file == nil) || now.Sub(s.opened) < s.age {
		return nil
	}
	return s.close()
}

// close finishes the open segment: what has its last name is whole.
func (s *segments[T, H, R, P]) close() error {
	if err := s.group(); err != nil {
		return s.abandon(err)
	}
	if s.file == nil {
		return nil
	}
	s.out.SetKeyValueMetadata(lastMark, strconv.FormatInt(int64(s.last), 10))
	if err := s.out.Close(); err != nil {
		return s.abandon(err)
	}
	err := s.file.Close()
	s.file = nil
	if err == nil {
		err = os.Rename(s.path()+partial, s.path())
	}
	if err != nil {
		return s.abandon(err)
	}
	s.number++
	s.rows, s.last = 0, 0
	return nil
}

// group writes the pending rows as a row group.
func (s *segments[T, H, R, P]) group() error {
	if len(s.pending) == 0 {
		return nil
	}
	if s.file == nil {
		// That of messages is made with the first of them.
		if err := os.Mkdir(s.dir, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
			return err
		}
		f, err := s.open(s.path() + partial)
		if err != nil {
			return err
		}
		s.file = f
		if s.out == nil {
			s.out = newParquetWriter[R](f, s.aside)
		} else {
			s.out.Reset(f)
		}
	}
	s.aside.begin()
	for places := s.sort(); len(places) > 0; {
		s.aside.step()
		n := min(len(places), batchRows)
		for i, k := range places[:n] {
			h := &s.pending[k]
			s.sorted[i] = s.form.row(h)
			s.last = max(s.last, P(h).end())
		}
		if _, err := s.out.Write(s.sorted[:n]); err != nil {
			return err
		}
		places = places[n:]
	}
	if err := s.out.Flush(); err != nil {
		return err
	}
	s.rows += int64(len(s.pending))
	s.drop()
	return nil
}

// sort gives the places of the pending rows in their order.
func (s *segments[T, H, R, P]) sort() []int32 {
	key := func(i int) (major, minor uint64) {
		major, minor, _ = P(&s.pending[i]).keys()
		return major, minor
	}
	if _, _, ok := P(&s.pending[0]).keys(); !ok {
		key = nil
	}
	return s.order.of(len(s.pending), key, func(a, b int) int { return P(&s.pending[a]).compare(&s.pending[b]) })
}

// abandon gives the open segment up after an error. The next rows open a new
// one: the disk may have room again.
func (s *segments[T, H, R, P]) abandon(cause error) error {
	s.lost += s.rows + int64(len(s.pending))
	s.drop()
	s.rows, s.last = 0, 0
	s.out = nil // its state after an error is not known
	if s.file != nil {
		cause = errors.Join(cause, s.file.Close())
		s.file = nil
	}
	// Best effort: what stays is recognised by its name.
	_ = os.Remove(s.path() + partial)
	return fmt.Errorf("writing %s to %s: %w", s.kind, s.path(), cause)
}

func (s *segments[T, H, R, P]) drop() {
	clear(s.pending)
	clear(s.sorted[:])
	s.pending = s.pending[:0]
	s.form.forget()
}

func newParquetWriter[R any](w io.Writer, a *aside) *parquet.GenericWriter[R] {
	return parquet.NewGenericWriter[R](w,
		parquet.Compression(steppingCodec{&zstd.Codec{Level: zstd.SpeedFastest, Concurrency: 1}, a}),
		parquet.CreatedBy("ordeal", "1", ""),
	)
}

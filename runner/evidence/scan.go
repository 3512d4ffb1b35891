package evidence

import (
	"errors"
	"fmt"
	"iter"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/parquet-go/parquet-go"
)

// Bounds on what is decoded ahead of the reader, so that its memory does not
// grow with the run, nor with what a segment claims to hold.
const (
	chunkRows   = 2048 // rows decoded at a time
	aheadChunks = groupRows / chunkRows
	mostReaders = 8
)

// stretch is a stretch of time, both ends included.
type stretch struct{ from, to time.Duration }

func (s stretch) meets(o stretch) bool { return s.from <= o.to && o.from <= s.to }

// batches streams rows some at a time, in the order of the segments and of the
// rows in them; they are only valid until the next. Row groups are decoded by
// several goroutines at once. Those that lie outside of the stretch as a whole
// are left out; nil is all of them. An error speaks of one segment, whose
// remaining rows are left out.
func batches[T any](from []segment, only *stretch, fresh func() decoder[T]) iter.Seq2[[]T, error] {
	return func(yield func([]T, error) bool) {
		s := newScan(from, only, fresh)
		defer s.stop()
		for t := s.first(); t != nil; t = s.next() {
			for c := range t.out {
				if t.in.failed {
					continue
				}
				if c.err != nil {
					t.in.failed = true
					c.err = fmt.Errorf("reading %s: %w", t.in.name, c.err)
				}
				if !yield(c.rows, c.err) {
					return
				}
				s.recycle(c.rows)
			}
		}
	}
}

// scan decodes row groups ahead of the one that is taken from it.
type scan[T any] struct {
	fresh   func() decoder[T]
	tasks   []task[T]
	given   int // tasks that were given to the goroutines
	taken   int
	work    chan *task[T]
	spare   chan []T
	quit    chan struct{}
	readers int
	wg      sync.WaitGroup
}

// task is one row group to decode.
type task[T any] struct {
	in    *opened
	group int
	out   chan chunk[T]
}

type chunk[T any] struct {
	rows []T
	err  error
}

func newScan[T any](from []segment, only *stretch, fresh func() decoder[T]) *scan[T] {
	s := &scan[T]{fresh: fresh, quit: make(chan struct{})}
	for i := range from {
		o := &opened{segment: &from[i]}
		for g, span := range from[i].groups {
			if only == nil || span.meets(*only) {
				s.tasks = append(s.tasks, task[T]{in: o, group: g})
				o.left.Add(1)
			}
		}
	}
	s.readers = min(runtime.GOMAXPROCS(0), mostReaders, len(s.tasks))
	s.work = make(chan *task[T], 2*s.readers)
	s.spare = make(chan []T, 2*s.readers*aheadChunks)
	return s
}

// first starts the goroutines and gives the first task.
func (s *scan[T]) first() *task[T] {
	for range s.readers {
		s.wg.Go(func() {
			d := s.fresh()
			for t := range s.work {
				s.decode(t, d)
			}
		})
	}
	for range cap(s.work) {
		s.give()
	}
	return s.next()
}

// give lets one task more be decoded. It does not block: no more are given than
// work has room for.
func (s *scan[T]) give() {
	if s.given < len(s.tasks) {
		t := &s.tasks[s.given]
		t.out = make(chan chunk[T], aheadChunks)
		s.given++
		s.work <- t
	}
}

func (s *scan[T]) next() *task[T] {
	if s.taken == len(s.tasks) {
		return nil
	}
	if s.taken > 0 {
		s.give()
	}
	s.taken++
	return &s.tasks[s.taken-1]
}

// stop ends the goroutines and waits for them.
func (s *scan[T]) stop() {
	close(s.quit)
	close(s.work)
	s.wg.Wait()
	for i := range s.tasks {
		s.tasks[i].in.close()
	}
}

var errStopped = errors.New("no more rows are wanted")

// decode reads one row group.
func (s *scan[T]) decode(t *task[T], d decoder[T]) {
	defer close(t.out)
	defer t.in.done()
	select {
	case <-s.quit:
		return
	default:
	}
	send := func(c chunk[T]) error {
		select {
		case t.out <- c:
			return nil
		case <-s.quit:
			return errStopped
		}
	}
	err := t.in.open(d.columns())
	if err == nil && t.group >= len(t.in.file.RowGroups()) {
		err = errors.New("it was changed while it was read")
	}
	if err == nil {
		err = scanGroup(t.in.file.RowGroups()[t.group], t.in.places, d, s.room, func(rows []T) error {
			return send(chunk[T]{rows: rows})
		})
	}
	if err != nil && !errors.Is(err, errStopped) {
		_ = send(chunk[T]{err: err}) // fails only where nobody wants to know
	}
}

// room is memory for a chunk of rows.
func (s *scan[T]) room() []T {
	select {
	case rows := <-s.spare:
		return rows[:chunkRows]
	default:
		return make([]T, chunkRows)
	}
}

func (s *scan[T]) recycle(rows []T) {
	if cap(rows) < chunkRows {
		return
	}
	select {
	case s.spare <- rows:
	default:
	}
}

// opened is a segment that is read by several goroutines.
type opened struct {
	*segment
	left   atomic.Int64 // row groups that are not yet read
	failed bool         // for the reader of the rows

	once   sync.Once
	err    error
	disk   *os.File
	file   *parquet.File
	places []int
}

// open opens the file for the first who asks.
func (o *opened) open(columns []column) error {
	o.once.Do(func() {
		var size int64
		if o.disk, size, o.err = openRegular(o.path); o.err == nil {
			o.file, o.places, o.err = openParquet(o.disk, size, columns)
		}
	})
	return o.err
}

// done closes the file with its last row group.
func (o *opened) done() {
	if o.left.Add(-1) == 0 {
		o.close()
	}
}

// close may be called again, but by nobody else at the same time.
func (o *opened) close() {
	if o.disk != nil {
		_ = o.disk.Close() // read only
		o.disk = nil
	}
}

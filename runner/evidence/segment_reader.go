package evidence

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"time"

	"github.com/parquet-go/parquet-go"
)

// segment is one finished Parquet file of a run.
type segment struct {
	path string        // in the file system
	name string        // in messages: "samples/000001.parquet"
	last time.Duration // the latest time in it

	groups []stretch // from the first to the last time of each row group's rows
}

// column is one column that a kind of segment must have.
type column struct {
	name  string
	kind  parquet.Kind
	times int // begins, ends or both where it holds times, else 0
}

// What the times of a column are to their rows.
const (
	begins = 1 << iota // the first time that a row speaks of
	ends               // the last
)

var (
	sampleColumns = []column{
		{"load", parquet.Int64, 0}, {"seq", parquet.Int64, 0}, {"intended_ns", parquet.Int64, begins}, {"sent_ns", parquet.Int64, 0},
		{"done_ns", parquet.Int64, ends}, {"code", parquet.Int64, 0}, {"bytes", parquet.Int64, 0},
		{"class", parquet.ByteArray, 0}, {"backend", parquet.ByteArray, 0}, {"mark", parquet.ByteArray, 0},
	}
	messageColumns = []column{
		{"load", parquet.Int64, 0}, {"call", parquet.Int64, 0}, {"n", parquet.Int64, 0},
		{"intended_ns", parquet.Int64, begins}, {"sent_ns", parquet.Int64, 0}, {"done_ns", parquet.Int64, ends},
		{"class", parquet.ByteArray, 0},
	}
	pointColumns = []column{
		{"at_ns", parquet.Int64, begins | ends},
		{"target", parquet.ByteArray, 0}, {"name", parquet.ByteArray, 0}, {"labels", parquet.ByteArray, 0},
		{"value", parquet.Double, 0},
	}
)

// guarded turns a panic of the Parquet library, which some damaged files cause,
// into an error.
func guarded(do func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("damaged Parquet file: %v", p)
		}
	}()
	return do()
}

// openParquet opens a file and checks that it has the columns asked for; at
// gives their places.
func openParquet(r io.ReaderAt, size int64, columns []column) (f *parquet.File, at []int, err error) {
	err = guarded(func() error {
		if err := checkFooter(r, size); err != nil {
			return err
		}
		if f, err = parquet.OpenFile(r, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true)); err != nil {
			return err
		}
		at, err = places(f, columns)
		return err
	})
	return f, at, err
}

// checkFooter keeps the library from making room for a footer larger than the
// file.
func checkFooter(r io.ReaderAt, size int64) error {
	var tail [8]byte
	if size < int64(len(tail))+4 {
		return errors.New("too short for a Parquet file")
	}
	if _, err := r.ReadAt(tail[:], size-int64(len(tail))); err != nil {
		return err
	}
	if string(tail[4:]) != "PAR1" {
		return errors.New("no Parquet footer")
	}
	if n := int64(binary.LittleEndian.Uint32(tail[:4])); n > size-int64(len(tail))-4 {
		return fmt.Errorf("a footer of %d bytes in a file of %d", n, size)
	}
	return nil
}

func places(f *parquet.File, columns []column) ([]int, error) {
	at := make([]int, len(columns))
	for i, want := range columns {
		c := f.Root().Column(want.name)
		if c == nil || !c.Leaf() || !c.Required() || c.Type().Kind() != want.kind {
			return nil, fmt.Errorf("no column %q of type %v", want.name, want.kind)
		}
		at[i] = c.Index()
	}
	return at, checkRows(f, at)
}

// checkRows compares the counts of rows that a footer holds several times.
func checkRows(f *parquet.File, at []int) error {
	var rows int64
	for _, g := range f.RowGroups() {
		chunks := g.ColumnChunks()
		for _, i := range at {
			if i >= len(chunks) || chunks[i].NumValues() != g.NumRows() {
				return errors.New("a row group's columns are not of one length")
			}
		}
		rows += g.NumRows()
	}
	if rows != f.NumRows() {
		return fmt.Errorf("row groups of %d rows in a file of %d", rows, f.NumRows())
	}
	return nil
}

// probe reads what the footer of a segment says.
func (s *segment) probe(columns []column) error {
	f, size, err := openRegular(s.path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // read only
	p, at, err := openParquet(f, size, columns)
	if err != nil {
		return err
	}
	if s.groups, err = reaches(p, columns, at); err != nil {
		return err
	}
	if text, ok := p.Lookup(lastMark); ok {
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			s.last = time.Duration(n)
		}
	}
	return nil
}

// reaches gives the stretch of time of each row group.
func reaches(f *parquet.File, columns []column, at []int) (groups []stretch, err error) {
	err = guarded(func() error {
		for _, g := range f.RowGroups() {
			groups = append(groups, reach(g.ColumnChunks(), columns, at))
		}
		return nil
	})
	return groups, err
}

// reach is the stretch of time that a row group's statistics give; all of time
// where they are missing. The library panics where they are not of a column's kind.
func reach(chunks []parquet.ColumnChunk, columns []column, at []int) stretch {
	all := stretch{math.MinInt64, math.MaxInt64}
	first, last := false, false
	for i, c := range columns {
		f, ok := chunks[at[i]].(interface {
			Bounds() (least, most parquet.Value, ok bool)
		})
		if !ok || c.times == 0 {
			continue
		}
		least, most, ok := f.Bounds()
		if !ok {
			continue
		}
		if c.times&begins != 0 {
			all.from, first = time.Duration(least.Int64()), true
		}
		if c.times&ends != 0 {
			all.to, last = time.Duration(most.Int64()), true
		}
	}
	if !first || !last {
		return stretch{math.MinInt64, math.MaxInt64}
	}
	return all
}

// openRegular opens a file for reading if it is an ordinary one.
func openRegular(path string) (*os.File, int64, error) {
	if info, err := os.Lstat(path); err != nil {
		return nil, 0, err
	} else if !info.Mode().IsRegular() {
		return nil, 0, fmt.Errorf("%s is not an ordinary file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	return f, info.Size(), nil
}

// decoder reads the rows of one kind, some at a time. One goroutine uses it.
type decoder[T any] interface {
	columns() []column
	// wants reports whether a column is asked for in every row, by its place in columns.
	wants(column int) bool
	// decode takes len(rows) rows from cursors that stand on the columns in the
	// order of columns; those that are asked for each have that many ready. It fills
	// the first of rows with those that it keeps.
	decode(cursors []cursor, rows []T) (kept int, err error)
}

// scanGroup decodes a row group. room makes room for some rows, and each takes
// them; its error ends the scan.
func scanGroup[T any](g parquet.RowGroup, at []int, d decoder[T], room func() []T, each func([]T) error) (err error) {
	cursors := make([]cursor, len(at))
	defer func() {
		for i := range cursors {
			err = errors.Join(err, guarded(cursors[i].close))
		}
	}()
	if err := guarded(func() error {
		chunks := g.ColumnChunks()
		for i, c := range at {
			cursors[i].chunk = chunks[c]
		}
		return nil
	}); err != nil {
		return err
	}
	for left := g.NumRows(); left > 0; {
		rows, have := room(), 0
		for have < len(rows) && left > 0 {
			var n, kept int
			// Only the library's part is guarded: a panic of each is its caller's.
			if err := guarded(func() (err error) {
				n, kept, err = fill(cursors, d, rows[have:min(int64(len(rows)), int64(have)+left)])
				return err
			}); err != nil {
				return err
			}
			have += kept
			left -= int64(n)
		}
		if err := each(rows[:have]); err != nil {
			return err
		}
	}
	return nil
}

// fill decodes as many rows as all columns that are asked for have ready.
func fill[T any](cursors []cursor, d decoder[T], rows []T) (n, kept int, err error) {
	n = len(rows)
	for i := range cursors {
		if !d.wants(i) {
			continue
		}
		have, err := cursors[i].ready()
		if err != nil {
			return 0, 0, err
		}
		n = min(n, have)
	}
	kept, err = d.decode(cursors, rows[:n])
	return n, kept, err
}

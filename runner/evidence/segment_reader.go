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
	path string // in the file system
	name string // in messages: "samples/000001.parquet"
	rows int64
	last time.Duration // the latest time in it
}

// column is one column that a kind of segment must have.
type column struct {
	name string
	kind parquet.Kind
}

var (
	sampleColumns = []column{
		{"load", parquet.Int64}, {"seq", parquet.Int64}, {"intended_ns", parquet.Int64}, {"sent_ns", parquet.Int64},
		{"done_ns", parquet.Int64}, {"code", parquet.Int64}, {"bytes", parquet.Int64},
		{"class", parquet.ByteArray}, {"backend", parquet.ByteArray}, {"mark", parquet.ByteArray},
	}
	messageColumns = []column{
		{"load", parquet.Int64}, {"call", parquet.Int64}, {"n", parquet.Int64},
		{"intended_ns", parquet.Int64}, {"sent_ns", parquet.Int64}, {"done_ns", parquet.Int64},
	}
	pointColumns = []column{
		{"at_ns", parquet.Int64},
		{"target", parquet.ByteArray}, {"name", parquet.ByteArray}, {"labels", parquet.ByteArray},
		{"value", parquet.Double},
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
	p, _, err := openParquet(f, size, columns)
	if err != nil {
		return err
	}
	s.rows = p.NumRows()
	if text, ok := p.Lookup(lastMark); ok {
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			s.last = time.Duration(n)
		}
	}
	return nil
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

// decoder reads the rows of one kind, some at a time.
type decoder[T any] interface {
	columns() []column
	// decode fills rows from cursors that stand on the columns in the order of
	// columns, and each have that many rows ready.
	decode(cursors []cursor, rows []T) error
}

// scan gives the rows of a file in runs that are only valid until each
// returns; more is false once each has asked to stop.
func scan[T any](r io.ReaderAt, size int64, d decoder[T], buf []T, each func([]T) bool) (more bool, err error) {
	f, at, err := openParquet(r, size, d.columns())
	if err != nil {
		return true, err
	}
	for _, g := range f.RowGroups() {
		if more, err := scanGroup(g, at, d, buf, each); !more || err != nil {
			return more, err
		}
	}
	return true, nil
}

func scanGroup[T any](g parquet.RowGroup, at []int, d decoder[T], buf []T, each func([]T) bool) (more bool, err error) {
	cursors := make([]cursor, len(at))
	defer func() {
		for i := range cursors {
			err = errors.Join(err, guarded(cursors[i].close))
		}
	}()
	if err := guarded(func() error {
		chunks := g.ColumnChunks()
		for i, c := range at {
			cursors[i].pages = chunks[c].Pages()
		}
		return nil
	}); err != nil {
		return true, err
	}
	for left := g.NumRows(); left > 0; {
		var rows []T
		// Only the library's part is guarded: a panic of each is its caller's.
		if err := guarded(func() (err error) {
			rows, err = fill(cursors, d, buf[:min(int64(len(buf)), left)])
			return err
		}); err != nil {
			return true, err
		}
		if !each(rows) {
			return false, nil
		}
		left -= int64(len(rows))
	}
	return true, nil
}

// fill decodes as many rows as all columns have ready.
func fill[T any](cursors []cursor, d decoder[T], buf []T) ([]T, error) {
	n := math.MaxInt
	for i := range cursors {
		have, err := cursors[i].ready()
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return nil, err
		}
		n = min(n, have)
	}
	buf = buf[:min(n, len(buf))]
	return buf, d.decode(cursors, buf)
}

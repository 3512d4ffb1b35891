package evidence

import (
	"errors"
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go"
)

// cursor walks one column of one row group, a page at a time, and keeps dictionary
// values decoded so that a row costs no allocation.
type cursor struct {
	chunk  parquet.ColumnChunk
	pages  parquet.Pages // nil until the first row is asked for
	page   parquet.Page
	pos    int // rows of page used
	left   int // rows of page not used
	behind int // rows to pass over before the next

	dict    parquet.Dictionary // of page; nil where its values are plain
	ints    []int64            // values of dict
	strings []string           // values of dict
	values  []parquet.Value    // scratch for plain strings
	reader  parquet.ValueReader
}

// ready makes sure that there are rows to take and says how many.
func (c *cursor) ready() (int, error) {
	if c.pages == nil {
		c.pages = c.chunk.Pages()
	}
	for c.left == 0 {
		c.release()
		page, err := c.pages.ReadPage()
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return 0, err
		}
		c.page, c.pos, c.left = page, 0, int(page.NumValues())
		if page.NumNulls() != 0 || page.NumRows() != page.NumValues() {
			return 0, errors.New("a column has nulls or repeated values")
		}
		if d := page.Dictionary(); d != c.dict || d == nil {
			c.dict, c.ints, c.strings = d, c.ints[:0], c.strings[:0]
		}
		c.reader = nil
	}
	return c.left, nil
}

// upTo passes over the rows that it is behind and says how many of n rows there
// are to take.
func (c *cursor) upTo(n int) (int, error) {
	for {
		have, err := c.ready()
		if err != nil {
			return 0, err
		}
		if c.behind == 0 {
			return min(n, have), nil
		}
		passed := min(have, c.behind)
		c.advance(passed)
		c.behind -= passed
	}
}

func (c *cursor) release() {
	if c.page != nil {
		parquet.Release(c.page)
		c.page = nil
	}
}

func (c *cursor) close() error {
	c.release()
	if c.pages == nil {
		return nil
	}
	return c.pages.Close()
}

func (c *cursor) advance(n int) {
	c.pos += n
	c.left -= n
}

// int64s takes len(dst) rows of an integer column.
func (c *cursor) int64s(dst []int64) {
	data := c.page.Data()
	if c.dict == nil {
		copy(dst, data.Int64()[c.pos:c.pos+len(dst)])
	} else {
		if len(c.ints) == 0 {
			for i := range c.dict.Len() {
				c.ints = append(c.ints, c.dict.Index(int32(i)).Int64())
			}
		}
		for i, k := range data.Int32()[c.pos : c.pos+len(dst)] {
			dst[i] = c.ints[k]
		}
	}
	c.advance(len(dst))
}

// doubles takes len(dst) rows of a plain column of floating-point numbers.
func (c *cursor) doubles(dst []float64) {
	data := c.page.Data()
	copy(dst, data.Double()[c.pos:c.pos+len(dst)])
	c.advance(len(dst))
}

// texts takes len(dst) rows of a string column.
func (c *cursor) texts(dst []string, in *interner) error {
	if c.dict == nil {
		return c.plainTexts(dst, in)
	}
	if len(c.strings) == 0 {
		for i := range c.dict.Len() {
			c.strings = append(c.strings, in.text(c.dict.Index(int32(i)).ByteArray()))
		}
	}
	data := c.page.Data()
	for i, k := range data.Int32()[c.pos : c.pos+len(dst)] {
		dst[i] = c.strings[k]
	}
	c.advance(len(dst))
	return nil
}

// plainTexts reads the pages that a writer makes when a dictionary has grown
// too large.
func (c *cursor) plainTexts(dst []string, in *interner) error {
	if c.reader == nil {
		c.reader = c.page.Values()
	}
	if c.values == nil {
		c.values = make([]parquet.Value, chunkRows)
	}
	for done := 0; done < len(dst); {
		n, err := c.reader.ReadValues(c.values[:min(len(dst)-done, chunkRows)])
		for i := range n {
			dst[done+i] = in.text(c.values[i].ByteArray())
		}
		done += n
		if done == len(dst) && errors.Is(err, io.EOF) {
			err = nil
		}
		if err != nil {
			return fmt.Errorf("reading strings: %w", err)
		}
		if n == 0 && err == nil {
			return io.ErrNoProgress
		}
	}
	c.advance(len(dst))
	return nil
}

// interner keeps one copy of each of the strings that come again and again.
type interner struct{ known map[string]string }

func newInterner() *interner { return &interner{known: make(map[string]string)} }

func (in *interner) text(b []byte) string {
	if s, ok := in.known[string(b)]; ok {
		return s
	}
	if len(in.known) >= 1<<14 {
		clear(in.known)
	}
	s := string(b)
	in.known[s] = s
	return s
}

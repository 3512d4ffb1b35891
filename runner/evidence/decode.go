package evidence

import (
	"time"

	"github.com/parquet-go/parquet-go"
)

// Fields names what of a call a pass is to read. What is not named is zero.
type Fields uint16

// The fields of a Sample.
const (
	WithLoad Fields = 1 << iota
	WithSeq
	WithIntended
	WithSent
	WithDone
	WithCode
	WithBytes
	WithClass
	WithBackend
	WithMark
)

// sampleDecoder decodes rows of samples/*.parquet.
type sampleDecoder struct {
	fields  Fields // bit i is column i of sampleColumns
	in      *interner
	ints    [chunkRows]int64
	texts   [chunkRows]string
	classes map[string]Class
}

func newSampleDecoder(fields Fields) *sampleDecoder {
	return &sampleDecoder{fields: fields, in: newInterner(), classes: classesByName()}
}

func classesByName() map[string]Class {
	classes := make(map[string]Class, NumClasses)
	for i := range NumClasses {
		classes[Class(i).String()] = Class(i)
	}
	return classes
}

func everyField() decoder[Sample] { return newSampleDecoder(^Fields(0)) }

func (d *sampleDecoder) columns() []column { return sampleColumns }

func (d *sampleDecoder) wants(column int) bool { return d.fields&(1<<column) != 0 }

func (d *sampleDecoder) decode(c []cursor, rows []Sample) (int, error) {
	for column := range sampleColumns {
		if !d.wants(column) {
			continue
		}
		if sampleColumns[column].kind == parquet.Int64 {
			c[column].int64s(d.ints[:len(rows)])
			d.number(1<<column, rows)
			continue
		}
		if err := c[column].texts(d.texts[:len(rows)], d.in); err != nil {
			return 0, err
		}
		d.text(1<<column, rows)
	}
	return len(rows), nil
}

// number puts the integers of a column into the rows.
func (d *sampleDecoder) number(field Fields, rows []Sample) {
	ints := d.ints[:len(rows)]
	switch field {
	case WithLoad:
		for i, v := range ints {
			rows[i].Load = int(v)
		}
	case WithSeq:
		for i, v := range ints {
			rows[i].Seq = uint64(v)
		}
	case WithIntended:
		for i, v := range ints {
			rows[i].Intended = time.Duration(v)
		}
	case WithSent:
		for i, v := range ints {
			rows[i].Sent = time.Duration(v)
		}
	case WithDone:
		for i, v := range ints {
			rows[i].Done = time.Duration(v)
		}
	case WithCode:
		for i, v := range ints {
			rows[i].Code = int(v)
		}
	case WithBytes:
		for i, v := range ints {
			rows[i].Bytes = v
		}
	}
}

// text puts the strings of a column into the rows.
func (d *sampleDecoder) text(field Fields, rows []Sample) {
	texts := d.texts[:len(rows)]
	switch field {
	case WithClass:
		toClasses(d.classes, texts, func(i int, c Class) { rows[i].Class = c })
	case WithBackend:
		for i, s := range texts {
			rows[i].Backend = s
		}
	case WithMark:
		for i, s := range texts {
			rows[i].Mark = s
		}
	}
}

// toClasses parses class names; neighbours mostly have the same. A name that is
// not known counts as Other.
func toClasses(classes map[string]Class, names []string, set func(int, Class)) {
	last, class := "", Other
	for i, name := range names {
		if name != last {
			known, ok := classes[name]
			if !ok {
				known = Other
			}
			last, class = name, known
		}
		set(i, class)
	}
}

// messageDecoder decodes rows of messages/*.parquet.
type messageDecoder struct {
	in      *interner
	ints    [chunkRows]int64
	texts   [chunkRows]string
	classes map[string]Class
}

func newMessageDecoder() decoder[Message] {
	return &messageDecoder{in: newInterner(), classes: classesByName()}
}

func (d *messageDecoder) columns() []column { return messageColumns }

func (d *messageDecoder) wants(int) bool { return true }

func (d *messageDecoder) decode(c []cursor, rows []Message) (int, error) {
	ints := d.ints[:len(rows)]
	for column := range messageColumns {
		if messageColumns[column].kind != parquet.Int64 {
			texts := d.texts[:len(rows)]
			if err := c[column].texts(texts, d.in); err != nil {
				return 0, err
			}
			toClasses(d.classes, texts, func(i int, c Class) { rows[i].Class = c })
			continue
		}
		c[column].int64s(ints)
		switch column {
		case 0:
			for i, v := range ints {
				rows[i].Load = int(v)
			}
		case 1:
			for i, v := range ints {
				rows[i].Call = uint64(v)
			}
		case 2:
			for i, v := range ints {
				rows[i].N = uint64(v)
			}
		case 3:
			for i, v := range ints {
				rows[i].Intended = time.Duration(v)
			}
		case 4:
			for i, v := range ints {
				rows[i].Sent = time.Duration(v)
			}
		case 5:
			for i, v := range ints {
				rows[i].Done = time.Duration(v)
			}
		}
	}
	return len(rows), nil
}

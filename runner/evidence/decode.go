package evidence

import "time"

// sampleDecoder decodes rows of samples/*.parquet.
type sampleDecoder struct {
	in      *interner
	ints    [chunkRows]int64
	texts   [chunkRows]string
	classes map[string]Class
}

func newSampleDecoder() *sampleDecoder {
	d := &sampleDecoder{in: newInterner(), classes: make(map[string]Class, NumClasses)}
	for i := range NumClasses {
		d.classes[Class(i).String()] = Class(i)
	}
	return d
}

func (d *sampleDecoder) columns() []column { return sampleColumns }

func (d *sampleDecoder) decode(c []cursor, rows []Sample) error {
	ints, texts := d.ints[:len(rows)], d.texts[:len(rows)]
	for column := range 7 {
		c[column].int64s(ints)
		switch column {
		case 0:
			for i, v := range ints {
				rows[i].Load = int(v)
			}
		case 1:
			for i, v := range ints {
				rows[i].Seq = uint64(v)
			}
		case 2:
			for i, v := range ints {
				rows[i].Intended = time.Duration(v)
			}
		case 3:
			for i, v := range ints {
				rows[i].Sent = time.Duration(v)
			}
		case 4:
			for i, v := range ints {
				rows[i].Done = time.Duration(v)
			}
		case 5:
			for i, v := range ints {
				rows[i].Code = int(v)
			}
		case 6:
			for i, v := range ints {
				rows[i].Bytes = v
			}
		}
	}
	if err := c[7].texts(texts, d.in); err != nil {
		return err
	}
	d.toClasses(rows, texts)
	if err := c[8].texts(texts, d.in); err != nil {
		return err
	}
	for i, s := range texts {
		rows[i].Backend = s
	}
	if err := c[9].texts(texts, d.in); err != nil {
		return err
	}
	for i, s := range texts {
		rows[i].Mark = s
	}
	return nil
}

// toClasses parses class names; neighbours mostly have the same. A name that is
// not known counts as Other.
func (d *sampleDecoder) toClasses(rows []Sample, names []string) {
	last, class := "", Other
	for i, name := range names {
		if name != last {
			known, ok := d.classes[name]
			if !ok {
				known = Other
			}
			last, class = name, known
		}
		rows[i].Class = class
	}
}

// messageDecoder decodes rows of messages/*.parquet.
type messageDecoder struct{ ints [chunkRows]int64 }

func newMessageDecoder() *messageDecoder { return new(messageDecoder) }

func (d *messageDecoder) columns() []column { return messageColumns }

func (d *messageDecoder) decode(c []cursor, rows []Message) error {
	ints := d.ints[:len(rows)]
	for column := range messageColumns {
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
	return nil
}

// pointDecoder decodes rows of series/*.parquet.
type pointDecoder struct {
	in     *interner
	ints   [chunkRows]int64
	texts  [chunkRows]string
	floats [chunkRows]float64
}

func newPointDecoder() *pointDecoder { return &pointDecoder{in: newInterner()} }

func (d *pointDecoder) columns() []column { return pointColumns }

func (d *pointDecoder) decode(c []cursor, rows []Point) error {
	ints, texts, floats := d.ints[:len(rows)], d.texts[:len(rows)], d.floats[:len(rows)]
	c[0].int64s(ints)
	for i, v := range ints {
		rows[i].At = time.Duration(v)
	}
	for column := 1; column <= 3; column++ {
		if err := c[column].texts(texts, d.in); err != nil {
			return err
		}
		for i, s := range texts {
			switch column {
			case 1:
				rows[i].Target = s
			case 2:
				rows[i].Name = s
			case 3:
				rows[i].Labels = s
			}
		}
	}
	c[4].doubles(floats)
	for i, v := range floats {
		rows[i].Value = v
	}
	return nil
}

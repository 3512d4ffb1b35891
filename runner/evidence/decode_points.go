package evidence

import (
	"slices"
	"time"
)

// The columns of a point, as places in pointColumns.
const (
	pointAt = iota
	pointTarget
	pointName
	pointLabels
	pointValue
)

// pointDecoder decodes rows of series/*.parquet.
type pointDecoder struct {
	times  bool         // only when, and of what target
	chosen []SeriesName // only these; nil is all

	lastTarget, lastName string // of the last point that was looked at
	lastChosen, looked   bool

	in      *interner
	ints    [chunkRows]int64
	targets [chunkRows]string
	texts   [chunkRows]string
	floats  [chunkRows]float64
}

func newPointDecoder() decoder[Point] { return &pointDecoder{in: newInterner()} }

func newPointTimes() decoder[Point] { return &pointDecoder{in: newInterner(), times: true} }

// pointsOf decodes the points of some series.
func pointsOf(chosen ...SeriesName) func() decoder[Point] {
	return func() decoder[Point] { return &pointDecoder{in: newInterner(), chosen: chosen} }
}

// isChosen reports whether a point is asked for. Neighbours mostly are of the
// same series.
func (d *pointDecoder) isChosen(target, name string) bool {
	if target != d.lastTarget || name != d.lastName || !d.looked {
		d.looked = true
		d.lastTarget, d.lastName = target, name
		d.lastChosen = slices.ContainsFunc(d.chosen, func(n SeriesName) bool { return n.of(target, name) })
	}
	return d.lastChosen
}

func (d *pointDecoder) columns() []column { return pointColumns }

func (d *pointDecoder) wants(column int) bool {
	switch {
	case d.times:
		return column == pointAt || column == pointTarget
	case d.chosen != nil:
		return column == pointTarget || column == pointName
	}
	return true
}

func (d *pointDecoder) decode(c []cursor, rows []Point) (kept int, err error) {
	targets, names := d.targets[:len(rows)], d.texts[:len(rows)]
	if err := c[pointTarget].texts(targets, d.in); err != nil {
		return 0, err
	}
	for i, s := range targets {
		rows[i].Target = s
	}
	if d.times {
		return len(rows), d.moments(c, rows)
	}
	if err := c[pointName].texts(names, d.in); err != nil {
		return 0, err
	}
	if d.chosen == nil {
		for i, s := range names {
			rows[i].Name = s
		}
		return len(rows), d.rest(c, rows)
	}
	return d.choose(c, targets, names, rows)
}

// choose keeps the points that are asked for. They mostly lie side by side, and
// what is beside them need not be decoded.
func (d *pointDecoder) choose(c []cursor, targets, names []string, rows []Point) (kept int, err error) {
	passed := 0
	for i := 0; i < len(rows); {
		from := i
		for i < len(rows) && d.isChosen(targets[i], names[i]) {
			rows[kept+i-from].Target, rows[kept+i-from].Name = targets[i], names[i]
			i++
		}
		if from == i {
			i++
			continue
		}
		d.pass(c, from-passed)
		passed = i
		// What is read on is kept elsewhere: the names are still needed.
		if err := d.rest(c, rows[kept:kept+i-from]); err != nil {
			return kept, err
		}
		kept += i - from
	}
	d.pass(c, len(rows)-passed)
	return kept, nil
}

// pass leaves rows of the columns out that are read on demand.
func (d *pointDecoder) pass(c []cursor, rows int) {
	for _, column := range []int{pointAt, pointLabels, pointValue} {
		c[column].behind += rows
	}
}

// rest reads what a point has beside its target and name.
func (d *pointDecoder) rest(c []cursor, rows []Point) error {
	if err := d.moments(c, rows); err != nil {
		return err
	}
	var labels [labelRows]string
	for left := rows; len(left) > 0; {
		n, err := c[pointLabels].upTo(min(len(left), labelRows))
		if err == nil {
			err = c[pointLabels].texts(labels[:n], d.in)
		}
		if err != nil {
			return err
		}
		for i, s := range labels[:n] {
			left[i].Labels = s
		}
		left = left[n:]
	}
	for left := rows; len(left) > 0; {
		n, err := c[pointValue].upTo(len(left))
		if err != nil {
			return err
		}
		c[pointValue].doubles(d.floats[:n])
		for i, v := range d.floats[:n] {
			left[i].Value = v
		}
		left = left[n:]
	}
	return nil
}

// labelRows is how many labels are read at a time.
const labelRows = 256

// moments reads when points were.
func (d *pointDecoder) moments(c []cursor, rows []Point) error {
	for left := rows; len(left) > 0; {
		n, err := c[pointAt].upTo(len(left))
		if err != nil {
			return err
		}
		c[pointAt].int64s(d.ints[:n])
		for i, v := range d.ints[:n] {
			left[i].At = time.Duration(v)
		}
		left = left[n:]
	}
	return nil
}

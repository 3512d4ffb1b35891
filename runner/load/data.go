package load

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// Data is a file of rows. Call n uses row n, and the first row again after the
// last.
type Data struct {
	CSV  string `yaml:"csv" doc:"a CSV file whose first line names the columns"`
	JSON string `yaml:"json" doc:"a JSON file: a list of objects"`
}

// Row is one row of a data file, by column.
type Row map[string]any

// maxDataBytes bounds a data file, which is kept in memory.
const maxDataBytes = 64 << 20

// Validate reports a file that is not named, or named twice.
func (d *Data) Validate(bad func(field, format string, args ...any)) {
	if (d.CSV == "") == (d.JSON == "") {
		bad("", "want exactly one of csv and json, a file name")
	}
}

// Rows reads the file; a relative name is taken from dir. An empty file is an
// error: there would be nothing to send.
func (d *Data) Rows(dir string) ([]Row, error) {
	name := d.CSV + d.JSON
	if !filepath.IsAbs(name) {
		name = filepath.Join(dir, name)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("open the data file: %w", err)
	}
	defer func() { _ = f.Close() }()
	if info, err := f.Stat(); err != nil {
		return nil, fmt.Errorf("open the data file: %w", err)
	} else if info.Size() > maxDataBytes {
		return nil, fmt.Errorf("data file %s has %d bytes, more than the %d that are kept in memory", name, info.Size(), maxDataBytes)
	}
	var rows []Row
	if d.CSV != "" {
		rows, err = readCSV(f)
	} else {
		rows, err = readJSON(f)
	}
	if err != nil {
		return nil, fmt.Errorf("read the data file %s: %w", name, err)
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("data file %s has no rows", name)
	}
	return rows, nil
}

func readCSV(r io.Reader) ([]Row, error) {
	in := csv.NewReader(r)
	in.TrimLeadingSpace = true
	names, err := in.Read()
	if errors.Is(err, io.EOF) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var rows []Row
	for {
		fields, err := in.Read()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return nil, err
		}
		row := make(Row, len(names))
		for i, name := range names {
			row[name] = fields[i]
		}
		rows = append(rows, row)
	}
}

func readJSON(r io.Reader) ([]Row, error) {
	in := json.NewDecoder(r)
	in.UseNumber() // so that a large number is written as it was read
	var rows []Row
	if err := in.Decode(&rows); err != nil {
		return nil, err
	}
	if _, err := in.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is more after the list")
	}
	return rows, nil
}

// columns are the names of a row's values, sorted.
func (r Row) columns() []string { return slices.Sorted(maps.Keys(r)) }

func (s *Spec) data() *Data {
	switch {
	case s.HTTP != nil:
		return s.HTTP.Data
	case s.GRPC != nil:
		return s.GRPC.Rows
	}
	return nil
}

package evidence

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

func FuzzReadEvents(f *testing.F) {
	f.Add([]byte(`{"at_ns":1,"kind":"note","text":"a"}` + "\n" + `{"at_ns":0,"kind":"phase-start"`))
	f.Add([]byte("\n\n{}\n[1]\nnull\n\"x\"\n"))
	f.Add([]byte(`{"at_ns":-9223372036854775808,"kind":"run-end"}` + "\n" + `{"at_ns":9223372036854775807,"kind":"phase-end","phase":"x"}` + "\n"))
	f.Add(append(bytes.Repeat([]byte("x"), eventLine+1), '\n'))
	f.Fuzz(func(t *testing.T, text []byte) {
		events, _, err := readEvents(bytes.NewReader(text))
		if err != nil {
			t.Fatalf("reading from memory failed: %v", err)
		}
		if n := bytes.Count(text, []byte("\n")); len(events) > n {
			t.Fatalf("%d events in %d lines", len(events), n)
		}
		for i, e := range events {
			if e.Kind == "" || i > 0 && e.At < events[i-1].At {
				t.Fatalf("event %d is %+v", i, e)
			}
		}
		spans(&Meta{}, events, 0)
	})
}

func FuzzReadSegment(f *testing.F) {
	dir := finishedRun(f)
	for _, name := range []string{samplesDir + "/000002.parquet", messagesDir + "/000001.parquet", seriesDir + "/000001.parquet"} {
		text, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
		f.Add(text[:len(text)/2])
		f.Add(append(text[:100:100], text[len(text)-600:]...))
		for _, n := range []int{0, 7, 9} {
			f.Add(withStatistics(f, text, make([]byte, n)))
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		samples, err := countRows(text, newSampleDecoder(^Fields(0)))
		points, err2 := countRows(text, newPointDecoder())
		messages, err3 := countRows(text, newMessageDecoder())
		kinds := 0
		for _, read := range []bool{err == nil && samples > 0, err2 == nil && points > 0, err3 == nil && messages > 0} {
			if read {
				kinds++
			}
		}
		if kinds > 1 {
			t.Fatalf("rows that are of %d kinds at once", kinds)
		}
		_, _ = countRows(text, newSampleDecoder(WithDone|WithMark)) // must not panic either
		some, err := countRows(text, pointsOf(SeriesName{"users", "metric_1"})())
		if err2 == nil && (err != nil || some > points) {
			t.Fatalf("%d points of one series, %v, among %d", some, err, points)
		}
	})
}

// countRows decodes a file.
func countRows[T any](text []byte, d decoder[T]) (rows int, err error) {
	const enough = 1 << 20 // rows; a small file may hold very many
	file, at, err := openParquet(bytes.NewReader(text), int64(len(text)), d.columns())
	if err != nil {
		return 0, err
	}
	if _, err := reaches(file, d.columns(), at); err != nil {
		return 0, err
	}
	buf := make([]T, chunkRows)
	for _, g := range file.RowGroups() {
		err := scanGroup(g, at, d, func() []T { return buf }, func(some []T) error {
			if rows += len(some); rows > enough {
				return errStopped
			}
			return nil
		})
		if err != nil {
			return rows, err
		}
	}
	return rows, nil
}

func FuzzOpenMeta(f *testing.F) {
	f.Add([]byte(`{"format":1,"loads":[{"name":"a"}],"phases":[{"name":"p","for_ns":9223372036854775807,"start_ns":5}],"start_ns":-9223372036854775808,"took_ns":9223372036854775807}`))
	f.Add([]byte(`{"format":1,"files":{"../../etc/passwd":"x","":"y"}}`))
	dir := finishedRun(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		if err := os.WriteFile(filepath.Join(dir, runFile), text, 0o644); err != nil {
			t.Fatal(err)
		}
		r, err := Open(dir)
		if err != nil {
			return
		}
		sum, err := r.Summary()
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range sum.Loads {
			if len(l.Intervals) > maxIntervals+1 || len(l.Ticks) != ticksEach*len(l.Intervals) {
				t.Fatalf("%d intervals, %d ticks", len(l.Intervals), len(l.Ticks))
			}
		}
		if _, err := r.Verify(); err != nil {
			t.Fatal(err)
		}
		r.PhaseAt(0)
	})
}

package evidence

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Bounds on what is read whole.
const (
	smallFile = 64 << 20 // run.json, scenario.yaml
	eventLine = 1 << 20
	maxEvents = 1 << 20
)

// Open opens a run directory, whether the run has ended, was interrupted or was
// killed. It is an error where there is no readable run.json, or one of a format
// that this program does not know; any other damage is told by Run.Warnings.
func Open(dir string) (*Run, error) {
	r := &Run{Dir: dir}
	if err := r.openMeta(); err != nil {
		return nil, fmt.Errorf("opening the run in %s: %w", dir, err)
	}
	if err := r.openEvents(); err != nil {
		return nil, fmt.Errorf("opening the run in %s: %w", dir, err)
	}
	r.samples = r.openSegments(samplesDir, sampleColumns)
	r.messages = r.openSegments(messagesDir, messageColumns)
	r.points = r.openSegments(seriesDir, pointColumns)
	for i := range r.Events {
		r.last = max(r.last, r.Events[i].At)
	}
	for _, s := range slices.Concat(r.samples, r.messages, r.points) {
		r.last = max(r.last, s.last)
	}
	r.phases = spans(&r.Meta, r.Events, r.last)
	return r, nil
}

func (r *Run) openMeta() error {
	text, err := readSmall(filepath.Join(r.Dir, runFile))
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("this is not a run directory: %w", err)
	}
	if err != nil {
		return err
	}
	var version struct {
		Format int `json:"format"`
	}
	if err := json.Unmarshal(text, &version); err != nil {
		return fmt.Errorf("reading %s: %w", runFile, err)
	}
	if version.Format != Format {
		return fmt.Errorf("%s is of format %d, this program reads format %d", runFile, version.Format, Format)
	}
	if err := json.Unmarshal(text, &r.Meta); err != nil {
		return fmt.Errorf("reading %s: %w", runFile, err)
	}
	return nil
}

// readSmall reads a file that is not large by nature.
func readSmall(path string) ([]byte, error) {
	f, size, err := openRegular(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // read only
	if size > smallFile {
		return nil, fmt.Errorf("%s is larger than %d bytes", path, smallFile)
	}
	return io.ReadAll(io.LimitReader(f, smallFile))
}

func (r *Run) openEvents() error {
	f, _, err := openRegular(filepath.Join(r.Dir, eventsFile))
	if errors.Is(err, os.ErrNotExist) {
		r.warn(eventsFile + " is missing")
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading the events: %w", err)
	}
	defer func() { _ = f.Close() }() // read only
	var warnings []string
	r.Events, warnings, err = readEvents(f)
	for _, w := range warnings {
		r.warn(w)
	}
	if err != nil {
		return fmt.Errorf("reading the events: %w", err)
	}
	return nil
}

// readEvents reads a line an event. A line that is no event is left out with a
// warning; so is the last one where the writer was killed in the middle of it.
func readEvents(from io.Reader) (events []Event, warnings []string, err error) {
	in := bufio.NewReaderSize(from, eventLine)
	skipped, first := 0, 0
	for number := 1; ; number++ {
		line, long, err := readLine(in)
		if err != nil && !errors.Is(err, io.EOF) {
			return events, warnings, err
		}
		torn := err != nil
		var e Event
		switch {
		case !long && len(line) == 0: // the end, or what follows a torn line
		case torn:
			warnings = append(warnings, fmt.Sprintf("%s:%d: the last line is torn and left out", eventsFile, number))
		case !long && len(events) < maxEvents && json.Unmarshal(line, &e) == nil && e.Kind != "":
			events = append(events, e)
		default:
			if skipped++; first == 0 {
				first = number
			}
		}
		if torn {
			break
		}
	}
	if skipped > 0 {
		warnings = append(warnings, fmt.Sprintf("%s:%d: not an event, or one too many; %d such lines left out", eventsFile, first, skipped))
	}
	// Events come from several goroutines, so neighbours may be out of order.
	slices.SortStableFunc(events, func(a, b Event) int { return cmp.Compare(a.At, b.At) })
	return events, warnings, nil
}

// readLine reads a line without its end, valid until the next. A long one is
// skipped. At the end of the input err is io.EOF, and line what had no end.
func readLine(in *bufio.Reader) (line []byte, long bool, err error) {
	line, err = in.ReadSlice('\n')
	for errors.Is(err, bufio.ErrBufferFull) {
		long = true
		_, err = in.ReadSlice('\n')
	}
	if long {
		return nil, true, err
	}
	return bytes.TrimSpace(line), false, err
}

// openSegments lists the readable segments of a directory in their order.
func (r *Run) openSegments(dir string, columns []column) []segment {
	entries, err := os.ReadDir(filepath.Join(r.Dir, dir))
	if errors.Is(err, os.ErrNotExist) && dir == messagesDir {
		return nil // made only where there are messages
	}
	if err != nil {
		r.warn(fmt.Sprintf("%s cannot be listed: %v", dir, err))
		return nil
	}
	var found []segment
	next := 1
	for _, e := range entries { // sorted by name
		s := segment{path: filepath.Join(r.Dir, dir, e.Name()), name: dir + "/" + e.Name()}
		if strings.HasSuffix(e.Name(), ".parquet"+partial) {
			r.warn(s.name + " was never finished and is left out")
			continue
		}
		var number int
		if _, err := fmt.Sscanf(e.Name(), "%06d.parquet", &number); err != nil || e.Name() != segmentName(number) {
			continue
		}
		if number != next {
			r.warn(fmt.Sprintf("%s/%s and what follows up to %s is missing", dir, segmentName(next), e.Name()))
		}
		next = number + 1
		found = append(found, s)
	}
	errs := make([]error, len(found))
	onAllCores(len(found), func(i int) { errs[i] = found[i].probe(columns) })
	var out []segment
	for i, s := range found {
		if errs[i] != nil {
			r.warn(fmt.Sprintf("%s is left out: %v", s.name, errs[i]))
			continue
		}
		out = append(out, s)
	}
	return out
}

func segmentName(number int) string { return fmt.Sprintf("%06d.parquet", number) }

// extent is the stretch of time that intervals have to cover.
func (r *Run) extent() time.Duration {
	end := r.End()
	for _, p := range r.phases {
		end = max(end, p.End)
	}
	const atMost = math.MaxInt64 - 2*time.Second // room to round up
	return min(max(0, end-max(0, r.Meta.Start)), atMost)
}

package evidence

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
)

const (
	runFile      = "run.json"
	scenarioFile = "scenario.yaml"
	eventsFile   = "events.jsonl"
	samplesDir   = "samples"
	messagesDir  = "messages"
	seriesDir    = "series"

	eventQueue = 1024
)

// Writer keeps the evidence of a run while it goes on. It is a Sink. Its memory
// does not grow with the length of the run: where the disk cannot keep up,
// callers are held back, which Meta.Waits counts.
type Writer struct {
	dir      string
	disk     disk
	loads    []string // names, as they were at the start
	samples  *intake[Sample]
	messages *intake[Message]
	points   *intake[Point]

	eventMu  sync.RWMutex // held for writing by Close, so that no event comes after it
	noEvents bool
	events   chan Event
	waits    atomic.Int64 // of events
	late     atomic.Int64 // events after Close

	closing chan struct{}
	done    chan struct{} // closed when the writing goroutine has ended

	mu     sync.Mutex
	meta   Meta
	err    error
	closed bool

	once   sync.Once
	result error
}

// Create makes a run directory with its run.json and scenario.yaml, and starts
// a Writer on it. The directory may exist but must not hold a run. Meta.Loads is
// complete: its names go into the samples. Close ends the Writer.
func Create(dir string, meta Meta, scenario []byte) (*Writer, error) {
	return create(dir, meta, scenario, realDisk())
}

func create(dir string, meta Meta, scenario []byte, d disk) (*Writer, error) {
	for _, d := range []string{samplesDir, seriesDir} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			return nil, fmt.Errorf("making the run directory: %w", err)
		}
	}
	switch _, err := os.Lstat(filepath.Join(dir, runFile)); {
	case err == nil:
		return nil, fmt.Errorf("making the run directory: %s holds a run already", dir)
	case !errors.Is(err, os.ErrNotExist):
		return nil, fmt.Errorf("making the run directory: %w", err)
	}
	meta.Format, meta.Outcome, meta.Lost = Format, Running, nil
	if meta.ID == "" {
		meta.ID = filepath.Base(dir)
	}
	w := &Writer{
		dir: dir, disk: d, meta: meta,
		samples:  newIntake[Sample](perCPU()),
		messages: newIntake[Message](perCPU()),
		points:   newIntake[Point](1),
		events:   make(chan Event, eventQueue),
		closing:  make(chan struct{}),
		done:     make(chan struct{}),
	}
	for _, l := range meta.Loads {
		w.loads = append(w.loads, l.Name)
	}
	if err := os.WriteFile(filepath.Join(dir, scenarioFile), scenario, 0o644); err != nil {
		return nil, fmt.Errorf("keeping the scenario: %w", err)
	}
	events, err := d.open(filepath.Join(dir, eventsFile))
	if err != nil {
		return nil, fmt.Errorf("opening the events: %w", err)
	}
	if err := w.writeMeta(); err != nil {
		return nil, errors.Join(err, events.Close())
	}
	go w.write(events)
	return w, nil
}

// Sample keeps a call.
func (w *Writer) Sample(s Sample) { w.samples.put(&s) }

// Message keeps a message of a streaming call.
func (w *Writer) Message(m Message) { w.messages.put(&m) }

// Point keeps a value of a series.
func (w *Writer) Point(p Point) { w.points.put(&p) }

// Event keeps an event; it is in the file a moment later.
func (w *Writer) Event(e Event) {
	if e.Touched != nil {
		t := *e.Touched
		e.Touched = &t
	}
	w.eventMu.RLock()
	defer w.eventMu.RUnlock()
	if w.noEvents {
		w.late.Add(1)
		return
	}
	select {
	case w.events <- e:
	default:
		w.waits.Add(1)
		w.events <- e
	}
}

// Err is the first failure to write evidence, or nil.
func (w *Writer) Err() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

// Waits is Meta.Waits so far: how often evidence had to wait because the disk
// could not keep up.
func (w *Writer) Waits() int64 {
	return w.waits.Load() + w.samples.waits.Load() + w.messages.waits.Load() + w.points.waits.Load()
}

// Dir is the run directory.
func (w *Writer) Dir() string { return w.dir }

// Update changes run.json: what is only known after the start, such as the
// addresses of targets. Format, Outcome, Lost and Files are the Writer's.
func (w *Writer) Update(change func(*Meta)) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return errors.New("updating run.json: the run is closed")
	}
	change(&w.meta)
	w.meta.Format, w.meta.Outcome = Format, Running
	return w.writeMeta()
}

// Close writes what is buffered, the hashes of all files, and run.json with
// how the run ended and why. It returns the first failure to write of the
// whole run; a run whose evidence is not whole is Failed. What comes after
// Close is not kept. Closing again returns the same.
func (w *Writer) Close(outcome Outcome, cause error) error {
	w.once.Do(func() { w.result = w.finish(outcome, cause) })
	return w.result
}

func (w *Writer) finish(outcome Outcome, cause error) error {
	w.eventMu.Lock()
	w.noEvents = true
	w.eventMu.Unlock()
	close(w.closing)
	<-w.done

	files, err := hashFiles(w.dir)
	w.fail(err)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	w.meta.Files, w.meta.Outcome = files, outcome
	w.meta.Waits = w.Waits()
	w.addLost("samples", w.samples.late.Load())
	w.addLost("messages", w.messages.late.Load())
	w.addLost("points", w.points.late.Load())
	w.addLost("events", w.late.Load())
	if w.err != nil {
		w.meta.Outcome, cause = Failed, errors.Join(cause, w.err)
	}
	if cause != nil {
		w.meta.Error = cause.Error()
	}
	return errors.Join(w.err, w.writeMeta())
}

// addLost counts evidence that was not kept; w.mu is held.
func (w *Writer) addLost(what string, n int64) {
	if n == 0 {
		return
	}
	if w.meta.Lost == nil {
		w.meta.Lost = make(map[string]int64)
	}
	w.meta.Lost[what] += n
}

// fail keeps the first error.
func (w *Writer) fail(err error) {
	if err == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		w.err = err
	}
}

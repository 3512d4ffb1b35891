package targets

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"strings"
	"sync"
)

const (
	tailLines = 20      // last lines kept for the event of an exit
	maxLine   = 4 << 10 // a longer line is cut
	maxLog    = 8 << 20 // bytes of output kept on disk for a process
)

// output takes the output of a process: it is kept in a file up to maxLog
// bytes, its last lines are kept in memory, and a line that matches can be
// waited for.
type output struct {
	mu      sync.Mutex
	file    *os.File // nil: not kept
	written int64
	partial []byte
	tail    []string
	want    *regexp.Regexp
	found   chan string // capacity 1
}

func newOutput(path string) (*output, error) {
	o := &output{}
	if path == "" {
		return o, nil
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, fmt.Errorf("keep the output of a target: %w", err)
	}
	o.file = f
	return o, nil
}

// expect begins the output of a new life of the process. It returns a channel
// that gets the first line from now on that matches. What the life before wrote
// last is not part of it: a line that was not ended is ended.
func (o *output) expect(want *regexp.Regexp) <-chan string {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.partial) > 0 {
		o.keep([]byte("\n"))
	}
	o.partial, o.tail = o.partial[:0], nil
	o.want, o.found = want, make(chan string, 1)
	return o.found
}

// Write never fails: output that cannot be kept must not stop the target.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.keep(p)
	rest := p
	for {
		line, after, full := bytes.Cut(rest, []byte("\n"))
		if room := maxLine - len(o.partial); len(line) > room {
			line = line[:room]
		}
		o.partial = append(o.partial, line...)
		if !full {
			return len(p), nil
		}
		o.line(strings.TrimRight(string(o.partial), "\r"))
		o.partial, rest = o.partial[:0], after
	}
}

func (o *output) keep(p []byte) {
	if o.file == nil || o.written > maxLog {
		return
	}
	if o.written += int64(len(p)); o.written > maxLog {
		p = []byte("\n(output beyond this point was not kept)\n")
	}
	if _, err := o.file.Write(p); err != nil {
		o.tail = append(o.tail, "(output could not be kept: "+err.Error()+")")
		o.written = maxLog + 1
	}
}

func (o *output) line(text string) {
	if len(o.tail) == tailLines {
		copy(o.tail, o.tail[1:])
		o.tail = o.tail[:tailLines-1]
	}
	o.tail = append(o.tail, text)
	if o.want != nil && o.want.MatchString(text) {
		o.found <- text
		o.want = nil
	}
}

// last returns the last lines, with one that was not ended.
func (o *output) last() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	lines := o.tail
	if len(o.partial) > 0 {
		lines = append(lines[:len(lines):len(lines)], string(o.partial))
	}
	return strings.Join(lines, "\n")
}

func (o *output) close() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.file == nil {
		return nil
	}
	err := o.file.Close()
	o.file = nil
	return err
}

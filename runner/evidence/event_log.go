package evidence

import (
	"encoding/json"
	"fmt"
	"io"
)

// eventLog writes events.jsonl, a line at a time.
type eventLog struct {
	out  io.Writer
	torn bool // the last line was not written whole
	lost int64
	buf  []byte
}

func (l *eventLog) add(e *Event) error {
	line, err := json.Marshal(e)
	if err != nil {
		l.lost++
		return fmt.Errorf("writing an event: %w", err)
	}
	l.buf = l.buf[:0]
	if l.torn {
		l.buf = append(l.buf, '\n') // keep the torn line from taking this one with it
	}
	l.buf = append(append(l.buf, line...), '\n')
	n, err := l.out.Write(l.buf)
	if err == nil {
		l.torn = false
		return nil
	}
	l.torn = l.torn || n > 0
	l.lost++
	return fmt.Errorf("writing an event to %s: %w", eventsFile, err)
}

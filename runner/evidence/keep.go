package evidence

import (
	"fmt"
	"io"
	"path/filepath"
	"time"
)

// write is the one goroutine that touches the disk until Close has waited for
// it.
func (w *Writer) write(events io.WriteCloser) {
	defer close(w.done)
	a := newAside(w.hurried)
	samples := keep(w, w.samples, newSegments(filepath.Join(w.dir, samplesDir), "samples", w.disk, a, &sampleForm{loads: w.loads}))
	messages := keep(w, w.messages, newSegments(filepath.Join(w.dir, messagesDir), "messages", w.disk, a, messageForm{w.loads}))
	points := keep(w, w.points, newSegments(filepath.Join(w.dir, seriesDir), "points", w.disk, a, pointForm{}))
	log := &eventLog{out: events}
	look := time.NewTicker(w.disk.look)
	defer look.Stop()
	for open := true; open; {
		select {
		case e := <-w.events: // ahead of all that may have piled up
			w.fail(log.add(&e))
			continue
		default:
		}
		select {
		case e := <-w.events:
			w.fail(log.add(&e))
		case b := <-w.samples.full:
			samples.take(b)
		case b := <-w.messages.full:
			messages.take(b)
		case b := <-w.points.full:
			points.take(b)
		case now := <-look.C:
			samples.look(now)
			messages.look(now)
			points.look(now)
		case <-w.closing:
			open = false
		}
	}
	samples.close()
	messages.close()
	points.close()
	for len(w.events) > 0 {
		e := <-w.events
		w.fail(log.add(&e))
	}
	if err := events.Close(); err != nil {
		w.fail(fmt.Errorf("closing the events: %w", err))
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.addLost("samples", samples.to.lost)
	w.addLost("messages", messages.to.lost)
	w.addLost("points", points.to.lost)
	w.addLost("events", log.lost)
}

// hurried reports whether callers may have to wait soon, or Close does.
func (w *Writer) hurried() bool {
	select {
	case <-w.closing:
		return true
	default:
		return max(len(w.samples.full), len(w.messages.full), len(w.points.full)) > maxBatches/4
	}
}

// keeper brings what an intake took to its segments.
type keeper[T, H, R any, P held[H]] struct {
	of   *Writer
	from *intake[T]
	to   *segments[T, H, R, P]
}

func keep[T, H, R any, P held[H]](w *Writer, from *intake[T], to *segments[T, H, R, P]) *keeper[T, H, R, P] {
	return &keeper[T, H, R, P]{of: w, from: from, to: to}
}

func (k *keeper[T, H, R, P]) take(b *batch[T]) {
	k.of.fail(k.to.add(b.rows))
	k.from.give(b)
}

// look takes what lies in batches that are not full yet, and closes a segment
// that is old enough.
func (k *keeper[T, H, R, P]) look(now time.Time) {
	k.from.collect(false, k.take)
	k.of.fail(k.to.closeOld(now))
}

func (k *keeper[T, H, R, P]) close() {
	k.from.collect(true, k.take)
	k.of.fail(k.to.close())
}

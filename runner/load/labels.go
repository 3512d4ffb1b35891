package load

import (
	"maps"
	"strings"
	"sync"
	"sync/atomic"
)

// labels keeps the values of a response header, such as who answered. They are
// the target's words: their length and their number are bounded, so that a
// target that says something else each time does not fill the memory. To find
// one that is known takes neither a lock nor memory.
type labels struct {
	seen atomic.Pointer[map[string]string] // never changed: replaced by a larger one
	mu   sync.Mutex                        // held to replace seen
}

const (
	maxLabels    = 256
	maxLabelSize = 80
	otherLabel   = "(others)"
)

func newLabels() *labels {
	l := &labels{}
	l.seen.Store(&map[string]string{})
	return l
}

// keep returns the value to be recorded for s.
func (l *labels) keep(s string) string {
	s = s[:min(len(s), maxLabelSize)]
	seen := *l.seen.Load()
	if kept, ok := seen[s]; ok || s == "" {
		return kept
	}
	if len(seen) >= maxLabels { // it stays so
		return otherLabel
	}
	return l.add(strings.Clone(s)) // without the header that s is a part of
}

// keepBytes is keep, for bytes that are used again.
func (l *labels) keepBytes(b []byte) string {
	b = b[:min(len(b), maxLabelSize)]
	seen := *l.seen.Load()
	if kept, ok := seen[string(b)]; ok || len(b) == 0 {
		return kept
	}
	if len(seen) >= maxLabels {
		return otherLabel
	}
	return l.add(string(b))
}

func (l *labels) add(s string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	seen := *l.seen.Load()
	if kept, ok := seen[s]; ok {
		return kept
	}
	if len(seen) >= maxLabels {
		return otherLabel
	}
	more := make(map[string]string, len(seen)+1)
	maps.Copy(more, seen)
	more[s] = strings.ToValidUTF8(s, "?")
	l.seen.Store(&more)
	return more[s]
}

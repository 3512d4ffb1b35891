package load

import (
	"strings"
	"sync"
)

// labels keeps the values of a response header, such as who answered. They are
// the target's words: their length and their number are bounded, so that a
// target that says something else each time does not fill the memory.
type labels struct {
	mu   sync.RWMutex
	seen map[string]string
	most int
}

const (
	maxLabels    = 256
	maxLabelSize = 80
	otherLabel   = "(others)"
)

func newLabels() *labels { return &labels{seen: make(map[string]string), most: maxLabels} }

// keep returns the value to be recorded for s.
func (l *labels) keep(s string) string {
	if s == "" {
		return ""
	}
	if len(s) > maxLabelSize {
		s = s[:maxLabelSize]
	}
	l.mu.RLock()
	kept, ok := l.seen[s]
	l.mu.RUnlock()
	if ok {
		return kept
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.seen) >= l.most {
		return otherLabel
	}
	// A copy, so that the header that s is a part of is not kept with it.
	kept = strings.ToValidUTF8(strings.Clone(s), "?")
	l.seen[strings.Clone(s)] = kept
	return kept
}

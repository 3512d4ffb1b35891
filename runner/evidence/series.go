package evidence

import (
	"sort"
	"strconv"
	"strings"
	"time"
)

// Series is one scraped or observed series in time order.
type Series struct {
	Target, Name, Labels string // as in Point
	T                    []time.Duration
	V                    []float64
}

// Len is the number of values.
func (s Series) Len() int { return len(s.T) }

// Between is the part of the series with from <= T <= to. It shares memory
// with the whole.
func (s Series) Between(from, to time.Duration) Series {
	i := sort.Search(len(s.T), func(i int) bool { return s.T[i] >= from })
	j := sort.Search(len(s.T), func(i int) bool { return s.T[i] > to })
	s.T, s.V = s.T[i:max(i, j)], s.V[i:max(i, j)]
	return s
}

// At is the last value at or before t; ok is false where there is none.
func (s Series) At(t time.Duration) (v float64, ok bool) {
	i := sort.Search(len(s.T), func(i int) bool { return s.T[i] > t })
	if i == 0 {
		return 0, false
	}
	return s.V[i-1], true
}

// Label is the value of a label; ok is false where the series has none of
// that name.
func (s Series) Label(name string) (value string, ok bool) {
	rest := s.Labels
	for rest != "" {
		eq := strings.Index(rest, `="`)
		if eq < 0 {
			return "", false
		}
		key := rest[:eq]
		quoted, err := strconv.QuotedPrefix(rest[eq+1:])
		if err != nil {
			return "", false
		}
		if key == name {
			value, err = strconv.Unquote(quoted)
			return value, err == nil
		}
		rest = strings.TrimPrefix(rest[eq+1+len(quoted):], ",")
	}
	return "", false
}

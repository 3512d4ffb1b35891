package evidence

import (
	"cmp"
	"fmt"
	"slices"
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

// Series gathers series by target and name. Target "" is all targets, and
// "users" is also its replicas "users/0", "users/1" and so on; name "" is all
// names. The order is by target, name and labels. What cannot be read is left
// out and told by Warnings. Nobody may change the values: who asks again gets
// the same.
func (r *Run) Series(target, name string) ([]Series, error) {
	asked := SeriesName{target, name}
	if kept, ok := r.keptSeries(asked); ok {
		return slices.Clone(kept), nil
	}
	all := r.readSeries([]SeriesName{asked})
	r.keepSeries(asked, all)
	return slices.Clone(all), nil
}

// SeriesName is what Series is asked for.
type SeriesName struct{ Target, Name string }

// of reports whether a point of a target and name is meant.
func (n SeriesName) of(target, name string) bool {
	return (n.Name == "" || name == n.Name) && isOf(target, n.Target)
}

// Gather reads in one pass what Series will be asked for. It changes nothing but
// the time that this takes.
func (r *Run) Gather(asked []SeriesName) {
	var fresh []SeriesName
	for _, a := range asked {
		if _, ok := r.keptSeries(a); !ok && !slices.Contains(fresh, a) {
			fresh = append(fresh, a)
		}
	}
	if len(fresh) < 2 {
		return // Series itself is as fast
	}
	all := r.readSeries(fresh)
	for _, a := range fresh {
		var mine []Series
		for _, s := range all {
			if a.of(s.Target, s.Name) {
				mine = append(mine, s)
			}
		}
		r.keepSeries(a, mine)
	}
}

// keptValues bounds the values of series that are kept for who asks again: 64 MiB.
const keptValues = 4 << 20

func (r *Run) keptSeries(asked SeriesName) (all []Series, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	all, ok = r.series[asked]
	return all, ok
}

func (r *Run) keepSeries(asked SeriesName, all []Series) {
	values := 0
	for i := range all {
		values += all[i].Len()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.series[asked]; ok || r.seriesKept+values > keptValues {
		return
	}
	if r.series == nil {
		r.series = make(map[SeriesName][]Series)
	}
	r.series[asked] = all
	r.seriesKept += values
}

// readSeries goes through all points once.
func (r *Run) readSeries(asked []SeriesName) []Series {
	type key struct{ target, name, labels string }
	found := make(map[key]*Series)
	for rows, err := range batches(r.points, nil, pointsOf(asked...)) {
		if err != nil {
			r.warn(err.Error())
			continue
		}
		var last *Series
		for i := range rows {
			p := &rows[i]
			if last == nil || last.Labels != p.Labels || last.Name != p.Name || last.Target != p.Target {
				k := key{p.Target, p.Name, p.Labels}
				if last = found[k]; last == nil {
					last = &Series{Target: p.Target, Name: p.Name, Labels: p.Labels}
					found[k] = last
				}
			}
			last.T, last.V = append(last.T, p.At), append(last.V, p.Value)
		}
	}
	out := make([]Series, 0, len(found))
	for _, s := range found {
		s.sort()
		s.T, s.V = slices.Clip(s.T), slices.Clip(s.V)
		out = append(out, *s)
	}
	slices.SortFunc(out, func(a, b Series) int {
		return cmp.Or(cmp.Compare(a.Target, b.Target), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Labels, b.Labels))
	})
	return out
}

// FirstPoints is when each target that has series was read first, by its name in
// them. Nobody may change it.
func (r *Run) FirstPoints() (map[string]time.Duration, error) {
	r.firstOnce.Do(func() {
		first := make(map[string]time.Duration)
		for rows, err := range batches(r.points, nil, newPointTimes) {
			if err != nil {
				r.firstErr = fmt.Errorf("reading series: %w", err)
				return
			}
			last, earliest := "", time.Duration(0)
			for i := range rows {
				p := &rows[i]
				if i > 0 && p.Target == last && p.At >= earliest {
					continue
				}
				if t, known := first[p.Target]; !known || p.At < t {
					first[p.Target] = p.At
				}
				last, earliest = p.Target, first[p.Target]
			}
		}
		r.first = first
	})
	return r.first, r.firstErr
}

// isOf reports whether a point's target is the one asked for, or a replica of
// it.
func isOf(target, asked string) bool {
	rest, ok := strings.CutPrefix(target, asked)
	return asked == "" || ok && (rest == "" || rest[0] == '/')
}

// sort brings the values into time order.
func (s *Series) sort() {
	if !slices.IsSorted(s.T) {
		sort.Stable((*byTime)(s))
	}
}

type byTime Series

func (s *byTime) Len() int           { return len(s.T) }
func (s *byTime) Less(i, j int) bool { return s.T[i] < s.T[j] }
func (s *byTime) Swap(i, j int) {
	s.T[i], s.T[j] = s.T[j], s.T[i]
	s.V[i], s.V[j] = s.V[j], s.V[i]
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

package evidence

// distinct bounds the codes, backends and marks that are told apart.
const distinct = 64

// more is the name under which the rest is counted.
const more = "(more)"

var otherCode = ClassCode{Other, -1}

// record counts one call.
func (s *Stats) record(c *Sample) {
	if s.Calls == 0 {
		s.First, s.Last = c.Intended, c.Intended
	}
	s.First, s.Last = min(s.First, c.Intended), max(s.Last, c.Intended)
	s.Counts.record(c)
	s.Response.record(c.Response())
	s.Service.record(c.Service())
	s.Lag.record(c.Lag())
	s.Bytes += c.Bytes
	code := ClassCode{knownClass(c.Class), c.Code}
	s.codes.add(s.Codes, code, otherCode)
	if c.Backend != "" {
		s.backends.add(s.Backends, c.Backend, more)
	}
	if c.Mark != "" {
		s.marks.add(s.Marks, c.Mark, more)
		s.marked.add(s.MarkedCodes, code, otherCode)
	}
}

// settle moves what was recorded to where it is read.
func (s *Stats) settle() {
	s.codes.flush(s.Codes, otherCode)
	s.backends.flush(s.Backends, more)
	s.marks.flush(s.Marks, more)
	s.marked.flush(s.MarkedCodes, otherCode)
}

// repeat counts keys that mostly come many times in a row, without looking each
// of them up.
type repeat[K comparable] struct {
	key K
	n   int64
}

func (r *repeat[K]) add(m map[K]int64, key, rest K) {
	if key != r.key {
		r.flush(m, rest)
		r.key = key
	}
	r.n++
}

func (r *repeat[K]) flush(m map[K]int64, rest K) {
	if r.n > 0 {
		count(m, r.key, rest, r.n)
		r.n = 0
	}
}

// merge adds the calls of another phase.
func (s *Stats) merge(o *Stats) {
	if o == nil {
		return
	}
	s.Messages.merge(&o.Messages)
	if o.Calls == 0 {
		return
	}
	if s.Calls == 0 {
		s.First, s.Last = o.First, o.Last
	}
	s.First, s.Last = min(s.First, o.First), max(s.Last, o.Last)
	s.Add(o.Counts)
	s.Response.Merge(o.Response)
	s.Service.Merge(o.Service)
	s.Lag.Merge(o.Lag)
	s.Bytes += o.Bytes
	for k, n := range o.Codes {
		count(s.Codes, k, otherCode, n)
	}
	for k, n := range o.MarkedCodes {
		count(s.MarkedCodes, k, otherCode, n)
	}
	for k, n := range o.Backends {
		count(s.Backends, k, more, n)
	}
	for k, n := range o.Marks {
		count(s.Marks, k, more, n)
	}
}

// count adds to a map that is kept from growing without bound: beside rest
// there are fewer than distinct keys.
func count[K comparable](m map[K]int64, key, rest K, n int64) {
	if _, known := m[key]; !known && key != rest {
		own := len(m)
		if _, there := m[rest]; there {
			own--
		}
		if own >= distinct-1 {
			key = rest
		}
	}
	m[key] += n
}

package evidence

import (
	"cmp"
	"time"
)

// sampleRow is a row of samples/*.parquet. Rows are sorted by load and seq
// within a row group, which makes most columns nearly free.
type sampleRow struct {
	Load     int64  `parquet:"load,dict"`
	LoadName string `parquet:"load_name,dict"`
	Seq      uint64 `parquet:"seq,delta"`
	Intended int64  `parquet:"intended_ns,delta"`
	Sent     int64  `parquet:"sent_ns,delta"`
	Done     int64  `parquet:"done_ns,delta"`
	Class    string `parquet:"class,dict"`
	Code     int64  `parquet:"code,dict"`
	Bytes    int64  `parquet:"bytes,delta"`
	Backend  string `parquet:"backend,dict"`
	Mark     string `parquet:"mark,dict"`
}

// toSampleRow makes rows of calls. The loads are named in them for those who
// query the files by themselves; we read only the index.
func toSampleRow(loads []string) func(*Sample) sampleRow {
	return func(s *Sample) sampleRow {
		return sampleRow{
			Load: int64(s.Load), LoadName: nameOf(loads, s.Load), Seq: s.Seq,
			Intended: int64(s.Intended), Sent: int64(s.Sent), Done: int64(s.Done),
			Class: s.Class.String(), Code: int64(s.Code), Bytes: s.Bytes,
			Backend: s.Backend, Mark: s.Mark,
		}
	}
}

func (r *sampleRow) compare(o *sampleRow) int {
	return cmp.Or(cmp.Compare(r.Load, o.Load), cmp.Compare(r.Seq, o.Seq))
}

// signed gives the order of signed numbers to unsigned ones.
func signed(v int64) uint64 { return uint64(v) ^ 1<<63 }

func (r *sampleRow) keys() (major, minor uint64, ok bool) { return signed(r.Load), r.Seq, true }

func (r *sampleRow) end() time.Duration { return time.Duration(r.Done) }

// messageRow is a row of messages/*.parquet, sorted by load, call and number
// within a row group.
type messageRow struct {
	Load     int64  `parquet:"load,dict"`
	LoadName string `parquet:"load_name,dict"`
	Call     uint64 `parquet:"call,delta"`
	N        uint64 `parquet:"n,delta"`
	Intended int64  `parquet:"intended_ns,delta"`
	Sent     int64  `parquet:"sent_ns,delta"`
	Done     int64  `parquet:"done_ns,delta"`
	Class    string `parquet:"class,dict"`
}

func toMessageRow(loads []string) func(*Message) messageRow {
	return func(m *Message) messageRow {
		return messageRow{
			Load: int64(m.Load), LoadName: nameOf(loads, m.Load), Call: m.Call, N: m.N,
			Intended: int64(m.Intended), Sent: int64(m.Sent), Done: int64(m.Done), Class: m.Class.String(),
		}
	}
}

func (r *messageRow) compare(o *messageRow) int {
	return cmp.Or(cmp.Compare(r.Load, o.Load), cmp.Compare(r.Call, o.Call), cmp.Compare(r.N, o.N))
}

func (r *messageRow) keys() (major, minor uint64, ok bool) { return 0, 0, false }

func (r *messageRow) end() time.Duration { return time.Duration(r.Done) }

func nameOf(loads []string, i int) string {
	if i < 0 || i >= len(loads) {
		return ""
	}
	return loads[i]
}

// pointRow is a row of series/*.parquet, sorted by series and then time within
// a row group.
type pointRow struct {
	At     int64   `parquet:"at_ns,delta"`
	Target string  `parquet:"target,dict"`
	Name   string  `parquet:"name,dict"`
	Labels string  `parquet:"labels,dict"`
	Value  float64 `parquet:"value,plain"`
}

func toPointRow(p *Point) pointRow {
	return pointRow{At: int64(p.At), Target: p.Target, Name: p.Name, Labels: p.Labels, Value: p.Value}
}

func (r *pointRow) compare(o *pointRow) int {
	if c := cmp.Compare(r.Target, o.Target); c != 0 {
		return c
	}
	if c := cmp.Compare(r.Name, o.Name); c != 0 {
		return c
	}
	if c := cmp.Compare(r.Labels, o.Labels); c != 0 {
		return c
	}
	return cmp.Compare(r.At, o.At)
}

func (r *pointRow) keys() (major, minor uint64, ok bool) { return 0, 0, false }

func (r *pointRow) end() time.Duration { return time.Duration(r.At) }

package evidence

import (
	"cmp"
	"time"
)

// held is a row as it is kept until it is written: *heldSample, *Message or *Point.
type held[H any] interface {
	*H
	compare(*H) int
	// keys gives two numbers that rows are sorted by as compare does, and whether
	// the kind of row has such.
	keys() (major, minor uint64, ok bool)
	end() time.Duration
}

// form is what becomes of a row: T is put, H is held, R is written.
type form[T, H, R any] interface {
	hold(*T) H
	row(*H) R
	// forget is called when nothing is held any more.
	forget()
}

// heldSample is a Sample without a pointer. Thousands are held while calls are
// made, and the garbage collector need not look at them.
type heldSample struct {
	load, code, bytes    int64
	seq                  uint64
	intended, sent, done int64
	backend, mark        int32 // numbers of the strings
	class                Class
}

func (h *heldSample) compare(o *heldSample) int {
	return cmp.Or(cmp.Compare(h.load, o.load), cmp.Compare(h.seq, o.seq))
}

func (h *heldSample) keys() (major, minor uint64, ok bool) { return signed(h.load), h.seq, true }

func (h *heldSample) end() time.Duration { return time.Duration(h.done) }

// signed gives the order of signed numbers to unsigned ones.
func signed(v int64) uint64 { return uint64(v) ^ 1<<63 }

// sampleForm is the form of Samples. The loads are named in their rows for those who
// query the files by themselves; we read only the index.
type sampleForm struct {
	loads   []string
	strings stringTable
}

func (f *sampleForm) hold(s *Sample) heldSample {
	return heldSample{
		seq: s.Seq, intended: int64(s.Intended), sent: int64(s.Sent), done: int64(s.Done),
		code: int64(s.Code), bytes: s.Bytes, class: s.Class,
		load: int64(s.Load), backend: f.strings.number(s.Backend), mark: f.strings.number(s.Mark),
	}
}

func (f *sampleForm) row(h *heldSample) sampleRow {
	return sampleRow{
		Load: h.load, LoadName: nameOf(f.loads, int(h.load)), Seq: h.seq,
		Intended: h.intended, Sent: h.sent, Done: h.done,
		Class: h.class.String(), Code: h.code, Bytes: h.bytes,
		Backend: f.strings.string(h.backend), Mark: f.strings.string(h.mark),
	}
}

func (f *sampleForm) forget() { f.strings.forget() }

// messageForm is the form of Messages.
type messageForm struct{ loads []string }

func (messageForm) hold(m *Message) Message { return *m }

func (f messageForm) row(m *Message) messageRow {
	return messageRow{
		Load: int64(m.Load), LoadName: nameOf(f.loads, m.Load), Call: m.Call, N: m.N,
		Intended: int64(m.Intended), Sent: int64(m.Sent), Done: int64(m.Done), Class: m.Class.String(),
	}
}

func (messageForm) forget() {}

func (m *Message) compare(o *Message) int {
	return cmp.Or(cmp.Compare(m.Load, o.Load), cmp.Compare(m.Call, o.Call), cmp.Compare(m.N, o.N))
}

func (m *Message) keys() (major, minor uint64, ok bool) { return 0, 0, false }

func (m *Message) end() time.Duration { return m.Done }

// pointForm is the form of Points.
type pointForm struct{}

func (pointForm) hold(p *Point) Point { return *p }

func (pointForm) row(p *Point) pointRow {
	return pointRow{At: int64(p.At), Target: p.Target, Name: p.Name, Labels: p.Labels, Value: p.Value}
}

func (pointForm) forget() {}

func (p *Point) compare(o *Point) int {
	if c := cmp.Compare(p.Target, o.Target); c != 0 {
		return c
	}
	if c := cmp.Compare(p.Name, o.Name); c != 0 {
		return c
	}
	if c := cmp.Compare(p.Labels, o.Labels); c != 0 {
		return c
	}
	return cmp.Compare(p.At, o.At)
}

func (p *Point) keys() (major, minor uint64, ok bool) { return 0, 0, false }

func (p *Point) end() time.Duration { return p.At }

func nameOf(loads []string, i int) string {
	if i < 0 || i >= len(loads) {
		return ""
	}
	return loads[i]
}

// stringTable has each of some strings once, and a number for it from 1; "" is 0.
type stringTable struct {
	all     []string
	numbers map[string]int32
	last    int32
}

// number gives that of a string, which may be new.
func (t *stringTable) number(s string) int32 {
	if s == t.string(t.last) { // most often it is the one before
		return t.last
	}
	if s == "" {
		return 0
	}
	n, ok := t.numbers[s]
	if !ok {
		if t.numbers == nil {
			t.numbers = make(map[string]int32)
		}
		t.all = append(t.all, s)
		n = int32(len(t.all))
		t.numbers[s] = n
	}
	t.last = n
	return n
}

func (t *stringTable) string(n int32) string {
	if n == 0 {
		return ""
	}
	return t.all[n-1]
}

// forget makes the numbers invalid.
func (t *stringTable) forget() {
	clear(t.all)
	clear(t.numbers)
	t.all, t.last = t.all[:0], 0
}

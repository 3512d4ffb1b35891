package chaos

import "cmp"

// LimitData closes a connection once it has carried a number of bytes: from
// the start of the fault, or from its opening if that is later. What is within
// the limit arrives; then both sides are closed. Each end sees the end of its
// stream, or a reset if it was still sending.
type LimitData struct {
	Bytes     Size   `yaml:"bytes" required:"true" doc:"how much a connection carries in a chosen direction before it is closed"`
	Direction string `yaml:"direction" enum:"up,down,both" default:"down" doc:"up counts what the caller sends, down what it gets back; both counts each on its own"`
	Share     Share  `yaml:"share" doc:"the part of the connections that is limited, drawn by seed; all unless given"`
}

// Validate reports attributes that make no sense.
func (l *LimitData) Validate(bad func(field, format string, args ...any)) {
	if l.Bytes <= 0 {
		bad("bytes", "want a size of 1B or more, not %s", l.Bytes)
	}
	checkDirection(bad, l.Direction)
	checkShare(bad, l.Share)
}

func (l *LimitData) String() string {
	return "limit_data " + l.Bytes.String() + directed(l.Direction, down) + shared(l.Share)
}

func (l *LimitData) way() string { return cmp.Or(l.Direction, down) }

func (l *LimitData) part() Share { return l.Share }

func (l *LimitData) begin(a *acting) func(*flow) stage {
	left := int64(l.Bytes)
	return func(f *flow) stage { return &limiting{acting: a, flow: f, left: left} }
}

type limiting struct {
	acting *acting
	flow   *flow
	left   int64
}

func (l *limiting) arrive(p piece, next func(piece)) {
	size := int64(p.size())
	if p.chunk == nil || size < l.left {
		l.left -= size
		next(p)
		return
	}
	rest := size - l.left
	if l.left > 0 {
		next(p.part(0, int(l.left)))
	}
	l.left = 0
	l.flow.gave.Add(rest)
	l.acting.touch(l.flow.conn, int(rest))
	end := p
	end.chunk, end.cut = nil, true
	next(end)
}

func (l *limiting) leave() {}

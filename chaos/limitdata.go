package chaos

import "cmp"

// LimitData closes a connection once it has carried a number of bytes: from
// the start of the fault, or from its opening if that is later. What is within
// the limit arrives; then both ends see the end of the stream.
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

func (l *LimitData) actsOnLink() {}

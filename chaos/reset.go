package chaos

import "time"

// Reset breaks connections with a TCP reset (RST) to both ends: those that
// stand when it is injected, and those opened while it acts.
type Reset struct {
	After time.Duration `yaml:"after" doc:"how long a connection lives on: from the start of the fault, or from its opening if that is later; at once unless given"`
	Share Share         `yaml:"share" doc:"the part of the connections that is reset, drawn by seed; all unless given"`
}

// Validate reports attributes that make no sense.
func (r *Reset) Validate(bad func(field, format string, args ...any)) {
	checkDelay(bad, "after", r.After)
	checkShare(bad, r.Share)
}

func (r *Reset) String() string {
	s := "reset"
	if r.After > 0 {
		s += " after " + r.After.String()
	}
	return s + shared(r.Share)
}

func (r *Reset) leavesNoConnections() string {
	if r.After > 0 || r.Share.percent() < 100 {
		return ""
	}
	return "every connection is reset at once"
}

func (r *Reset) actsOnLink() {}

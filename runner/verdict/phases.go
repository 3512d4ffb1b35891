package verdict

import "strings"

// Phases names the phases that a check speaks of: in a scenario one name, or a
// list. Empty means the whole run but its warm-up.
type Phases []string

// UnmarshalText reads one name; a list is decoded element by element.
func (p *Phases) UnmarshalText(b []byte) error {
	*p = Phases{string(b)}
	return nil
}

// String reads as the end of a sentence: "during steady and peak".
func (p Phases) String() string {
	switch n := len(p); n {
	case 0:
		return "during the whole run"
	case 1:
		return "during " + p[0]
	default:
		return "during " + strings.Join(p[:n-1], ", ") + " and " + p[n-1]
	}
}

package verdict

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"ordeal/runner/evidence"
)

// outcomes are the ways to end that a check counts as bad: of one of the
// classes, or with one of the codes; without either, every class but ok.
type outcomes struct {
	classes  []Class
	codes    []int
	degraded bool // an answer of success that is not the real one is bad too
}

func (o outcomes) match(c evidence.Class, code int) bool {
	if len(o.classes) == 0 && len(o.codes) == 0 {
		return c != evidence.OK
	}
	return slices.Contains(o.classes, Class(c)) || slices.Contains(o.codes, code) && code != 0
}

// String names what is counted: "errors", "http-5xx or 429".
func (o outcomes) String() string {
	var words []string
	for _, c := range o.classes {
		words = append(words, c.String())
	}
	for _, c := range o.codes {
		words = append(words, strconv.Itoa(c))
	}
	if len(words) == 0 {
		words = append(words, "errors")
	}
	if o.degraded {
		words = append(words, "degraded answers")
	}
	return strings.Join(words, " or ")
}

// count is how many calls ended in one of the outcomes.
func (o outcomes) count(stats *evidence.Stats) int64 {
	bad := stats.Where(o.match)
	if o.degraded {
		for k, n := range stats.MarkedCodes {
			if !o.match(k.Class, k.Code) {
				bad += n
			}
		}
	}
	return bad
}

// breakdown says how the calls ended that did not succeed, most frequent first.
func breakdown(s *evidence.Stats) string {
	type entry struct {
		name string
		n    int64
	}
	var all []entry
	for k, n := range s.Codes {
		if k.Class == evidence.OK {
			continue
		}
		name := k.Class.String()
		if k.Code > 0 {
			name += " " + strconv.Itoa(k.Code)
		}
		all = append(all, entry{name, n})
	}
	slices.SortFunc(all, func(a, b entry) int { return cmp.Or(cmp.Compare(b.n, a.n), strings.Compare(a.name, b.name)) })
	words := []string{fmt.Sprintf("%d ok", s.OK())}
	for i, e := range all {
		if i == 4 {
			words = append(words, "…")
			break
		}
		words = append(words, fmt.Sprintf("%d %s", e.n, e.name))
	}
	if s.Marked > 0 {
		words = append(words, fmt.Sprintf("%d degraded", s.Marked))
	}
	return strings.Join(words, ", ")
}

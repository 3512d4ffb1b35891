package verdict

import (
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

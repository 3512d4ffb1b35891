// Package verdict judges a run from its evidence alone: a check is a pure
// function of the run directory.
package verdict

import "ordeal/runner/evidence"

// Status is the outcome of a check. A worse status is a greater one.
type Status int

// The three outcomes. No data is never a Pass.
const (
	Pass         Status = iota
	Inconclusive        // the run cannot carry the claim, either way
	Fail
)

// String returns "pass", "inconclusive" or "fail".
func (s Status) String() string {
	switch s {
	case Pass:
		return "pass"
	case Inconclusive:
		return "inconclusive"
	default:
		return "fail"
	}
}

// MarshalText writes the status as String does.
func (s Status) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Check is one expectation of a scenario.
type Check interface {
	Judge(run *evidence.Run) Verdict
}

// Verdict is what a check says of a run.
type Verdict struct {
	Kind     string `json:"kind"` // "latency", "breaker", …; for validity the rule's name
	Name     string `json:"name"` // the expectation in one line: "browse p99 < 50ms during steady"
	Status   Status `json:"status"`
	Measured string `json:"measured,omitempty"` // with its unit: "12.4ms"; "" where nothing could be measured
	Limit    string `json:"limit,omitempty"`    // "< 50ms"
	Margin   string `json:"margin,omitempty"`   // room left as a share of the limit: "75%"; negative when over it
	Why      string `json:"why,omitempty"`      // one sentence; always there unless it passed plainly
	Parts    []Part `json:"parts,omitempty"`    // the properties that a compound check is made of
	Load     string `json:"load,omitempty"`     // what it speaks of, where it does
	Phase    string `json:"phase,omitempty"`
	Target   string `json:"target,omitempty"`

	// excess: what failed is that there was more of something than was allowed,
	// which is so whatever else was not sent.
	excess bool
}

// Part is one property of a compound check, such as "opens within" of breaker.
type Part struct {
	Name     string `json:"name"`
	Status   Status `json:"status"`
	Measured string `json:"measured,omitempty"`
	Limit    string `json:"limit,omitempty"`
	Why      string `json:"why,omitempty"`
}

// Judgement is everything that is said of a run.
type Judgement struct {
	Status   Status    `json:"status"`   // the worst of all below
	Validity []Verdict `json:"validity"` // whether the run itself can carry claims; Pass or Inconclusive
	Checks   []Verdict `json:"checks"`
}

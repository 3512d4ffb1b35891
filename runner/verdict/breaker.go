package verdict

import (
	"fmt"
	"strings"
	"time"
)

// Breaker verifies a circuit breaker from the outside: from the client's
// history of calls, from the calls that reached the link behind the breaker,
// and from the metrics that it exports. Each property is a part of the verdict.
//
// Some properties are looked at where they are asked for; legal changes of
// state, no flapping, and agreement of metrics and behaviour are always due.
//
// The target exports breaker_state{breaker} (0 closed, 1 open, 2 half-open),
// breaker_transitions_total{breaker,from,to},
// breaker_last_transition_timestamp_seconds{breaker,from,to} (Unix time) and
// breaker_calls_total{breaker,result="rejected"}.
type Breaker struct {
	Target string `yaml:"target" ref:"target" required:"true" doc:"the target that has the breaker"`
	Link   string `yaml:"link" ref:"link" required:"true" doc:"the link behind the breaker, such as gateway->users"`
	Load   string `yaml:"load" ref:"load" required:"true" doc:"the load whose calls pass the breaker"`
	During string `yaml:"during" ref:"phase" required:"true" doc:"the phase whose fault must open the breaker"`
	Name   string `yaml:"breaker" doc:"the breaker's name in its metrics; the link's far end where absent"`

	OpensWithin   time.Duration `yaml:"opens_within" doc:"longest time from the fault's injection until it is open"`
	Sheds         *Share        `yaml:"sheds" doc:"least share of the calls sent while open that must be rejected, such as 100%; no call may reach the link then"`
	Leaks         *CountLimit   `yaml:"leaks" doc:"limit on the calls that reach the link while it is open; where absent and sheds is 100%, none"`
	RejectsWithin time.Duration `yaml:"rejects_within" doc:"longest service time that nine in ten of the rejected calls may take; looked at with sheds, then 250ms where absent"`
	Probes        int           `yaml:"probes" doc:"most calls that may reach the link in one half-open state"`
	Reopens       *CountLimit   `yaml:"reopens" doc:"limit on how often it turns from half-open to open again while the fault acts"`
	Open          time.Duration `yaml:"open" doc:"the configured wait: it must stay open for as long, and go half-open soon after"`
	Gap           time.Duration `yaml:"gap" default:"1s" doc:"how long after the configured wait it may go half-open: the time between two calls, and room for a busy machine"`
	ClosesWithin  time.Duration `yaml:"closes_within" doc:"longest time from the heal of the fault until it is closed for good"`
	Drain         time.Duration `yaml:"drain" default:"1s" doc:"how long after opening calls may still reach the link that were under way before; at most half of the time it is open"`

	ShedMark  string `yaml:"shed_mark" default:"circuit-open" doc:"how a rejected call is marked in the answer (X-Degraded)"`
	ShedCodes []int  `yaml:"shed_codes" doc:"HTTP statuses or gRPC codes that also say that a call was rejected, for a target that does not mark its answers"`
}

// Validate reports what is wrong with the expectation.
func (b *Breaker) Validate(bad func(field, format string, args ...any)) {
	for _, d := range []struct {
		field string
		v     time.Duration
	}{
		{"opens_within", b.OpensWithin}, {"rejects_within", b.RejectsWithin}, {"open", b.Open}, {"gap", b.Gap},
		{"closes_within", b.ClosesWithin}, {"drain", b.Drain},
	} {
		if d.v < 0 {
			bad(d.field, "%s is negative", d.v)
		}
	}
	if b.Probes < 0 {
		bad("probes", "%d is negative", b.Probes)
	}
	if b.Link != "" && strings.Contains(b.Link, "->") && b.Target != "" && !strings.HasPrefix(b.Link, b.Target+"->") {
		bad("link", "%s does not begin at %s, which has the breaker", b.Link, b.Target)
	}
	if b.OpensWithin == 0 && b.Sheds == nil && b.Leaks == nil && b.Probes == 0 && b.Reopens == nil && b.Open == 0 && b.ClosesWithin == 0 {
		bad("", "nothing to judge: want at least one of opens_within, sheds, leaks, probes, reopens, open and closes_within")
	}
}

// String is the expectation in one line.
func (b *Breaker) String() string {
	var parts []string
	add := func(asked bool, format string, args ...any) {
		if asked {
			parts = append(parts, fmt.Sprintf(format, args...))
		}
	}
	add(b.OpensWithin > 0, "opens within %s of %s", b.OpensWithin, b.During)
	add(b.Sheds != nil, "sheds %s", b.Sheds)
	add(b.Leaks != nil, "leaks %s", b.Leaks)
	add(b.Probes > 0, "at most %s", several(b.Probes, "probe"))
	add(b.Open > 0, "stays open for %s", b.Open)
	add(b.Reopens != nil, "reopens %s", b.Reopens)
	add(b.ClosesWithin > 0, "closes within %s of the heal", b.ClosesWithin)
	return fmt.Sprintf("breaker of %s: %s", b.link(), strings.Join(parts, ", "))
}

// link is the link's full name; the far end alone may be given.
func (b *Breaker) link() string {
	if strings.Contains(b.Link, "->") || b.Link == "" {
		return b.Link
	}
	return b.Target + "->" + b.Link
}

// label is the breaker's name in its metrics.
func (b *Breaker) label() string {
	if b.Name != "" {
		return b.Name
	}
	_, to, _ := strings.Cut(b.link(), "->")
	return to
}

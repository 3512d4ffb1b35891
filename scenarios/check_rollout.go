package scenarios

import (
	"slices"
	"time"

	"ordeal/runner/change"
	"ordeal/runner/verdict"
)

// rollout checks that the phase changes what is judged, and that there is time
// until the next change of it for what may take so long.
func (c *checker) rollout(r *verdict.Rollout) {
	kind, name := r.Object()
	of := change.Object{Kind: kind, Name: name}
	changes := func(ph Phase) bool {
		return slices.ContainsFunc(ph.Changes, func(s *change.Spec) bool { return s.Object() == of })
	}
	at := slices.IndexFunc(c.Phases, func(ph Phase) bool { return ph.Name == r.During })
	if at < 0 || !changes(c.Phases[at]) {
		var have []string
		for _, ph := range c.Phases {
			if changes(ph) {
				have = append(have, ph.Name)
			}
		}
		hint := "give the phase changes: [{…}] of it"
		if len(have) > 0 {
			hint = "want " + oneOf(have)
		}
		c.bad(r, "during", hint, "phase %s makes no change of %s", r.During, of)
		return
	}
	rest := c.Phases[at].For
	for _, ph := range c.Phases[at+1:] {
		if changes(ph) {
			break
		}
		rest += ph.For
	}
	for _, limit := range []struct {
		field string
		v     time.Duration
	}{{"complete_within", r.CompleteWithin}, {"mixed_within", r.MixedWithin}, {"switch_within", r.SwitchWithin}} {
		if limit.v > rest {
			c.bad(r, limit.field, "make the phase longer", "%s is changed again, or the timeline ends, %s after phase %s starts: too short to see what may take %s", of, rest, r.During, limit.v)
		}
	}
}

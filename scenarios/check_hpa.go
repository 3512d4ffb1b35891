package scenarios

import (
	"slices"
	"time"

	"ordeal/runner/verdict"
)

// hpa checks that there is a cluster that could have the autoscaler, and that the
// phases are long enough to see what is asked for.
func (c *checker) hpa(h *verdict.HPA) {
	if c.Kubernetes == nil {
		c.bad(h, "", needsCluster, "an autoscaler is a part of a cluster, and the scenario has none")
		return
	}
	index := func(name string) int {
		return slices.IndexFunc(c.Phases, func(ph Phase) bool { return ph.Name == name })
	}
	during, calm := index(h.During), index(h.Calm)
	if h.Calm != "" && calm < during {
		c.bad(h, "calm", "want a phase after it", "phase %s does not come after %s", h.Calm, h.During)
	}
	for _, limit := range []struct {
		field string
		phase int
		v     time.Duration
	}{
		{"first_scale_within", during, h.FirstWithin}, {"enough_within", during, h.EnoughWithin},
		{"stabilization", calm, h.Stabilization + 2*h.Sync}, {"back_to_min_within", calm, h.BackWithin},
	} {
		if limit.phase < 0 || limit.v == 0 || limit.v <= c.Phases[limit.phase].For {
			continue
		}
		ph := c.Phases[limit.phase]
		c.bad(h, limit.field, "make the phase longer", "phase %s takes %s: too short to see what may take %s", ph.Name, ph.For, limit.v)
	}
}

package verdict

import (
	"fmt"
	"time"
)

// deployment gives what was seen of one Deployment.
func (st *stage) deployment(name string) []sighting {
	var own []sighting
	for _, d := range st.deployments {
		if d.Metadata.Name == name {
			own = append(own, d)
		}
	}
	return own
}

// completed finds when the Deployment was first seen changed and whole: its
// controller has seen the change, and as many Pods as are wanted are of its
// template and available, and no others are left.
func (s *shift) completed() (at time.Duration, why string, ok bool) {
	before, changed := int64(-1), false
	for _, d := range s.stage.deployment(s.Deployment) {
		if d.at <= s.at {
			before = d.Metadata.Generation
			continue
		}
		if before < 0 {
			return 0, fmt.Sprintf("nothing was seen of Deployment %s before the change", s.Deployment), false
		}
		if d.Metadata.Generation <= before {
			continue
		}
		changed = true
		want, st := d.wanted(), d.Status
		if st.ObservedGeneration >= d.Metadata.Generation && st.UpdatedReplicas == want && st.Replicas == want && st.AvailableReplicas == want {
			return d.at, "", true
		}
	}
	if !changed {
		return 0, fmt.Sprintf("nothing was seen of Deployment %s changing", s.Deployment), false
	}
	return 0, "", false
}

// complete: from the change until the Deployment is whole again.
func (s *shift) complete() Part {
	limit := s.CompleteWithin
	if limit == 0 {
		limit = s.until - s.at
	}
	p := Part{Name: "complete", Limit: "<= " + formatDuration(limit)}
	at, why, ok := s.completed()
	switch {
	case why != "":
		return p.as(Inconclusive, "%s", why)
	case ok && at-s.at > limit:
		p.Measured = formatDuration(at - s.at)
		return p.as(Fail, "it took %s until every Pod was of the new version and available", p.Measured)
	case ok:
		p.Measured = formatDuration(at - s.at)
		return p
	case s.until-s.at < limit-slight:
		return p.as(Inconclusive, "it was not complete after %s, and not watched for longer", formatDuration(s.until-s.at))
	}
	p.Measured = "> " + formatDuration(s.until-s.at)
	last := s.stage.deployment(s.Deployment)
	d := last[len(last)-1]
	return p.as(Fail, "it was not complete in the %s after the change: of %d Pods wanted %d were of the new version, %d available, %d there in all",
		formatDuration(s.until-s.at), d.wanted(), d.Status.UpdatedReplicas, d.Status.AvailableReplicas, d.Status.Replicas)
}

// mixedPods: for how long Pods of both versions were Ready.
func (s *shift) mixedPods() Part {
	p := Part{Name: "mixed Pods", Limit: "<= " + s.MixedWithin.String()}
	if s.noSides != "" {
		return p.as(Inconclusive, "%s", s.noSides)
	}
	firstNew, lastOld := time.Duration(-1), time.Duration(-1)
	ready := map[string]bool{} // by name: the old ones
	for _, pod := range s.stage.pods {
		name := pod.Metadata.Name
		switch s.versions[name] {
		case newSide:
			if pod.ready() && pod.at > s.at && firstNew < 0 {
				firstNew = pod.at
			}
		case oldSide:
			if was := ready[name]; was && !pod.ready() {
				lastOld = max(lastOld, pod.at)
			}
			ready[name] = pod.ready()
		}
	}
	for _, still := range ready {
		if still {
			lastOld = s.until
		}
	}
	if firstNew < 0 {
		return p.as(Inconclusive, "no Pod of the new version was Ready")
	}
	return s.within(p, s.MixedWithin, max(0, lastOld-firstNew), firstNew, "Pods of both versions were Ready for %s")
}

// oldLeft reports whether a Pod of the old version was left, be it on its way out,
// when nobody looked any more.
func (s *shift) oldLeft() bool {
	there := map[string]bool{}
	for _, pod := range s.stage.pods {
		if name := pod.Metadata.Name; s.versions[name] == oldSide {
			there[name] = !pod.gone
		}
	}
	for _, left := range there {
		if left {
			return true
		}
	}
	return false
}

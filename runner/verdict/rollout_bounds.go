package verdict

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// What a Deployment's strategy is where it says nothing.
const (
	usualShare = "25%"
	recreate   = "Recreate"
)

// bound is one side of the band that the number of Pods must keep to.
type bound struct {
	share PodShare
	text  string // with where it comes from
}

// strategy gives the bounds of the Deployment as they were when the change was
// made or came, unless the expectation has its own.
func (s *shift) strategy() (unavailable, surge bound, why string) {
	seen := s.stage.deployment(s.Deployment)
	if len(seen) == 0 {
		return bound{}, bound{}, fmt.Sprintf("nothing was seen of Deployment %s", s.Deployment)
	}
	d := seen[0]
	for _, later := range seen {
		if later.at <= s.at || later.Metadata.Generation > d.Metadata.Generation && d.at <= s.at {
			d = later
		}
	}
	var usual PodShare
	_ = usual.UnmarshalText([]byte(usualShare)) // it is one
	u, g := usual, usual
	if rolling := d.Spec.Strategy.RollingUpdate; rolling != nil {
		if rolling.MaxUnavailable != nil {
			u = *rolling.MaxUnavailable
		}
		if rolling.MaxSurge != nil {
			g = *rolling.MaxSurge
		}
	}
	if d.Spec.Strategy.Type == recreate {
		u, g = PodShare{share: 1, text: "100%"}, PodShare{}
	}
	unavailable, surge = bound{u, "<= " + u.String() + " (its strategy)"}, bound{g, "<= " + g.String() + " (its strategy)"}
	if s.MaxUnavailable != nil {
		unavailable = bound{*s.MaxUnavailable, "<= " + s.MaxUnavailable.String()}
	}
	if s.MaxSurge != nil {
		surge = bound{*s.MaxSurge, "<= " + s.MaxSurge.String()}
	}
	return unavailable, surge, ""
}

// skew is how much later than a Pod a Deployment may be seen: each kind of object
// has a watch of its own.
const skew = time.Second

// moment is how many Pods a Deployment had from a time on, and what its bounds
// were then.
type moment struct {
	at           time.Duration
	there, ready int
	least, most  int // it wanted since the change: fewer and more are due to its scaling
}

// moments follows the Pods of the Deployment from the change on. The first is how
// things were when it was made.
func (s *shift) moments() []moment {
	sets := map[string]bool{}
	for _, rs := range s.stage.sets {
		if rs.ownedBy("Deployment", s.Deployment) {
			sets[rs.Metadata.Name] = true
		}
	}
	type step struct {
		at     time.Duration
		pod    *sighting
		wanted int // -1 for a step of a Pod
	}
	var steps []step
	for i := range s.stage.pods {
		pod := &s.stage.pods[i]
		for _, owner := range pod.Metadata.OwnerReferences {
			if owner.Kind == "ReplicaSet" && sets[owner.Name] {
				steps = append(steps, step{pod.at, pod, -1})
			}
		}
	}
	for _, d := range s.stage.deployment(s.Deployment) {
		at := d.at
		if at > s.at {
			at = max(s.at+1, at-skew)
		}
		steps = append(steps, step{at, nil, d.wanted()})
	}
	slices.SortStableFunc(steps, func(a, b step) int { return cmp.Compare(a.at, b.at) })
	pods := map[string]*sighting{} // by name
	now := moment{at: s.at, least: -1}
	var all []moment
	count := func() {
		now.there, now.ready = 0, 0
		for _, p := range pods {
			if p.active() {
				now.there++
			}
			if p.ready() {
				now.ready++
			}
		}
	}
	for _, x := range steps {
		if x.at > s.at && all == nil {
			count()
			all = append(all, now)
		}
		switch {
		case x.pod != nil:
			pods[x.pod.Metadata.Name] = x.pod
		case x.at <= s.at || now.least < 0:
			now.least, now.most = x.wanted, x.wanted
		default:
			now.least, now.most = min(now.least, x.wanted), max(now.most, x.wanted)
		}
		if x.at > s.at {
			now.at = x.at
			count()
			all = append(all, now)
		}
	}
	return all
}

// unavailable: at no time were more Pods missing than may be.
func (s *shift) unavailable() Part {
	return s.bounded("max unavailable", func(unavailable, surge bound) string { return unavailable.text },
		func(m moment, unavailable, surge bound) (over, excess int, story string) {
			may := unavailable.share.down(m.least)
			if may == 0 && surge.share.up(m.least) == 0 {
				may = 1 // or nothing could ever be replaced
			}
			missing := m.least - m.ready
			return max(0, missing), missing - may, fmt.Sprintf("only %d of %d Pods were Ready", m.ready, m.least)
		})
}

// surge: at no time were there more Pods than may be.
func (s *shift) surge() Part {
	return s.bounded("max surge", func(_, surge bound) string { return surge.text },
		func(m moment, _, surge bound) (over, excess int, story string) {
			may := surge.share.up(m.most)
			extra := m.there - m.most
			return max(0, extra), extra - may, fmt.Sprintf("there were %d Pods where %d were wanted", m.there, m.most)
		})
}

// bounded judges one side of the band at every moment from the change until the
// Deployment was whole again.
func (s *shift) bounded(name string, text func(unavailable, surge bound) string,
	judge func(m moment, unavailable, surge bound) (over, excess int, story string),
) Part {
	p := Part{Name: name}
	unavailable, surge, why := s.strategy()
	if why != "" {
		return p.as(Inconclusive, "%s", why)
	}
	p.Limit = text(unavailable, surge)
	all := s.moments()
	if len(all) < 2 {
		return p.as(Inconclusive, "nothing was seen of the Pods of Deployment %s after the change", s.Deployment)
	}
	until, _, whole := s.completed()
	most := 0
	for i, m := range all {
		if whole && m.at > until {
			break
		}
		over, excess, story := judge(m, unavailable, surge)
		most = max(most, over)
		switch {
		case excess <= 0:
		case i == 0:
			return p.as(Inconclusive, "%s when the change was made: it was not whole before", story)
		default:
			p.Measured = several(over, "Pod")
			return p.as(Fail, "%s %s after the change", story, formatDuration(m.at-s.at))
		}
	}
	p.Measured = several(most, "Pod")
	return p
}

package scenarios

import (
	"ordeal/chaos"
	"ordeal/runner/change"
	"ordeal/targets"
)

// processFault checks that the processes of the target are there to be broken.
func (c *checker) processFault(f *chaos.Spec, t *targets.Spec) {
	if !t.Started() {
		c.bad(f, "target", "want a target that Ordeal starts, or a fault on a link", "%s runs already: its processes are not Ordeal's to break", t.Name)
		return
	}
	replica, of := 0, any(nil)
	switch {
	case f.Kill != nil:
		replica, of = f.Kill.Replica, f.Kill
	case f.Pause != nil:
		replica, of = f.Pause.Replica, f.Pause
	case f.Restart != nil:
		replica, of = f.Restart.Replica, f.Restart
	}
	if replica > t.Replicas {
		c.bad(of, "replica", "replicas are counted from 1", "%s has no replica %d: it has %d", t.Name, replica, t.Replicas)
	}
}

// changes checks that those of one phase are made to different objects: what
// comes of two at once nobody could tell apart.
func (c *checker) changes() {
	for _, ph := range c.doc.Timeline {
		seen := map[change.Object]bool{}
		for _, spec := range ph.Changes {
			if o := spec.Object(); seen[o] {
				c.bad(spec, "", "want a phase for each", "phase %s changes %s twice", ph.Name, o)
			} else {
				seen[o] = true
			}
		}
	}
}

// conflict says why two faults of one phase cannot act together.
func conflict(a, b *chaos.Spec) string { return chaos.Conflicts(a, b) }

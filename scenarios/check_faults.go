package scenarios

import (
	"ordeal/chaos"
	"ordeal/runner/change"
	"ordeal/targets"
)

// processFault checks that the processes of the target are there to be broken.
func (c *checker) processFault(f *chaos.Spec, t *targets.Spec) {
	if t.Kind() == targets.KindService {
		c.bad(f, "target", "want pod_kill, pod_unready, pod_stuck or crash_loop", "%s is a service: its processes are the cluster's, in Pods", t.Name)
		return
	}
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

// podFault checks that there are Pods to be broken. The target is nil where the
// fault is on a node.
func (c *checker) podFault(f *chaos.Spec, t *targets.Spec) {
	switch {
	case c.Kubernetes == nil:
		c.bad(f, "", needsCluster, "the scenario has no cluster, and so no Pods to be broken")
	case t != nil && t.Kind() != targets.KindService:
		c.bad(f, "target", "want a target with service: NAME", "%s has no Pods: it is no service of the cluster", t.Name)
	}
}

// changes checks that those of one phase are made to different objects: what
// comes of two at once nobody could tell apart.
func (c *checker) changes() {
	for _, ph := range c.doc.Timeline {
		seen := map[change.Object]bool{}
		for _, spec := range ph.Changes {
			if c.Kubernetes == nil {
				c.bad(spec, "", needsCluster, "the scenario has no cluster that could be changed")
				return
			}
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

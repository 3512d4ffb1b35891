package scenarios

import (
	"maps"
	"slices"

	"ordeal/targets"
)

const needsCluster = "add kubernetes: local, or kubernetes: {context: NAME}"

// cluster checks that the services among the targets have a cluster, and the
// cluster has services.
func (c *checker) cluster() {
	services := 0
	for _, t := range c.Targets {
		if t.Kind() == targets.KindService {
			if services++; c.Kubernetes == nil {
				c.bad(t, "service", needsCluster, "%s is a service, and the scenario has no cluster", t.Name)
			}
		}
		for _, name := range slices.Sorted(maps.Keys(t.Calls)) {
			if to := c.Target(t.Calls[name]); to != nil && to.Kind() == targets.KindService {
				c.bad(t, "calls", "run both in the cluster, or neither", "%s cannot call %s: the Pods of a service come and go, and a process is told its addresses once", t.Name, to.Name)
			}
		}
	}
	if c.Kubernetes == nil {
		return
	}
	if services == 0 {
		c.bad(c.doc, "kubernetes", "want a target with service: NAME, or no kubernetes", "no target is a service of the cluster")
	}
	for _, t := range c.Targets {
		if t.Name == "kubernetes" || t.Name == "controllers" {
			c.d.bad(c.d.nodes[t].head(), quote(t.Name)+" is a part of the cluster", "want another name for the target")
		}
	}
}

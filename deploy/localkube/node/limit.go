package node

import (
	corev1 "k8s.io/api/core/v1"

	"ordeal/deploy/localkube/cgroup"
)

// limited makes the control group of a container that has a limit of CPU; nil for one that has none, and where limits
// do not hold. Each life of a container has the group anew, so that nothing of the last one takes from its share.
func (c *container) limited(spec *corev1.Container) (*cgroup.Group, error) {
	groups, milli := c.pod.agent.cfg.Groups, spec.Resources.Limits.Cpu().MilliValue()
	if groups == nil || milli == 0 {
		return nil, nil
	}
	return groups.Group(string(c.pod.latest().UID)+"_"+c.name, milli)
}

// ungroup kills what is left in the group, also what has left the process group, and removes it.
func (l *life) ungroup() {
	if l.group == nil {
		return
	}
	if err := l.group.Remove(); err != nil { // it is tried again when the control plane ends
		l.container.pod.log.Warn("remove the control group", "container", l.container.name, "err", err)
	}
}

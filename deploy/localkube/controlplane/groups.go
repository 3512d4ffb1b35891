package controlplane

import (
	"errors"

	"ordeal/deploy/localkube/cgroup"
)

var errNotWanted = errors.New("--cpu-limits=false")

// group makes the control groups of Pods, or notes why there are none. Whoever may have to remove them knows of them
// before they are there: the guard, and who reads the state when the guard is gone, too.
func (p *ControlPlane) group(wanted bool) error {
	if !wanted {
		p.Ungrouped = errNotWanted
		return nil
	}
	tree, err := cgroup.Find()
	if err != nil {
		p.Ungrouped = err
		return nil
	}
	p.State.Groups = tree.Dir()
	if err := p.State.write(p.Dir); err != nil {
		return err
	}
	if err := p.guard.Groups(tree.Dir()); err != nil {
		return err
	}
	if p.Ungrouped = tree.Make(); p.Ungrouped == nil {
		p.Groups = tree
	}
	return nil
}

package kubernetes

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"syscall"

	core "k8s.io/api/core/v1"
)

// processID begins the id of a container that is a process of this machine; its
// process id, which is that of its group too, follows.
const processID = "localkube://"

// PausePod makes the processes of a Pod stand still. resume lets those go on that
// are still the same: one that was killed meanwhile, and started anew, never
// stood still.
func (c *Cluster) PausePod(pod *core.Pod) (resume func() error, err error) {
	if !c.local {
		return nil, fmt.Errorf("the processes of Pod %s are another machine's: only those of kubernetes: local can be made to stand still", pod.Name)
	}
	groups, err := groupsOf(pod)
	if err != nil {
		return nil, err
	}
	resume = func() error {
		now, err := c.informers.Core().V1().Pods().Lister().Pods(pod.Namespace).Get(pod.Name)
		if err != nil {
			return nil //nolint:nilerr // the Pod is gone, and its processes with it
		}
		var errs []error
		for _, s := range now.Status.ContainerStatuses {
			if group, was := groups[s.ContainerID]; was && s.State.Running != nil {
				errs = append(errs, signalGroup(group, syscall.SIGCONT))
			}
		}
		return errors.Join(errs...)
	}
	for _, group := range groups {
		if err := signalGroup(group, syscall.SIGSTOP); err != nil {
			return nil, errors.Join(fmt.Errorf("stop the processes of Pod %s: %w", pod.Name, err), resume())
		}
	}
	return resume, nil
}

// groupsOf gives the process groups of the containers that run, by their ids.
func groupsOf(pod *core.Pod) (map[string]int, error) {
	groups := map[string]int{}
	for _, s := range pod.Status.ContainerStatuses {
		if s.State.Running == nil {
			continue
		}
		text, ours := strings.CutPrefix(s.ContainerID, processID)
		group, err := strconv.Atoi(text)
		if !ours || err != nil || group <= 1 {
			return nil, fmt.Errorf("container %s of Pod %s is %q, no process of this machine", s.Name, pod.Name, s.ContainerID)
		}
		groups[s.ContainerID] = group
	}
	if len(groups) == 0 {
		return nil, fmt.Errorf("no container of Pod %s runs", pod.Name)
	}
	return groups, nil
}

// signalGroup sends a signal to a process group. One that has ended is no error.
func signalGroup(group int, signal syscall.Signal) error {
	if err := syscall.Kill(-group, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("send %v to process group %d: %w", signal, group, err)
	}
	return nil
}

package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// errNoMembers is why members are no longer waited for.
var errNoMembers = errors.New("there is none in time")

// AwaitAny waits until at least one Pod takes calls. The error says what is wrong
// with those that do not.
func (m *Members) AwaitAny(ctx context.Context, within time.Duration) error {
	waiting, cancel := context.WithTimeoutCause(ctx, within, errNoMembers)
	defer cancel()
	err := m.cluster.Await(waiting, "Service "+m.service+" has a Pod that is ready", func() (bool, error) { return len(m.Now()) > 0, nil })
	if !errors.Is(err, errNoMembers) {
		return err
	}
	pods, listErr := m.cluster.Pods(m.service)
	if listErr != nil {
		return listErr
	}
	if len(pods) == 0 {
		return fmt.Errorf("no Pod is selected by Service %s within %v", m.service, within)
	}
	asking, cancelAsking := context.WithTimeout(ctx, explainWithin)
	defer cancelAsking()
	var why []string
	for _, pod := range pods[:min(len(pods), mostExplained)] {
		why = append(why, m.cluster.explainPod(asking, pod)...)
	}
	return fmt.Errorf("no Pod of Service %s is ready within %v:%s", m.service, within, indented(why))
}

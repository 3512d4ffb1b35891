package chaos

import (
	"context"
	"errors"
	"time"
)

// ErrBudget is the error of an eviction that a PodDisruptionBudget does not
// allow now, and may allow later.
var ErrBudget = errors.New("a disruption budget does not allow it now")

// RotationGate is the type of the readiness gate by which a Pod can be taken out
// of rotation: while the condition of that type is not True, the Pod is not
// Ready, however well its containers are.
const RotationGate = "ordeal/in-rotation"

// Cluster is a Kubernetes cluster, as faults need it. Its calls say themselves
// which object an error is about.
type Cluster interface {
	// Pods lists the Pods behind a target, also those that are not Ready or are
	// about to end, but not those that have ended for good, sorted by name; for ""
	// all Pods of the run's namespace.
	Pods(ctx context.Context, target string) ([]Pod, error)
	// DeletePod deletes a Pod, or does nothing if it is gone. Its processes get so
	// long to end; with 0s they are killed at once.
	DeletePod(ctx context.Context, p Pod, grace time.Duration) error
	// EvictPod asks for a Pod to be moved away, with the grace of its own. The
	// error is ErrBudget where a budget keeps it; a Pod that is gone is none.
	EvictPod(ctx context.Context, p Pod) error
	// SetPodCondition sets a condition of a Pod's status. A Pod that is gone is no
	// error.
	SetPodCondition(ctx context.Context, p Pod, condition string, ok bool) error
	// PausePod makes the processes of a Pod stand still. resume lets those go on
	// that still do. The error of a Pod of another machine says so.
	PausePod(ctx context.Context, p Pod) (resume func() error, err error)
	// Cordon keeps new Pods off a node, or lets them there again.
	Cordon(ctx context.Context, node string, on bool) error
	// Cordoned reports whether new Pods are kept off a node; an error where there
	// is no such node.
	Cordoned(ctx context.Context, node string) (bool, error)
	// Deployment gives the state of the Deployment behind a target. The error is
	// ErrNoDeployment where its Pods are not made by exactly one.
	Deployment(ctx context.Context, target string) (Deployment, error)
	// BreakTemplate changes the template of a Deployment so that new Pods fail to
	// start. restore puts it back as it was.
	BreakTemplate(ctx context.Context, deployment string) (restore func(context.Context) error, err error)
}

// ErrNoDeployment is the error of Cluster.Deployment where there is none.
var ErrNoDeployment = errors.New("there is not exactly one Deployment behind the target")

// Pod is a Pod at a moment.
type Pod struct {
	Name, UID string
	Node      string // "" where it is not scheduled yet
	Ready     bool
	Ending    bool     // it was deleted, and is given its grace
	Failing   bool     // a container of it does not start, or ended and is not started again yet
	Pinned    bool     // it belongs to its node, as those of DaemonSets do: a drain leaves it
	Gates     []string // the types of its readiness gates
}

// serves reports whether a Pod is in rotation.
func (p Pod) serves() bool { return p.Ready && !p.Ending }

// coming reports whether a Pod is not in rotation yet.
func (p Pod) coming() bool { return !p.Ready && !p.Ending }

// Deployment is a Deployment at a moment.
type Deployment struct {
	Name     string
	Replicas int  // how many are wanted
	Settled  bool // as many as are wanted are of its template as it is now, and available; none is of another
}

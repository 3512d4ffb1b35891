// Package components has the programs of a Kubernetes control plane. Each is run by a process of its own: they keep
// feature gates, flags and loggers in globals, and do not bear another one beside them.
package components

import (
	"context"
	"fmt"
	"io"
	"os"

	"k8s.io/component-base/cli"
	kubectl "k8s.io/kubectl/pkg/cmd"
	manager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
)

// The names of the components, which are the verbs that run them.
const (
	Etcd              = "etcd"
	APIServer         = "kube-apiserver"
	ControllerManager = "kube-controller-manager"
	Scheduler         = "kube-scheduler"
)

// Names has the components in the order in which they need each other.
func Names() []string { return []string{Etcd, APIServer, ControllerManager, Scheduler} }

// Run runs a component in this process until it ends, and returns the exit code. It loads at once and begins when
// standard input ends: so all of them load together, and each begins when what it needs is there.
func Run(ctx context.Context, name string, args []string) int {
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		return failed(name, fmt.Errorf("wait for the end of standard input: %w", err))
	}
	switch name {
	case Etcd:
		return failed(name, runEtcd(ctx))
	case APIServer:
		return failed(name, runAPIServer(args))
	case ControllerManager:
		cmd := manager.NewControllerManagerCommand()
		cmd.SetArgs(args)
		return cli.Run(cmd)
	case Scheduler:
		cmd := scheduler.NewSchedulerCommand()
		cmd.SetArgs(args)
		return cli.Run(cmd)
	default:
		return failed(name, fmt.Errorf("no such component"))
	}
}

// Kubectl is kubectl, and returns its exit code.
func Kubectl(args []string) int {
	os.Args = append([]string{"kubectl"}, args...)
	return cli.Run(kubectl.NewDefaultKubectlCommand())
}

func failed(name string, err error) int {
	if err == nil {
		return 0
	}
	fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
	return 1
}

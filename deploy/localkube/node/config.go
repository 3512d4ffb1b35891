// Package node is a Kubernetes node without containers: it runs every Pod as processes of this machine, each Pod with a
// loopback address of its own.
package node

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"ordeal/deploy/localkube/cgroup"
)

// Config says what the node, or nodes, are to be.
type Config struct {
	Kubeconfig  string
	Dir         string              // absolute; the Pods' logs are below its directory pods
	Images      map[string][]string // image name without registry and tag → entry point
	Subnet      netip.Prefix        // loopback addresses for nodes and Pods, of nobody else
	MarkerEnv   string              // NAME=VALUE, for every process that is started; may be empty
	Log         *slog.Logger
	Names       []string            // a Node each; default: localkube
	Groups      *cgroup.Tree        // control groups in which limits of CPU hold; nil: nowhere
	Ungrouped   error               // why Groups is nil
	Allocatable corev1.ResourceList // what the scheduler may give away of each Node; default: DefaultAllocatable
}

// DefaultName is the name of the only Node.
const DefaultName = "localkube"

// nodeAddresses are the first addresses of the subnet, which are not for Pods.
const nodeAddresses = 16

// DefaultAllocatable is generous: it is the load that shows what the machine can do.
func DefaultAllocatable() corev1.ResourceList {
	return corev1.ResourceList{
		corev1.ResourceCPU:              resource.MustParse("64"),
		corev1.ResourceMemory:           resource.MustParse("64Gi"),
		corev1.ResourceEphemeralStorage: resource.MustParse("64Gi"),
		corev1.ResourcePods:             resource.MustParse("250"),
	}
}

// cpuLimits says what comes of limits of CPU.
func (c Config) cpuLimits() string {
	switch {
	case c.Groups != nil:
		return fmt.Sprintf("enforced by cgroup v%d", c.Groups.Version())
	case c.Ungrouped != nil:
		return "not enforced: " + c.Ungrouped.Error()
	default:
		return "not enforced: no control groups were given"
	}
}

// complete fills in what was left out, and says what cannot be.
func (c Config) complete() (Config, error) {
	if len(c.Names) == 0 {
		c.Names = []string{DefaultName}
	}
	if c.Allocatable == nil {
		c.Allocatable = DefaultAllocatable()
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	var errs []error
	if len(c.Names) >= nodeAddresses {
		errs = append(errs, fmt.Errorf("%d nodes: want fewer than %d", len(c.Names), nodeAddresses))
	}
	if c.Dir == "" {
		errs = append(errs, errors.New("a directory is needed"))
	}
	if !c.Subnet.Addr().Is4() || !c.Subnet.Addr().IsLoopback() || c.Subnet.Bits() > 24 {
		errs = append(errs, fmt.Errorf("subnet %v: want loopback addresses, 256 at least", c.Subnet))
	}
	return c, errors.Join(errs...)
}

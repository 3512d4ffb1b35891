// Package controlplane starts a Kubernetes control plane on the loopback addresses of this machine and ends it without
// a trace: etcd, API server, controller manager and scheduler as processes of their own, with certificates made for
// this one start.
package controlplane

import (
	"errors"
	"fmt"
	"net/netip"
	"time"
)

// Config says what a control plane is to be.
type Config struct {
	Self    string // the program that runs the components by their names as verbs, and the guard
	Dir     string // absolute; where everything is kept. It must not hold anything else
	APIPort int    // 0: 6443 if it is free, and any free port otherwise
	APIVia  string // HOST:PORT by which controllers, scheduler and node reach the API server; empty: its own address
	HPA     HPA

	CPULimits bool // limits of CPU in Pods are to hold, where this machine allows it
}

// HPA has the times of the autoscaler.
type HPA struct {
	SyncPeriod              time.Duration // between two looks at the metrics
	DownscaleStabilization  time.Duration // a scale-down goes no lower than what was recommended within it
	CPUInitializationPeriod time.Duration // in which the CPU of a young Pod counts only if the Pod was ready during the whole sample
	InitialReadinessDelay   time.Duration // in which a Pod that is not ready counts as one that never was
	Tolerance               float64       // no change while the metric is within it of the target, as a ratio
}

// QuickHPA has times that let a whole scale-up and scale-down happen within a minute.
func QuickHPA() HPA {
	return HPA{SyncPeriod: time.Second, DownscaleStabilization: 10 * time.Second, CPUInitializationPeriod: 3 * time.Second,
		InitialReadinessDelay: time.Second, Tolerance: 0.1}
}

// Check says what of the configuration cannot be.
func (c Config) Check() error {
	var errs []error
	if c.APIPort < 0 || c.APIPort > 65535 {
		errs = append(errs, fmt.Errorf("port %d of the API server: want 1 to 65535, or 0 for a free one", c.APIPort))
	}
	if c.APIVia != "" {
		errs = append(errs, CheckVia("the API server", c.APIVia))
	}
	for _, t := range []struct {
		name string
		d    time.Duration
		min  time.Duration
	}{
		{"sync period", c.HPA.SyncPeriod, 100 * time.Millisecond},
		{"downscale stabilization", c.HPA.DownscaleStabilization, 0},
		{"CPU initialization period", c.HPA.CPUInitializationPeriod, 0},
		{"initial readiness delay", c.HPA.InitialReadinessDelay, 0},
	} {
		if t.d < t.min {
			errs = append(errs, fmt.Errorf("%s %v: want at least %v", t.name, t.d, t.min))
		}
	}
	if c.HPA.Tolerance < 0 || c.HPA.Tolerance >= 1 {
		errs = append(errs, fmt.Errorf("tolerance %v: want a ratio from 0 to 1", c.HPA.Tolerance))
	}
	return errors.Join(errs...)
}

// CheckVia says what is wrong with a way to something. The certificates of both are for 127.0.0.1 alone.
func CheckVia(what, via string) error {
	addr, err := netip.ParseAddrPort(via)
	if err != nil || addr.Addr() != netip.AddrFrom4([4]byte{127, 0, 0, 1}) || addr.Port() == 0 {
		return fmt.Errorf("way %q to %s: want 127.0.0.1 and a port, as 127.0.0.1:6444", via, what)
	}
	return nil
}

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"ordeal/deploy/localkube/controlplane"
	"ordeal/deploy/localkube/guard"
)

// options are the flags of up.
type options struct {
	plane      controlplane.Config
	foreground bool
	untilStdin bool

	nodes             int
	images            images
	metricsPort       int
	metricsVia        string
	metricsResolution time.Duration
}

// report is the line that --foreground prints when everything is ready.
type report struct {
	Ready      bool    `json:"ready"`
	Dir        string  `json:"dir"`
	Kubeconfig string  `json:"kubeconfig"`
	Server     string  `json:"server"`
	PID        int     `json:"pid"`     // of the process to be sent SIGTERM
	Seconds    float64 `json:"seconds"` // from the start until it was ready
}

func upCommand() *cobra.Command {
	o := options{plane: controlplane.Config{HPA: controlplane.QuickHPA()}, images: images{}}
	c := &cobra.Command{
		Use:   "up",
		Short: "start a control plane, and wait until it is ready",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.complete(); err != nil {
				return err
			}
			if o.foreground {
				return o.stay(cmd.Context(), cmd.InOrStdin(), cmd.OutOrStdout())
			}
			return background(cmd.Context(), o.plane.Self, os.Args[1:], o.plane.Dir, cmd.OutOrStdout())
		},
	}
	dirFlag(c, &o.plane.Dir)
	f := c.Flags()
	f.BoolVar(&o.foreground, "foreground", false, "stay; print a line of JSON when ready; end with SIGINT or SIGTERM")
	f.BoolVar(&o.untilStdin, "until-stdin-closes", false, "with --foreground: end when standard input does, too")
	f.IntVar(&o.plane.APIPort, "api-port", 0, "port of the API server (default 6443, or another one if that is taken)")
	f.StringVar(&o.plane.APIVia, "api-via", "", "HOST:PORT by which controllers, scheduler and node reach the API server")
	f.IntVar(&o.metricsPort, "metrics-port", 0, "port of the metrics APIs (default any)")
	f.StringVar(&o.metricsVia, "metrics-via", "", "HOST:PORT by which the API server reaches the metrics APIs")
	f.DurationVar(&o.metricsResolution, "metrics-resolution", time.Second, "time between two readings of what Pods use")
	f.Var(o.images, "image", "program that is run for an image: NAME='[\"/path/to/program\",\"argument\"]'")
	f.IntVar(&o.nodes, "nodes", 1, "number of nodes, all of them on this machine")
	f.BoolVar(&o.plane.CPULimits, "cpu-limits", true, "let limits of CPU in Pods hold, by control groups, where this machine allows it")
	h := &o.plane.HPA
	f.DurationVar(&h.SyncPeriod, "sync-period", h.SyncPeriod, "time between two looks of the autoscaler at the metrics")
	f.DurationVar(&h.DownscaleStabilization, "downscale-stabilization", h.DownscaleStabilization, "no scale-down below what was recommended within this time")
	f.DurationVar(&h.CPUInitializationPeriod, "cpu-initialization-period", h.CPUInitializationPeriod, "age of a Pod up to which its CPU counts only if it is ready")
	f.DurationVar(&h.InitialReadinessDelay, "initial-readiness-delay", h.InitialReadinessDelay, "age of a Pod up to which being unready means that it never was ready")
	f.Float64Var(&h.Tolerance, "tolerance", h.Tolerance, "no change of replicas while the metric is within this ratio of its target")
	return c
}

// complete fills in what the flags do not say, and checks what they do.
func (o *options) complete() error {
	if o.untilStdin && !o.foreground {
		return fmt.Errorf("%w: --until-stdin-closes needs --foreground: in the background there is no standard input", errUsage)
	}
	if guard.Inside() {
		return errors.New("this is a process of a Pod of another localkube, and must not have one of its own: so it would go on without an end")
	}
	var err error
	if o.plane.Dir, err = filepath.Abs(o.plane.Dir); err != nil {
		return fmt.Errorf("find the directory: %w", err)
	}
	if o.plane.Self, err = os.Executable(); err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	if err := errors.Join(o.plane.Check(), o.check()); err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	o.images.addReference(o.plane.Self)
	return nil
}

// maxNodes is how many nodes have an address.
const maxNodes = 10

// check says what of the parts cannot be.
func (o *options) check() error {
	var errs []error
	if o.nodes < 1 || o.nodes > maxNodes {
		errs = append(errs, fmt.Errorf("%d nodes: want 1 to %d", o.nodes, maxNodes))
	}
	if o.metricsPort < 0 || o.metricsPort > 65535 {
		errs = append(errs, fmt.Errorf("port %d of the metrics APIs: want 1 to 65535, or 0 for a free one", o.metricsPort))
	}
	if o.metricsVia != "" {
		errs = append(errs, controlplane.CheckVia("the metrics APIs", o.metricsVia))
	}
	if o.metricsResolution < 100*time.Millisecond {
		errs = append(errs, fmt.Errorf("metrics resolution %v: want at least 100ms", o.metricsResolution))
	}
	return errors.Join(errs...)
}

// stay starts everything, says so, and stays until ctx ends, or standard input, or a part that must not.
func (o *options) stay(ctx context.Context, stdin io.Reader, stdout io.Writer) (err error) {
	began := time.Now()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	if o.untilStdin {
		go func() {
			_, err := io.Copy(io.Discard, stdin)
			stop(errors.Join(errors.New("standard input has ended"), err))
		}()
	}
	p, err := controlplane.Start(ctx, o.plane)
	if err != nil {
		if ctx.Err() != nil {
			return nil // asked to end before it was ready
		}
		return alreadyUp(err, o.plane.Dir)
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	parts, err := o.begin(p)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, parts.close()) }()
	if err := p.Await(ctx, o.nodes, parts.metrics); err != nil {
		if ctx.Err() != nil {
			return nil // asked to end before it was ready
		}
		return err
	}
	line := report{Ready: true, Dir: p.Dir, Kubeconfig: p.Kubeconfig, Server: p.State.Server, PID: p.State.PID, Seconds: time.Since(began).Seconds()}
	if err := json.NewEncoder(stdout).Encode(line); err != nil {
		return fmt.Errorf("say that it is ready: %w", err)
	}
	select {
	case <-ctx.Done():
		return nil
	case <-p.Done():
		return p.Err()
	}
}

// alreadyUp says how to end the control plane that is in the way.
func alreadyUp(err error, dir string) error {
	if !errors.Is(err, controlplane.ErrUp) {
		return err
	}
	state, readErr := controlplane.ReadState(dir)
	if readErr != nil {
		return fmt.Errorf("%w in %s, or just about to be; end it with: localkube down%s", err, dir, dirArg(dir))
	}
	return fmt.Errorf("%w (pid %d, since %s); end it with: localkube down%s",
		err, state.PID, state.Started.Local().Format(time.TimeOnly), dirArg(dir))
}

// dirArg is the flag that names dir, where it must be named.
func dirArg(dir string) string {
	if dir == controlplane.DefaultDir() {
		return ""
	}
	return " --dir " + dir
}

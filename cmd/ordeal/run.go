package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/spf13/cobra"

	"ordeal/reports"
	"ordeal/runner"
	"ordeal/runner/load"
	"ordeal/runner/telemetry"
	"ordeal/runner/verdict"
	"ordeal/scenarios"
	"ordeal/targets/kubernetes"
)

// runFlags are the flags of the run verb.
type runFlags struct {
	out   string
	hosts []string
	tag   string

	contexts   []string
	kubeconfig string
	seed       uint64
	quiet      bool

	profile string
	metrics string
}

func runCommand() *cobra.Command {
	var flags runFlags
	cmd := &cobra.Command{
		Use:   "run NAME|FILE...",
		Short: "Run scenarios, judge them and write their reports",
		Long: `Run scenarios one after the other, each by its file or the name of a shipped one
("ordeal list"). Each leaves a run directory with its evidence and reports. The
exit code is that of the worst verdict.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			sources, err := flags.check(cmd, args)
			if err != nil {
				return err
			}
			opts, err := flags.options(cmd)
			if err != nil {
				return exitError{code: exitFail, err: err}
			}
			ctx, stop := interruptible(cmd.Context())
			defer stop()
			if cmd.Flags().Changed("metrics-addr") {
				exporter, stop, err := serveMetrics(ctx, cmd.ErrOrStderr(), flags.metrics)
				if err != nil {
					return exitError{code: exitFail, err: err}
				}
				defer stop()
				opts.Metrics = exporter
			}
			return runAll(ctx, cmd.OutOrStdout(), cmd.ErrOrStderr(), sources, opts, flags)
		},
	}
	cmd.Flags().StringVar(&flags.out, "out", "runs", "directory that run directories are made in")
	cmd.Flags().StringSliceVar(&flags.hosts, "allow-host", nil, "a host besides loopback that load and faults may go to (repeatable)")
	cmd.Flags().StringSliceVar(&flags.contexts, "allow-context", nil, "a context of the kubeconfig file that load and faults may go to (repeatable)")
	cmd.Flags().StringVar(&flags.kubeconfig, "kubeconfig", "", "the kubeconfig file that has the context of a scenario (default: $KUBECONFIG, then ~/.kube/config)")
	cmd.Flags().StringVar(&flags.tag, "tag", "", "run every shipped scenario with this tag")
	cmd.Flags().Uint64Var(&flags.seed, "seed", 0, "instead of the scenario's seed")
	cmd.Flags().BoolVarP(&flags.quiet, "quiet", "q", false, "no progress")
	cmd.Flags().StringVar(&flags.profile, "profile", "", "file for a CPU profile of the harness itself while the scenario runs")
	cmd.Flags().StringVar(&flags.metrics, "metrics-addr", "", "serve live metrics to Prometheus at this address, such as 127.0.0.1:9090 (port 0: a free one)")
	return cmd
}

// check gives the scenarios to run, or what is wrong with the command line or
// with one of them.
func (f *runFlags) check(cmd *cobra.Command, args []string) ([]source, error) {
	names, err := f.names(args)
	if err != nil {
		return nil, err
	}
	if cmd.Flags().Changed("metrics-addr") {
		if err := telemetry.CheckAddr(f.metrics); err != nil {
			return nil, err
		}
	}
	sources, err := findAll(names)
	if err != nil {
		return nil, err
	}
	for _, s := range sources {
		if err := s.plan.CheckHosts(f.hosts); err != nil {
			return nil, err
		}
		if err := s.plan.CheckContext(f.contexts); err != nil {
			return nil, err
		}
		if k := s.plan.Kubernetes; k != nil && k.Local != nil {
			if _, err := kubernetes.FindLocal(); err != nil {
				return nil, fmt.Errorf("%s: %w", s.plan.Name, err)
			}
		}
	}
	if f.profile != "" && len(sources) != 1 {
		return nil, fmt.Errorf("want one scenario with --profile, not %d", len(sources))
	}
	return sources, nil
}

// names are the scenarios to run: those named, or those with the tag.
func (f *runFlags) names(args []string) ([]string, error) {
	if (f.tag == "") == (len(args) == 0) {
		return nil, errors.New("want scenarios by name or file, or --tag")
	}
	if f.tag == "" {
		return args, nil
	}
	entries, err := scenarios.Library()
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if e.Tagged(f.tag) {
			names = append(names, e.Name)
		}
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("no shipped scenario has the tag %q", f.tag)
	}
	return names, nil
}

func (f *runFlags) options(cmd *cobra.Command) (runner.Options, error) {
	self, err := os.Executable()
	if err != nil {
		return runner.Options{}, fmt.Errorf("find the program itself, to start targets with: %w", err)
	}
	opts := runner.Options{Dir: f.out, Self: []string{self}, Hosts: f.hosts, Contexts: f.contexts, Kubeconfig: f.kubeconfig, Args: os.Args[1:]}
	if cmd.Flags().Changed("seed") {
		opts.Seed = &f.seed
	}
	return opts, nil
}

// interruptible cancels the context at the first SIGINT, SIGTERM or SIGHUP, with
// ErrInterrupted; the second ends the process at once, and the guard ends what
// it had started.
func interruptible(parent context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(parent)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	// Who reads the output may go away; a run is ended in order all the same.
	signal.Ignore(syscall.SIGPIPE)
	go func() {
		select {
		case <-signals:
			cancel(runner.ErrInterrupted)
		case <-ctx.Done():
			return
		}
		if _, more := <-signals; more {
			os.Exit(exitInterrupted)
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		signal.Reset(syscall.SIGPIPE)
		cancel(nil)
		close(signals)
	}
}

// runAll runs the scenarios one after the other; an interruption ends it.
func runAll(ctx context.Context, stdout, stderr io.Writer, sources []source, opts runner.Options, flags runFlags) error {
	worst := verdict.Pass
	var rows []row
	var harness error
	for _, s := range sources {
		if errors.Is(context.Cause(ctx), runner.ErrInterrupted) {
			return exitError{code: exitInterrupted, err: fmt.Errorf("interrupted before %s", s.plan.Name)}
		}
		r, err := runOne(ctx, stdout, stderr, s, opts, flags)
		rows = append(rows, r)
		worst = max(worst, r.status)
		if errors.Is(err, runner.ErrInterrupted) {
			return exitError{code: exitInterrupted, err: fmt.Errorf("%s: interrupted", s.plan.Name)}
		}
		if err != nil {
			fmt.Fprintf(stderr, "ordeal: %s: %v\n", s.plan.Name, err) //nolint:errcheck // nowhere left to tell
			harness = err
			rows[len(rows)-1].failed = true
		}
	}
	if len(sources) > 1 {
		if err := overview(stdout, rows, worst); err != nil {
			return exitError{code: exitFail, err: err}
		}
	}
	if harness != nil {
		return exitError{code: exitFail} // told above, where it happened
	}
	return statusError(worst)
}

// row is a line of the overview.
type row struct {
	name   string
	status verdict.Status
	failed bool   // the harness could not go on: no verdict on the targets
	dir    string // "" where nothing was started
}

// runOne runs one scenario, judges it and writes its reports, also when the run
// ended early: its evidence is there all the same.
func runOne(ctx context.Context, stdout, stderr io.Writer, s source, opts runner.Options, flags runFlags) (row, error) {
	r := row{name: s.plan.Name, status: verdict.Fail}
	opts.BaseDir = s.dir
	show := reports.NewLive(stderr, isTerminal(stderr))
	if !flags.quiet {
		title := s.plan.Name
		if s.plan.About != "" {
			title += ": " + s.plan.About
		}
		fmt.Fprintln(stderr, title) //nolint:errcheck // a courtesy
		opts.Progress = func(p runner.Progress) { showProgress(show, p) }
	}
	stopProfile, err := profile(flags.profile)
	if err != nil {
		return r, err
	}
	restore := load.EaseCollector()
	dir, err := runner.Run(ctx, s.plan, opts)
	restore()
	err = errors.Join(err, stopProfile())
	show.Close() //nolint:errcheck // a courtesy
	r.dir = dir
	if dir == "" {
		return r, err
	}
	defer boundMemory()()
	j, judgeErr := judge(dir)
	if judgeErr != nil {
		return r, errors.Join(err, judgeErr)
	}
	r.status = j.judgement.Status
	if writeErr := j.writeFiles(); writeErr != nil {
		return r, errors.Join(err, writeErr)
	}
	return r, errors.Join(err, j.terminal(stdout))
}

// showProgress shows how far the run is; outside the timeline its stage stands
// where the phase would.
func showProgress(show *reports.Live, p runner.Progress) {
	line := reports.Progress{
		Phase: p.Phase, Elapsed: p.Elapsed, Total: p.Total, Rate: p.Rate, P99: p.P99, Errors: p.Errors, Faults: p.Faults,
	}
	if line.Phase == "" || p.Stage != runner.StageRunning {
		line.Phase = p.Stage
	}
	show.Show(line) //nolint:errcheck // progress is a courtesy
}

// overview is the table at the end of several runs.
func overview(w io.Writer, rows []row, worst verdict.Status) error {
	if _, err := fmt.Fprintf(w, "\n%d scenarios, worst verdict: %s\n", len(rows), worst); err != nil {
		return err
	}
	for _, r := range rows {
		word, report := r.status.String(), "nothing was started"
		if r.failed {
			word = "error"
		}
		if r.dir != "" {
			report = filepath.Join(r.dir, "report.html")
		}
		if _, err := fmt.Fprintf(w, "  %-12s  %-28s  %s\n", word, r.name, report); err != nil {
			return err
		}
	}
	return nil
}

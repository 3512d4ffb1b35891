// Command accuracy holds Ordeal's figures against a known truth: it runs Ordeal
// against a target whose behaviour is known call by call, works out from the
// target's log and the schedule what every call took, and compares. Other load
// generators run the same cases, to show what they report.
//
//	go run ./cmd/accuracy -ordeal bin/ordeal
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"ordeal/cmd/accuracy/target"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "target" {
		if err := target.Serve(os.Args[2:], os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, "target:", err)
			os.Exit(1)
		}
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Stdout, os.Stderr, os.Args[1:])
	stop()
	os.Exit(code)
}

// The exit codes: as those of ordeal.
const (
	exitPass  = 0
	exitFail  = 1
	exitUsage = 2
)

// options are the flags.
type options struct {
	ordeal  string
	cases   string
	calls   int64
	noPeers bool
	doc     string
	keep    string
}

func parse(stderr io.Writer, args []string) (options, error) {
	var o options
	flags := flag.NewFlagSet("accuracy", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&o.ordeal, "ordeal", "bin/ordeal", "the ordeal binary")
	flags.StringVar(&o.cases, "case", "", "only these cases, separated by commas")
	flags.Int64Var(&o.calls, "count", 5_000_000, "how many calls the cases of counting make at least; 0 leaves them out")
	flags.BoolVar(&o.noPeers, "no-peers", false, "run Ordeal alone")
	flags.StringVar(&o.doc, "doc", "", "write the tables into this file, too")
	flags.StringVar(&o.keep, "keep", "", "keep run directories and logs in this directory")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	return o, nil
}

// choose gives the cases of the given names, all where there are none.
func choose(names string) (chosen []testCase, counts []countCase, err error) {
	all, allCounts := cases(), countCases()
	if names == "" {
		return all, allCounts, nil
	}
	var known []string
	for _, c := range all {
		known = append(known, c.name)
	}
	for _, c := range allCounts {
		known = append(known, c.name)
	}
	want := strings.Split(names, ",")
	for _, name := range want {
		if !slices.Contains(known, name) {
			return nil, nil, fmt.Errorf("no case is named %q: want one of %s", name, strings.Join(known, ", "))
		}
	}
	chosen = slices.DeleteFunc(all, func(c testCase) bool { return !slices.Contains(want, c.name) })
	counts = slices.DeleteFunc(allCounts, func(c countCase) bool { return !slices.Contains(want, c.name) })
	return chosen, counts, nil
}

func run(ctx context.Context, stdout, stderr io.Writer, args []string) int {
	tell := func(err error) { fmt.Fprintln(stderr, "accuracy:", err) } //nolint:errcheck // nowhere left to tell
	o, err := parse(stderr, args)
	if errors.Is(err, flag.ErrHelp) {
		return exitPass
	}
	if err != nil {
		tell(err)
		return exitUsage
	}
	chosen, counts, err := choose(o.cases)
	if err != nil {
		tell(err)
		return exitUsage
	}
	if o.calls == 0 {
		counts = nil
	}
	if _, err := os.Stat(o.ordeal); err != nil {
		tell(fmt.Errorf("there is no ordeal to measure: %w: make build builds it", err))
		return exitUsage
	}
	held, err := measure(ctx, stdout, o, chosen, counts)
	if err != nil {
		tell(err)
	}
	if err != nil || !held {
		return exitFail
	}
	return exitPass
}

// measure runs the cases, and reports whether all held.
func measure(ctx context.Context, stdout io.Writer, o options, chosen []testCase, counts []countCase) (held bool, err error) {
	s := suite{ordeal: command(o.ordeal), out: stdout, dir: o.keep}
	if s.self, err = os.Executable(); err != nil {
		return false, fmt.Errorf("find the program itself, to start targets with: %w", err)
	}
	if s.dir == "" {
		if s.dir, err = os.MkdirTemp("", "ordeal-accuracy-"); err != nil {
			return false, fmt.Errorf("make room for runs: %w", err)
		}
		defer func() { err = errors.Join(err, os.RemoveAll(s.dir)) }()
	} else if err = os.MkdirAll(s.dir, 0o755); err != nil {
		return false, fmt.Errorf("make room for runs: %w", err)
	}
	d := page{began: time.Now(), ordeal: o.ordeal}
	if !o.noPeers {
		s.peers, d.versions, d.missing = findTools(ctx)
	}
	if err := announce(stdout, chosen, counts, o.calls, d.missing); err != nil {
		return false, err
	}
	if d.results, err = s.runAll(ctx, chosen); err != nil {
		return false, err
	}
	if d.counts, err = s.countAll(ctx, counts, o.calls); err != nil {
		return false, err
	}
	if err := d.summary(stdout); err != nil {
		return false, err
	}
	if o.doc != "" {
		if err := d.write(ctx, o.doc); err != nil {
			return false, err
		}
	}
	return d.held(), nil
}

// announce says what is to come and how long it takes.
func announce(w io.Writer, chosen []testCase, counts []countCase, calls int64, missing []string) error {
	var total time.Duration
	for i := range chosen {
		total += chosen[i].expected()
	}
	if calls > 0 {
		total += time.Duration(len(counts)) * countExpected(calls)
	}
	_, err := fmt.Fprintf(w, "%d cases, and %d of counting %s calls: about %v\n", len(chosen), len(counts), grouped(calls), total.Round(10*time.Second))
	for _, m := range missing {
		if err == nil {
			_, err = fmt.Fprintf(w, "without a peer: %s\n", m)
		}
	}
	if err != nil {
		return fmt.Errorf("say what is to come: %w", err)
	}
	return nil
}

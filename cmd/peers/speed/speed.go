// Package speed runs Ordeal beside other load generators against the same
// server and compares what they reach and what they cost.
//
// Every tool is measured from outside by the same means, in a window within its
// run: the server counts the calls that arrive and the kernel counts the
// processor time. Rounds go through all tools one after the other, each round
// beginning with another one, and ratios are taken within rounds, so that what
// happens to the machine happens to all.
package speed

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"ordeal/cmd/peers/peer"
)

// Options say what is compared and how long.
type Options struct {
	Rounds  int
	For     time.Duration // measured in each run of a tool
	Warm    time.Duration // run before, and not measured
	Only    []string      // tools: peers, "ordeal" and "engine"; all when empty
	Cases   []string      // comparisons by key; all when empty
	Clients int           // of the HTTP comparisons
	Rate    int           // calls a second where it is fixed
	Ordeal  string        // Ordeal's binary; built from the source when empty
	Profile bool          // profile Ordeal in a run of its own for each comparison
	Pin     bool          // the server to one processor and the tool to another
	Self    string        // the binary that is Serve and Engine by "serve" and "engine"
}

// Validate reports options that no comparison can be made with.
func (o Options) Validate() error {
	known := append(peer.Names(), ordealBinary, selfBinary)
	for _, name := range o.Only {
		if !slices.Contains(known, name) {
			return fmt.Errorf("no tool is named %q: want some of %s", name, strings.Join(known, ", "))
		}
	}
	for _, key := range o.Cases {
		if !slices.Contains(Cases(), key) {
			return fmt.Errorf("no comparison is named %q: want some of %s", key, strings.Join(Cases(), ", "))
		}
	}
	switch {
	case o.Rounds < 1:
		return fmt.Errorf("want at least one round, not %d", o.Rounds)
	case o.For < 100*time.Millisecond || o.For > 10*time.Minute:
		return fmt.Errorf("want 100ms to 10m to be measured, not %v", o.For)
	case o.Warm < 0 || o.Warm > time.Minute:
		return fmt.Errorf("want a warm-up of 0s to 1m, not %v", o.Warm)
	case o.Clients < 1 || o.Clients > 10000:
		return fmt.Errorf("want 1 to 10000 clients, not %d", o.Clients)
	case o.Rate < 1 || o.Rate > 1000000:
		return fmt.Errorf("want a rate of 1 to 1000000 calls a second, not %d", o.Rate)
	}
	return nil
}

// Study is what a comparison of everything found.
type Study struct {
	options  Options
	machine  machine
	versions map[string]string // of tools, by binary
	absent   []string          // what was left out, and why
	outcomes []outcome
}

// machine is where it was measured.
type machine struct {
	at         time.Time
	model      string
	processors int
	kernel     string
	golang     string
	pinned     bool
}

// each is how many processors the server may run on, and how many the tool.
func (m machine) each() int {
	if m.pinned {
		return 1
	}
	return m.processors
}

// outcome is what one comparison found.
type outcome struct {
	comparison
	serverCPUs int               // processors that the server may run on
	results    map[string]rounds // by the tool's name
	noises     noises            // before each round, where send lag is looked at
	lines      []command
	profile    string // of Ordeal, as a table of functions; "" where none was taken
}

// Run compares, and tells progress how far it is. A tool that is missing or that
// fails is in the study as such, and the others go on.
func Run(ctx context.Context, progress io.Writer, o Options) (*Study, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	cpus, err := processors()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "speed")
	if err != nil {
		return nil, fmt.Errorf("make a directory to work in: %w", err)
	}
	defer os.RemoveAll(dir) //nolint:errcheck // temporary
	study := &Study{options: o, versions: map[string]string{}, machine: machine{
		at: time.Now().UTC(), model: processorModel(), processors: len(cpus), kernel: kernel(), golang: runtime.Version(),
		pinned: o.Pin && len(cpus) > 1,
	}}
	binaries, err := study.find(ctx, dir)
	if err != nil {
		return nil, err
	}
	place := placement{server: -1, tool: -1}
	if study.machine.pinned {
		place = placement{server: cpus[0], tool: cpus[1]}
	}
	for _, c := range study.selected(binaries) {
		found, err := study.compare(ctx, progress, c, binaries, place, dir)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.title, err)
		}
		study.outcomes = append(study.outcomes, found)
	}
	return study, nil
}

// placement says on which processors things run, below 0 on any.
type placement struct{ server, tool int }

// find looks for the binaries, by peer; what is missing is noted.
func (s *Study) find(ctx context.Context, dir string) (map[string]string, error) {
	binaries := map[string]string{}
	for _, name := range peer.Names() {
		if !s.wants(name) {
			continue
		}
		path, version, err := peer.Find(ctx, name)
		if err != nil {
			s.absent = append(s.absent, fmt.Sprintf("%s was left out: %v", name, err))
			continue
		}
		binaries[name], s.versions[name] = path, version
	}
	if s.wants(selfBinary) {
		binaries[selfBinary] = s.options.Self
	}
	if !s.wants(ordealBinary) {
		return binaries, nil
	}
	path := s.options.Ordeal
	if path == "" {
		path = filepath.Join(dir, "ordeal")
		if err := buildOrdeal(ctx, path); err != nil {
			return nil, err
		}
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("find ordeal: %w", err)
	}
	out, err := exec.CommandContext(ctx, path, "version").Output()
	if err != nil {
		return nil, fmt.Errorf("ask ordeal for its version: %w", err)
	}
	first, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	binaries[ordealBinary], s.versions[ordealBinary] = path, strings.Join(strings.Fields(strings.TrimPrefix(first, "ordeal ")), " ")
	return binaries, nil
}

func buildOrdeal(ctx context.Context, path string) error {
	root, err := peer.Root()
	if err != nil {
		return fmt.Errorf("build ordeal: %w", err)
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", path, "./cmd/ordeal")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build ordeal: %w: %s", err, strings.TrimSpace(string(out)))
	}
	return nil
}

func (s *Study) wants(binary string) bool {
	return len(s.options.Only) == 0 || slices.Contains(s.options.Only, binary)
}

// Failed is an error where a comparison has no figures at all: no table of
// empty cells ends well.
func (s *Study) Failed() error {
	if len(s.outcomes) == 0 {
		return errors.New("nothing was compared: no tool is there")
	}
	var errs []error
	for _, o := range s.outcomes {
		var all rounds
		for _, r := range o.results {
			all = append(all, r...)
		}
		if all.of(rate).N == 0 {
			errs = append(errs, fmt.Errorf("%s: no tool has figures", o.title))
		}
	}
	return errors.Join(errs...)
}

// selected are the comparisons that were asked for, with the tools that are
// there.
func (s *Study) selected(binaries map[string]string) []comparison {
	var list []comparison
	for _, c := range comparisons(s.options.Clients, s.options.Rate) {
		if len(s.options.Cases) > 0 && !slices.Contains(s.options.Cases, c.key) {
			continue
		}
		c.targets = slices.DeleteFunc(slices.Clone(c.targets), func(t target) bool { return !s.wants(c.binaryOf(t.of)) || t.to != "" && !s.wants(c.binaryOf(t.to)) })
		c.tools = slices.DeleteFunc(slices.Clone(c.tools), func(t *tool) bool { return binaries[t.peer] == "" })
		if len(c.tools) > 0 {
			list = append(list, c)
		}
	}
	return list
}

// compare runs the rounds of one comparison against one server.
func (s *Study) compare(ctx context.Context, progress io.Writer, c comparison, binaries map[string]string, at placement, dir string) (found outcome, err error) {
	// It ends with its stdin, an interruption included.
	srv, err := startServer(context.WithoutCancel(ctx), []string{s.options.Self, "serve"}, c.server, dir, at.server)
	if err != nil {
		return outcome{}, err
	}
	defer func() { err = errors.Join(err, srv.close()) }()
	b := &bench{
		server: srv, window: window{s.options.Warm, s.options.For, 30 * time.Second}, cpu: at.tool,
		binaries: binaries, self: []string{s.options.Self, "engine"}, dir: dir,
	}
	c.job.cpus = s.machine.each()
	found = outcome{comparison: c, serverCPUs: s.machine.each(), results: map[string]rounds{}}
	for round := range s.options.Rounds {
		if c.job.paced {
			n, err := hear(at.tool, at.server, probed)
			if err != nil {
				return outcome{}, fmt.Errorf("hear the noise of the machine: %w", err)
			}
			found.noises = append(found.noises, n)
		}
		for i := range c.tools {
			t := c.tools[(i+round)%len(c.tools)] // each round begins with another
			f, err := b.measure(ctx, t, c.job.of(t, found.results))
			if ctx.Err() != nil {
				return outcome{}, context.Cause(ctx)
			}
			found.results[t.name] = append(found.results[t.name], result{f, err})
			if err := tellRound(progress, c, t, round, f, err); err != nil {
				return outcome{}, err
			}
		}
	}
	found.lines = commands(c, b.window, found.results)
	if s.options.Profile && binaries[ordealBinary] != "" {
		found.profile, err = b.profile(ctx, c.job.of(c.tools[len(c.tools)-1], found.results))
		if err != nil {
			return outcome{}, err
		}
	}
	return found, nil
}

func tellRound(w io.Writer, c comparison, t *tool, round int, f figures, failed error) error {
	text := fmt.Sprintf("%.0f/s, %.1f µs of processor a call", rate(f), cost(f))
	if failed != nil {
		text = "ERROR " + failed.Error()
	}
	if _, err := fmt.Fprintf(w, "%s, round %d, %s: %s\n", c.key, round+1, t.name, text); err != nil {
		return fmt.Errorf("tell how far it is: %w", err)
	}
	return nil
}

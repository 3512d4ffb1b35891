package verdict

import (
	"fmt"
	"slices"
	"sort"
	"time"

	"ordeal/runner/evidence"
)

// strain is how hard the generator and its machine were worked over some time.
// Processor time is in cores: 1.5 is one core and half of another.
type strain struct {
	known   bool          // the harness told of itself
	procs   float64       // how many cores the generator may use: its GOMAXPROCS
	used    float64       // cores that it used
	cpus    float64       // cores of the machine; 0 where not known, and so is what follows
	idle    float64       // cores that had nothing to do
	stolen  float64       // cores that the machine's own host took
	targets float64       // cores that the targets used, as far as the run started them
	others  float64       // cores that processes used that are not of the run
	sched   time.Duration // how long goroutines of the generator waited for a core, 99th percentile
	pause   time.Duration // the longest that a garbage collection stopped the generator
}

// gauges are the series that tell of strain.
type gauges struct {
	cpu, procs, cpus, sched, pause evidence.Series
	modes                          map[string]evidence.Series // of the machine's time
	targets                        []evidence.Series
}

// harnessName is the target under which the harness's own series are.
const harnessName = "ordeal"

// readGauges reads them; of what was not recorded the series are empty.
func readGauges(run *evidence.Run) (*gauges, error) {
	own, err := run.Series(harnessName, "")
	if err != nil {
		return nil, fmt.Errorf("read the series of the harness: %w", err)
	}
	g := &gauges{modes: map[string]evidence.Series{}}
	for _, s := range own {
		quantile, _ := s.Label("quantile")
		switch {
		case s.Name == "harness_cpu_seconds_total":
			g.cpu = s
		case s.Name == "harness_gomaxprocs":
			g.procs = s
		case s.Name == "harness_sched_latency_seconds" && quantile == "0.99":
			g.sched = s
		case s.Name == "harness_gc_pause_seconds" && quantile == "1":
			g.pause = s
		case s.Name == "machine_cpus":
			g.cpus = s
		case s.Name == "machine_cpu_seconds_total":
			mode, _ := s.Label("mode")
			g.modes[mode] = s
		}
	}
	if g.targets, err = run.Series("", "target_cpu_seconds_total"); err != nil {
		return nil, fmt.Errorf("read the processor time of the targets: %w", err)
	}
	return g, nil
}

// over gives the strain during phases, as a mean over the stretches between two
// looks at the harness. Each stretch counts as much as weigh says of it; where
// that is nothing at all, as long as it took.
func (g *gauges) over(spans []evidence.Span, weigh func(from, to time.Duration) float64) strain {
	byTime := func(from, to time.Duration) float64 { return (to - from).Seconds() }
	if weigh != nil {
		if s := g.mean(spans, weigh); s.known {
			return s
		}
	}
	return g.mean(spans, byTime)
}

func (g *gauges) mean(spans []evidence.Span, weigh func(from, to time.Duration) float64) strain {
	var sum strain
	var total, sched float64
	for _, span := range spans {
		for i := 1; i < g.cpu.Len(); i++ {
			from, to := g.cpu.T[i-1], g.cpu.T[i]
			if to <= span.Start || from >= span.End {
				continue
			}
			w := weigh(max(from, span.Start), min(to, span.End))
			if !(w > 0) {
				continue
			}
			s := g.between(from, to)
			total += w
			sum.procs += w * s.procs
			sum.used += w * s.used
			sum.cpus += w * s.cpus
			sum.idle += w * s.idle
			sum.stolen += w * s.stolen
			sum.targets += w * s.targets
			sum.others += w * s.others
			sched += w * float64(s.sched)
			sum.pause = max(sum.pause, s.pause)
		}
	}
	if total == 0 {
		return strain{}
	}
	for _, v := range []*float64{&sum.procs, &sum.used, &sum.cpus, &sum.idle, &sum.stolen, &sum.targets, &sum.others} {
		*v /= total
	}
	sum.sched = time.Duration(sched / total)
	sum.known = true
	return sum
}

// between is the strain from one look to the next.
func (g *gauges) between(from, to time.Duration) strain {
	s := strain{known: true, used: cores(g.cpu, from, to), procs: told(g.procs, to), cpus: told(g.cpus, to)}
	s.sched = time.Duration(told(g.sched, to) * float64(time.Second))
	s.pause = time.Duration(told(g.pause, to) * float64(time.Second))
	if s.cpus == 0 {
		return s
	}
	for _, t := range g.targets {
		s.targets += cores(t, from, to)
	}
	s.idle = cores(g.modes["idle"], from, to) + cores(g.modes["iowait"], from, to)
	s.stolen = cores(g.modes["steal"], from, to)
	// What interrupts took is left out: on loopback that is the run's own traffic.
	for _, mode := range []string{"user", "nice", "system"} {
		s.others += cores(g.modes[mode], from, to)
	}
	s.others = max(0, s.others-s.used-s.targets)
	return s
}

// told is the value of a gauge at a time, 0 where it was not read.
func told(s evidence.Series, at time.Duration) float64 {
	v, _ := s.At(at)
	return v
}

// cores is how fast a counter of processor seconds grew: by one a second for
// each core. It is 0 where the counter fell, as that of a new process does.
func cores(s evidence.Series, from, to time.Duration) float64 {
	if s.Len() < 2 || to <= from {
		return 0
	}
	return max(0, valueAt(s, to)-valueAt(s, from)) / (to - from).Seconds()
}

// valueAt reads a counter between two of its values.
func valueAt(s evidence.Series, at time.Duration) float64 {
	i := sort.Search(s.Len(), func(i int) bool { return s.T[i] >= at })
	switch {
	case i == 0:
		return s.V[0]
	case i == s.Len():
		return s.V[i-1]
	case s.T[i] == at:
		return s.V[i]
	case s.V[i] < s.V[i-1]: // it began again
		return s.V[i-1]
	}
	share := float64(at-s.T[i-1]) / float64(max(1, s.T[i]-s.T[i-1]))
	return s.V[i-1] + share*(s.V[i]-s.V[i-1])
}

// full reports whether the machine had next to nothing left to give.
func (s strain) full() bool { return s.cpus > 0 && s.idle <= idleShare*s.cpus }

// external reports whether the target of a load runs without the run's doing, so
// that what it uses cannot be told from what others use.
func external(run *evidence.Run, load string) bool {
	for _, l := range run.Meta.Loads {
		if l.Name == load {
			return slices.ContainsFunc(run.Meta.Targets, func(t evidence.TargetMeta) bool { return t.Name == l.Target && t.Kind == "external" })
		}
	}
	return false
}

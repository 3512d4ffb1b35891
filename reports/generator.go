package reports

import (
	"fmt"
	"math"
	"strings"
	"time"

	"ordeal/runner/evidence"
)

// Generator is what the load generator itself cost while the timeline went on,
// what it suffered, and what else the machine did: a starved generator measures
// itself, not the target.
type Generator struct {
	CPUs  int   `json:"cpus"` // of the machine
	Procs int   `json:"gomaxprocs"`
	CPU   Usage `json:"cpu_cores"` // that the generator used
	// Others is what all else on the machine used, targets started by the
	// harness included; absent where it was not recorded.
	Others     *Usage         `json:"other_cpu_cores,omitempty"`
	SchedDelay *time.Duration `json:"sched_delay_p99_ns,omitempty"` // until a goroutine that could run did: the greatest of its 99th percentiles
	SchedMax   *time.Duration `json:"sched_delay_max_ns,omitempty"`
	GCPause    *time.Duration `json:"gc_pause_max_ns,omitempty"`
}

// Usage is CPU time in cores: 1 is one core all the time.
type Usage struct {
	Mean float64 `json:"mean"`
	Max  float64 `json:"max"` // in a second, or a 600th of the run where that is longer
}

// course is the generator over time: V[i] holds from steps[i] to steps[i+1],
// and NaN is a gap. What was not recorded is nil.
type course struct {
	steps                   []time.Duration
	cpu, others             []float64 // cores
	gc, schedP99, schedMost []float64 // seconds
}

// generator reads the harness's own series; nil where there are none.
func generator(run *evidence.Run, d *Document) (*Generator, *course, error) {
	series, err := run.Series("ordeal", "")
	if err != nil {
		return nil, nil, fmt.Errorf("read the generator's series: %w", err)
	}
	c := &course{steps: d.steps()}
	var busy []float64
	for _, s := range series {
		quantile, _ := s.Label("quantile")
		switch mode, _ := s.Label("mode"); s.Name {
		case "harness_cpu_seconds_total":
			c.cpu = growth(s, c.steps)
		case "machine_cpu_seconds_total":
			// Guest time is in user time already.
			if mode != "idle" && mode != "iowait" && !strings.HasPrefix(mode, "guest") {
				busy = plus(busy, growth(s, c.steps))
			}
		case "harness_gc_pause_seconds":
			if quantile == "1" {
				c.gc = greatest(s, c.steps)
			}
		case "harness_sched_latency_seconds":
			switch quantile {
			case "1":
				c.schedMost = greatest(s, c.steps)
			case "0.99":
				c.schedP99 = greatest(s, c.steps)
			}
		}
	}
	cpu := usage(c.cpu)
	if cpu == nil {
		return nil, nil, nil
	}
	if busy != nil {
		c.others = make([]float64, len(busy))
		for i := range busy {
			c.others[i] = max(0, busy[i]-c.cpu[i])
		}
	}
	return &Generator{
		CPUs: run.Meta.Host.CPUs, Procs: run.Meta.Host.Procs, CPU: *cpu, Others: usage(c.others),
		SchedDelay: longest(c.schedP99), SchedMax: longest(c.schedMost), GCPause: longest(c.gc),
	}, c, nil
}

// steps are the edges of the stretches that the timeline is drawn in: of whole
// seconds, at most as many as can be seen, the last as short as it may be.
func (d *Document) steps() []time.Duration {
	took := d.Run.End - d.Run.Start
	if took <= 0 {
		return nil
	}
	step := max(time.Second, (took/most + time.Second - 1).Truncate(time.Second))
	var edges []time.Duration
	for at := d.Run.Start; at < d.Run.End; at += step {
		edges = append(edges, at)
	}
	return append(edges, d.Run.End)
}

// growth is how much a count that only grows grew a second in each step; a gap
// where it was not read, or where the last step is too short to tell.
func growth(s evidence.Series, steps []time.Duration) []float64 {
	var out []float64
	for i := range len(steps) - 1 {
		from, to := steps[i], steps[i+1]
		rate := math.NaN()
		before, ok := s.At(from)
		after, _ := s.At(to)
		if ok && to-from > (steps[1]-steps[0])/4 {
			rate = max(0, after-before) / (to - from).Seconds()
		}
		out = append(out, rate)
	}
	return out
}

// greatest is the greatest value of each step; a gap where there was none.
func greatest(s evidence.Series, steps []time.Duration) []float64 {
	var out []float64
	for i := range len(steps) - 1 {
		v := math.NaN()
		for _, x := range s.Between(steps[i], steps[i+1]-1).V {
			if !(v >= x) {
				v = x
			}
		}
		out = append(out, v)
	}
	return out
}

func plus(a, b []float64) []float64 {
	if a == nil {
		return b
	}
	for i := range a {
		a[i] += b[i]
	}
	return a
}

// usage sums up CPU over time; nil where nothing is known.
func usage(v []float64) *Usage {
	var u Usage
	n := 0
	for _, x := range v {
		if !math.IsNaN(x) {
			u.Mean += x
			u.Max = max(u.Max, x)
			n++
		}
	}
	if n == 0 {
		return nil
	}
	// Clocks of the CPU tick in hundredths of a second: more digits are noise.
	tidy := func(x float64) float64 { return math.Round(x*1e4) / 1e4 }
	return &Usage{Mean: tidy(u.Mean / float64(n)), Max: tidy(u.Max)}
}

// longest is the greatest of times in seconds; nil where none is known.
func longest(v []float64) *time.Duration {
	var most *time.Duration
	for _, x := range v {
		if d := time.Duration(math.Round(x * 1e9)); !math.IsNaN(x) && (most == nil || d > *most) {
			most = &d
		}
	}
	return most
}

// words says in one line how the generator fared.
func (g *Generator) words() string {
	s := fmt.Sprintf("%.2f of %s on average, at most %.2f (%s)", g.CPU.Mean, plural(g.CPUs, "core"), g.CPU.Max, percent(g.CPU.Max/float64(max(1, g.CPUs))))
	if g.Procs > 0 && g.Procs != g.CPUs {
		s += fmt.Sprintf(" with GOMAXPROCS %d", g.Procs)
	}
	if g.Others != nil {
		s += fmt.Sprintf("; all else on the machine %.2f, at most %.2f", g.Others.Mean, g.Others.Max)
	}
	if g.SchedDelay != nil {
		s += "; scheduler delay p99 at most " + duration(*g.SchedDelay)
	}
	if g.GCPause != nil {
		s += "; GC pause at most " + duration(*g.GCPause)
	}
	return s
}

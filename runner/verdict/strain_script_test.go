package verdict

import "time"

// worked is what the harness saw of itself and of its machine, in cores.
type worked struct {
	procs, cpus             float64
	used, targets, others   float64
	stolen                  float64
	sched, pause            time.Duration
	from, to                time.Duration // of the timeline, in which it was so; all of it where both are zero
	untold, withoutAMachine bool
}

// machine records what the harness would have; outside of from and to the
// machine had nothing to do.
func (s *script) machine(w worked) {
	if w.untold {
		return
	}
	if w.to == 0 {
		w.to = time.Hour
	}
	const every = 500 * ms
	total := map[string]float64{}
	counter := func(name, labels, target string, rate, idle float64) {
		key := name + labels + target
		s.series(target, name, labels, every, func(at time.Duration) float64 {
			if at > s.meta.Start {
				if into := at - s.meta.Start; into > w.from && into <= w.to {
					total[key] += rate * every.Seconds()
				} else {
					total[key] += idle * every.Seconds()
				}
			}
			return 100 + total[key]
		})
	}
	gauge := func(name, labels string, v float64) {
		s.series("ordeal", name, labels, every, func(at time.Duration) float64 {
			if into := at - s.meta.Start; into <= w.from || into > w.to {
				return 0
			}
			return v
		})
	}
	counter("harness_cpu_seconds_total", "", "ordeal", w.used, 0.01)
	counter("target_cpu_seconds_total", "", "gateway", w.targets, 0.01)
	s.series("ordeal", "harness_gomaxprocs", "", every, func(time.Duration) float64 { return w.procs })
	gauge("harness_sched_latency_seconds", `quantile="0.99"`, w.sched.Seconds())
	gauge("harness_sched_latency_seconds", `quantile="1"`, 10*w.sched.Seconds())
	gauge("harness_gc_pause_seconds", `quantile="0.99"`, w.pause.Seconds()/10)
	gauge("harness_gc_pause_seconds", `quantile="1"`, w.pause.Seconds())
	if w.withoutAMachine {
		return
	}
	s.series("ordeal", "machine_cpus", "", every, func(time.Duration) float64 { return w.cpus })
	busy := w.used + w.targets + w.others
	counter("machine_cpu_seconds_total", `mode="user"`, "ordeal", 0.7*busy, 0.01)
	counter("machine_cpu_seconds_total", `mode="system"`, "ordeal", 0.3*busy, 0.01)
	counter("machine_cpu_seconds_total", `mode="steal"`, "ordeal", w.stolen, 0)
	counter("machine_cpu_seconds_total", `mode="idle"`, "ordeal", max(0, w.cpus-busy-w.stolen), w.cpus-0.02)
}

// The quiet machine of every twin.
var quiet = worked{procs: 2, cpus: 2, used: 0.2, targets: 0.3, others: 0.05, sched: 50 * time.Microsecond, pause: 200 * time.Microsecond}

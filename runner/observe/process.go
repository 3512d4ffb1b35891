package observe

import (
	"context"
	"time"

	"ordeal/runner/evidence"
)

const processEvery = 500 * time.Millisecond

// Processes records the CPU time of the processes of targets with their
// descendants, their own memory, and whether they run.
type Processes struct {
	Clock evidence.Clock
	PIDs  func() map[string]int // by replica; 0 for one that does not run
}

// Observe records until ctx ends: target_up (1 or 0) everywhere,
// target_cpu_seconds_total and target_resident_bytes where the system tells.
func (p Processes) Observe(ctx context.Context, out evidence.Sink) error {
	every(ctx, processEvery, func() {
		at := p.Clock.Now()
		for name, pid := range p.PIDs() {
			put := func(metric string, v float64) {
				out.Point(evidence.Point{At: at, Target: name, Name: metric, Value: v})
			}
			if pid == 0 {
				put("target_up", 0)
				continue
			}
			put("target_up", 1)
			if cpu, resident, ok := usage(pid); ok {
				put("target_cpu_seconds_total", cpu)
				put("target_resident_bytes", resident)
			}
		}
	})
	return nil
}

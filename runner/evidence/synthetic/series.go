package synthetic

import (
	"fmt"
	"time"

	"ordeal/runner/evidence"
)

// buckets are those of the histograms that the targets export.
var buckets = [...]string{"0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "+Inf"}

// readLink writes the counters of the link.
func (x *run) readLink(at time.Duration) {
	put := func(name string, v float64) {
		x.out.Point(evidence.Point{At: at, Target: link, Name: name, Value: v})
	}
	put("link_connections_total", 4)
	put("link_connections_active", 4)
	put("link_bytes_up_total", 80*x.passed)
	put("link_bytes_down_total", 120*x.passed)
	put("link_calls_total", x.passed)
}

// scrape writes what the targets export and what the harness knows of itself.
func (x *run) scrape(at time.Duration) {
	x.breakerSeries(at)
	for i, target := range []string{"gateway", "users"} {
		put := func(name, labels string, v float64) {
			x.out.Point(evidence.Point{At: at, Target: target, Name: name, Labels: labels, Value: v})
		}
		n := x.answered[i]
		for _, path := range []string{"/api/v1/users/:id", "/api/v1/users", "/healthz", "/metrics"} {
			for k, le := range buckets {
				put("request_duration_seconds_bucket", fmt.Sprintf("le=%q,path=%q", le, path), n*float64(k+1)/float64(len(buckets)))
			}
			put("request_duration_seconds_sum", fmt.Sprintf("path=%q", path), n*0.0024)
			put("request_duration_seconds_count", fmt.Sprintf("path=%q", path), n)
		}
		put("requests_total", "", n)
		for k := range 60 { // what every Go program exports
			put(fmt.Sprintf("go_runtime_metric_%02d", k), "", at.Seconds()*float64(k))
		}
		put("process_cpu_seconds_total", "", at.Seconds()*0.4)
		put("process_resident_memory_bytes", "", 40e6)
	}
	x.harnessSeries(at)
}

func (x *run) breakerSeries(at time.Duration) {
	put := func(name, labels string, v float64) {
		x.out.Point(evidence.Point{At: at, Target: "gateway", Name: name, Labels: `breaker="users"` + labels, Value: v})
	}
	state, index := stateAt(x.changes, at)
	put("breaker_state", "", float64(state))
	put("breaker_calls_total", `,result="rejected"`, x.rejected)
	for _, way := range [][2]int{{closed, open}, {open, halfOpen}, {halfOpen, open}, {halfOpen, closed}} {
		n, last := 0, 0.0
		for _, c := range x.changes[:index+1] {
			if c.from == way[0] && c.to == way[1] {
				n++
				last = float64(x.base.UnixNano())/1e9 + c.at.Seconds()
			}
		}
		labels := fmt.Sprintf(",from=%q,to=%q", stateNames[way[0]], stateNames[way[1]])
		put("breaker_transitions_total", labels, float64(n))
		put("breaker_last_transition_timestamp_seconds", labels, last)
	}
}

func (x *run) harnessSeries(at time.Duration) {
	put := func(name, labels string, v float64) {
		x.out.Point(evidence.Point{At: at, Target: "ordeal", Name: name, Labels: labels, Value: v})
	}
	put("harness_cpu_seconds_total", "", at.Seconds()*0.6)
	put("harness_gomaxprocs", "", 2)
	put("harness_heap_bytes", "", 30e6)
	put("harness_resident_bytes", "", 90e6)
	put("harness_goroutines", "", 900)
	put("machine_cpus", "", 2)
	for mode, share := range map[string]float64{"user": 0.7, "system": 0.3, "idle": 1, "iowait": 0, "steal": 0} {
		put("machine_cpu_seconds_total", fmt.Sprintf("mode=%q", mode), at.Seconds()*share)
	}
	for _, name := range []string{"harness_sched_latency_seconds", "harness_gc_pause_seconds"} {
		put(name, `quantile="0.99"`, 0.0002)
		put(name, `quantile="1"`, 0.0009)
	}
}

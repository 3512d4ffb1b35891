package observe

import (
	"context"
	"time"

	"ordeal/chaos"
	"ordeal/runner/evidence"
)

// linksEvery is the period of looks at links: short, because verdicts on a
// breaker rest on how many calls got through between two of its states.
const linksEvery = 50 * time.Millisecond

// Links records the counters of every link.
type Links struct {
	Clock evidence.Clock
	Each  func(func(*chaos.Link))
}

// Observe reads the counters until ctx ends, and once more then.
func (l Links) Observe(ctx context.Context, out evidence.Sink) error {
	look := func() {
		at := l.Clock.Now()
		l.Each(func(link *chaos.Link) {
			put := func(name string, v int64) {
				out.Point(evidence.Point{At: at, Target: link.Name(), Name: name, Value: float64(v)})
			}
			s := link.Stats()
			put("link_connections_total", s.Connections)
			put("link_connections_active", s.Active)
			put("link_bytes_up_total", s.BytesUp)
			put("link_bytes_down_total", s.BytesDown)
			put("link_calls_total", s.Calls)
		})
	}
	every(ctx, linksEvery, look)
	look()
	return nil
}

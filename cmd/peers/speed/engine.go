package speed

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"sync/atomic"
	"time"

	"ordeal/runner/evidence"
	"ordeal/runner/load"
)

// discarding is Ordeal's engine alone, its results thrown away: what recording
// costs is the difference to a whole run.
func discarding() *tool {
	return &tool{
		name: "ordeal, engine alone", peer: selfBinary,
		args: func(j job) []string {
			return []string{j.addr, strconv.Itoa(j.clients), strconv.Itoa(j.conns), j.lasts.String()}
		},
		read: readFile(outputFile, func(text []byte) (said, error) {
			var done discarded
			if err := json.Unmarshal(text, &done); err != nil {
				return said{}, fmt.Errorf("read what the engine did: %w", err)
			}
			return said{calls: done.Calls, failed: done.Failed, noP99: true}, nil
		}),
	}
}

// discarded is what an engine did whose results nobody keeps.
type discarded struct{ Calls, Failed int64 }

// discard counts samples, and has no more than that to do with them.
type discard struct{ calls, failed atomic.Int64 }

func (d *discard) Sample(s evidence.Sample) {
	d.calls.Add(1)
	if s.Class != evidence.OK {
		d.failed.Add(1)
	}
}
func (*discard) Message(evidence.Message) {}
func (*discard) Event(evidence.Event)     {}
func (*discard) Point(evidence.Point)     {}

// Engine runs Ordeal's engine in a process of its own and throws its results
// away: args are the address, the clients, the connections of gRPC (0 for HTTP)
// and how long.
func Engine(ctx context.Context, args []string, out io.Writer) error {
	if len(args) != 4 {
		return fmt.Errorf("want an address, clients, connections and a time, not %q", args)
	}
	clients, err := strconv.Atoi(args[1])
	if err != nil {
		return fmt.Errorf("clients: %w", err)
	}
	conns, err := strconv.Atoi(args[2])
	if err != nil {
		return fmt.Errorf("connections: %w", err)
	}
	lasts, err := time.ParseDuration(args[3])
	if err != nil {
		return fmt.Errorf("how long: %w", err)
	}
	defer load.EaseCollector()() // as a run does: the two differ by recording alone
	spec := load.Spec{Name: "calls", Clients: clients, Timeout: 5 * time.Second}
	if conns > 0 {
		spec.GRPC = &load.GRPC{Target: "server", Call: getUser, Data: map[string]any{"user_id": "42"}, Connections: conns}
	} else {
		spec.HTTP = &load.HTTP{Target: "server", Get: "/"}
	}
	engine, err := spec.Engine(load.Env{Addrs: []string{args[0]}, Clock: evidence.NewClock(), End: lasts})
	if err != nil {
		return err
	}
	schedule, err := spec.Schedule([]load.PhaseSpan{{Name: "full", For: lasts}}, 0)
	if err != nil {
		return err
	}
	var results discard
	if err := engine.Run(ctx, 0, schedule, &results); err != nil {
		return err
	}
	done := discarded{Calls: results.calls.Load(), Failed: results.failed.Load()}
	if err := json.NewEncoder(out).Encode(done); err != nil {
		return fmt.Errorf("tell what the engine did: %w", err)
	}
	return nil
}

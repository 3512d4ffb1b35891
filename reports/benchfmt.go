package reports

import (
	"fmt"
	"io"

	"golang.org/x/perf/benchfmt"
)

// Benchfmt writes the figures in the format of Go's benchmarks, which benchstat
// compares: a line for each load in each phase that is selected and had calls.
// Files of several runs may be joined: what differs from run to run by nature,
// such as its name and time, is not in them.
//
// The format is that of https://go.dev/design/14313-benchmark-format.
func Benchfmt(of Selection) Renderer {
	return func(w io.Writer, d *Document) error {
		s, err := of.in(d)
		if err != nil {
			return err
		}
		out := benchfmt.NewWriter(w)
		for _, u := range []struct{ unit, better string }{{"calls/s", "higher"}, {"errors/op", "lower"}, {"messages/s", "higher"}} {
			key := benchfmt.UnitMetadataKey{Unit: u.unit, Key: "better"}
			if err := out.Write(&benchfmt.UnitMetadata{UnitMetadataKey: key, OrigUnit: u.unit, Value: u.better}); err != nil {
				return fmt.Errorf("write benchfmt: %w", err)
			}
		}
		for _, l := range s.loads {
			for _, f := range l.Phases {
				if f.Calls == 0 {
					continue
				}
				if err := out.Write(benchResult(d, l.Load, f)); err != nil {
					return fmt.Errorf("write benchfmt: %w", err)
				}
			}
		}
		return nil
	}
}

func benchResult(d *Document, l Load, f Figures) *benchfmt.Result {
	r := &benchfmt.Result{
		Name:   benchfmt.Name("Load/load=" + token(l.Name) + "/phase=" + token(f.Phase)),
		Iters:  int(f.Calls),
		Config: benchConfig(d),
	}
	value := func(v float64, unit string) { r.Values = append(r.Values, benchfmt.Value{Value: v, Unit: unit}) }
	times := func(before string, l Latency) {
		for _, q := range l.figures() {
			switch {
			case q.value == nil:
			case q.name == "mean":
				value(float64(*q.value), before+"ns/op")
			default:
				value(float64(*q.value), before+q.name+"-ns")
			}
		}
	}
	times("", f.Response)
	if !l.Closed() {
		times("service-", f.Service)
		lagged := Latency{P99: f.Lag.P99, Max: f.Lag.Max}
		times("lag-", lagged)
	}
	value(f.Rate, "calls/s")
	value(f.ErrorRatio(), "errors/op")
	if m := f.Messages; m != nil {
		times("message-", m.Response)
		if f.Took > 0 {
			value(float64(m.Count)/f.Took.Seconds(), "messages/s")
		}
	}
	return r
}

// benchConfig is what two runs must have in common to be compared.
func benchConfig(d *Document) []benchfmt.Config {
	var out []benchfmt.Config
	for _, c := range []struct{ key, value string }{
		{"goos", d.Run.Build.OS}, {"goarch", d.Run.Build.Arch}, {"host", d.Run.Host.Name}, {"cpus", fmt.Sprint(d.Run.Host.CPUs)},
		{"scenario", d.Run.Scenario}, {"ordeal", d.Run.Build.Version}, {"commit", d.Run.Build.Commit},
	} {
		if c.value != "" {
			out = append(out, benchfmt.Config{Key: c.key, Value: []byte(clean(c.value)), File: true})
		}
	}
	return out
}

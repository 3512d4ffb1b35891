package main

import (
	"context"
	"fmt"
	"io"

	"ordeal/runner"
	"ordeal/runner/telemetry"
)

// serveMetrics starts to serve what the exporter shows and tells where; stop
// ends it. A server that ends before, runs do without: it is told, and no
// verdict rests on it.
func serveMetrics(ctx context.Context, stderr io.Writer, addr string) (exporter *telemetry.Exporter, stop func(), err error) {
	exporter = telemetry.NewExporter(runner.Build())
	server, err := telemetry.Listen(ctx, addr, exporter)
	if err != nil {
		return nil, nil, err
	}
	fmt.Fprintln(stderr, "metrics at", server.URL()) //nolint:errcheck // a courtesy
	return exporter, func() {
		if err := server.Close(); err != nil {
			fmt.Fprintln(stderr, "ordeal:", err) //nolint:errcheck // nowhere left to tell
		}
	}, nil
}

package main

import (
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"ordeal/cmd/accuracy/target"
)

// loadName and phaseName are those of the generated scenarios.
const (
	loadName  = "calls"
	phaseName = "measured"
)

// scenario is the case as Ordeal gets it. What is expected is no more than that
// some call succeeds: the verdict is of no interest here.
func (c *testCase) scenario(addr string) string {
	call := `http: {target: known, get: "/call/{{.Seq}}"}`
	if c.kind == "grpc" {
		call = fmt.Sprintf("grpc: {target: known, call: grpc.testing.TestService/%s, metadata: {%s: \"{{.Seq}}\"}, %s}", c.method, target.CallKey, c.request)
	}
	return document(c.name, addr, call, fmt.Sprintf("rate: %s\n    workers: %d\n    timeout: %v", c.schedule.yaml(), c.workers, c.timeout), c.schedule.length)
}

func document(name, addr, call, how string, length time.Duration) string {
	return fmt.Sprintf(`ordeal: v1
name: accuracy-%s
targets:
  known: {external: %q}
load:
  %s:
    %s
    %s
timeline:
  - {phase: %s, for: %v}
expect:
  - errors: {load: %s, during: %s, ratio: "< 100%%"}
`, name, addr, loadName, call, how, phaseName, length, loadName, phaseName)
}

// largeBody is larger than what a stream takes ahead of its receiver: a window
// of 64 KiB, and as much that grpc-go keeps for writing. So the stream takes a
// message when the receiver has begun with the one before.
func largeBody() string {
	return base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", 136<<10)))
}

// Package runner carries out a plan: it starts the targets and the links
// between them, goes through the timeline with load and faults on one clock,
// and leaves a run directory behind.
package runner

import (
	"time"

	"ordeal/runner/telemetry"
)

// Options say how a plan is run.
type Options struct {
	Dir        string         // where run directories are made
	BaseDir    string         // what files named in the scenario are relative to
	Self       []string       // the command line that runs Ordeal itself
	Hosts      []string       // hosts besides loopback that load and faults may go to
	Contexts   []string       // of kubeconfig files, that load and faults may go to
	Kubeconfig string         // the file that has the context of a scenario; "" for the usual one
	Args       []string       // the command line of the run, for the record
	Seed       *uint64        // instead of the scenario's
	Progress   func(Progress) // called about once a second; nil for nobody

	Metrics *telemetry.Exporter // shows the run's figures while it goes on; nil for nowhere
}

// Progress is how far a run is.
type Progress struct {
	Stage   string // one of the stages below
	Phase   string
	Elapsed time.Duration // of the timeline
	Total   time.Duration
	Rate    float64       // calls ended a second, since the last time
	P99     time.Duration // response time, since the last time; rough
	Calls   int64
	Errors  int64 // in all
	Faults  []string
}

// The stages of a run.
const (
	StageStarting = "starting"
	StageRunning  = "running"
	StageDraining = "draining" // the timeline is over, the last calls are not
)

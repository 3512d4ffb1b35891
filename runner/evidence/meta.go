package evidence

import "time"

// Outcome says how a run ended. It is not a verdict: a completed run may fail
// its checks.
type Outcome string

// The outcomes of a run.
const (
	Running     Outcome = "running"     // still going on, or killed
	Completed   Outcome = "completed"   // the timeline was gone through
	Interrupted Outcome = "interrupted" // ended early by a signal
	Failed      Outcome = "failed"      // the harness could not go on, or a heal failed
)

// Meta is run.json: written when the run starts, and again when it ends.
type Meta struct {
	Format   int       `json:"format"` // 1
	ID       string    `json:"id"`     // name of the run directory
	Scenario string    `json:"scenario"`
	About    string    `json:"about,omitempty"`
	Tags     []string  `json:"tags,omitempty"`
	File     string    `json:"file"` // the scenario's name as it was given
	Seed     uint64    `json:"seed"`
	Base     time.Time `json:"base"` // the wall clock of offset zero
	Outcome  Outcome   `json:"outcome"`
	Error    string    `json:"error,omitempty"` // why it Failed
	// Start is when the timeline began and Took when it ended, as offsets from Base; targets are started before Start.
	Start time.Duration `json:"start_ns"`
	Took  time.Duration `json:"took_ns,omitempty"`

	Build   Build             `json:"build"`
	Host    Host              `json:"host"`
	Modules map[string]string `json:"modules,omitempty"` // versions of the libraries that made the load and the faults
	Args    []string          `json:"args,omitempty"`
	Hosts   []string          `json:"hosts"` // every host that load or faults went to

	Phases  []PhaseMeta  `json:"phases"`
	Loads   []LoadMeta   `json:"loads"`
	Cluster *ClusterMeta `json:"cluster,omitempty"` // where targets are in one
	Targets []TargetMeta `json:"targets"`
	Links   []LinkMeta   `json:"links,omitempty"`

	// Waits counts how often evidence had to wait because the disk could not keep up. A wait delays its caller, so a run with
	// many of them measured its own disk.
	Waits int64 `json:"waits,omitempty"`
	// Lost counts evidence that could not be kept, by what it was ("samples", "messages", "points", "events"). Empty is the only good value.
	Lost  map[string]int64  `json:"lost,omitempty"`
	Files map[string]string `json:"files,omitempty"` // SHA-256 of every other file, by slash-separated path; set when the run ends
}

// Build identifies the program that made the run.
type Build struct {
	Version string `json:"version"`
	Commit  string `json:"commit,omitempty"`
	Dirty   bool   `json:"dirty,omitempty"`
	Go      string `json:"go"`
	OS      string `json:"os"`
	Arch    string `json:"arch"`
}

// Host identifies the machine that the generator ran on.
type Host struct {
	Name   string `json:"name"`
	CPUs   int    `json:"cpus"`
	Procs  int    `json:"gomaxprocs"`
	Kernel string `json:"kernel,omitempty"`
	Memory int64  `json:"memory_bytes,omitempty"`
}

// PhaseMeta is one phase of the timeline as planned; Start is an offset from
// Base, so Meta.Start is part of it. The reader prefers what events say.
type PhaseMeta struct {
	Name   string        `json:"name"`
	Start  time.Duration `json:"start_ns"`
	For    time.Duration `json:"for_ns"`
	Warmup bool          `json:"warmup,omitempty"` // left out of every judgement that does not name it
	Faults []FaultMeta   `json:"faults,omitempty"`
	// Changes are those made at its start, as the events of kind Changed name them.
	Changes []string `json:"changes,omitempty"`
}

// FaultMeta is one fault of a phase as planned.
type FaultMeta struct {
	Fault  string `json:"fault"`
	Link   string `json:"link,omitempty"`
	Target string `json:"target,omitempty"`
}

// LoadMeta is one load as planned.
type LoadMeta struct {
	Name      string           `json:"name"`
	Engine    string           `json:"engine"` // "http" or "grpc"
	Target    string           `json:"target"`
	Call      string           `json:"call"`     // "GET /api/v1/users/42", "user.v1.UserService/GetUser"
	Model     string           `json:"model"`    // "open" or "closed"
	Arrivals  string           `json:"arrivals"` // "uniform", "poisson" or "closed"
	Shape     string           `json:"shape"`    // the rate as a person reads it: "300/s", "ramp 10/s to 500/s"
	Workers   int              `json:"workers"`  // the cap on calls in flight; the number of clients in a closed model
	Timeout   time.Duration    `json:"timeout_ns"`
	Transport string           `json:"transport,omitempty"` // "fast" (HTTP/1.1) or "standard" (net/http); HTTP loads only
	Messages  string           `json:"messages,omitempty"`  // what the latency of a message is for this kind of call, in a sentence; "" where the load has no messages
	Planned   map[string]int64 `json:"planned,omitempty"`   // calls intended in each phase; absent in a closed model
}

// TargetMeta is one target as started.
type TargetMeta struct {
	Name     string            `json:"name"`
	Kind     string            `json:"kind"` // reference, command, external, service
	Command  string            `json:"command,omitempty"`
	Replicas int               `json:"replicas"`
	Addrs    []string          `json:"addrs,omitempty"` // one a replica
	Settings map[string]string `json:"settings,omitempty"`
}

// ClusterMeta is the Kubernetes cluster that targets were in.
type ClusterMeta struct {
	Kind      string `json:"kind"`              // local: a control plane of the run's own; or context
	Context   string `json:"context,omitempty"` // of the kubeconfig file
	Version   string `json:"version"`           // of the API server
	Namespace string `json:"namespace"`
	// Settings are those of the autoscaler and of the metrics, where they are known: sync_period, downscale_stabilization,
	// cpu_initialization_period, initial_readiness_delay and metrics_resolution as durations, and tolerance.
	Settings map[string]string `json:"settings,omitempty"`
	// CPULimits says of a local one whether limits of CPU in Pods held: "enforced by …", or "not enforced: …" and why.
	CPULimits string `json:"cpu_limits,omitempty"`
}

// LinkMeta is one link that went through a proxy.
type LinkMeta struct {
	Name string `json:"name"` // "gateway->users"
	From string `json:"from"` // a target or "client"
	To   string `json:"to"`
}

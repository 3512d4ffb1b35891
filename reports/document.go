package reports

import (
	"time"

	"ordeal/runner/evidence"
	"ordeal/runner/verdict"
)

// DocumentVersion is the version of report.json. It grows when a field changes
// its meaning or goes away; new fields may come without that.
const DocumentVersion = 1

// Document is what all reports say, each in its own form; report.json is this
// and nothing else. Times ending in _ns are nanoseconds: points in time are
// offsets from Run.Base, as in the evidence.
type Document struct {
	Version   int               `json:"version"`
	Run       Identity          `json:"run"`
	Judgement verdict.Judgement `json:"judgement"`
	Phases    []Phase           `json:"phases"`
	Loads     []Load            `json:"loads"`
	Generator *Generator        `json:"generator,omitempty"` // absent where it was not observed
	Faults    []Fault           `json:"faults"`
	Changes   []Change          `json:"changes,omitempty"`
	Cluster   *Cluster          `json:"cluster,omitempty"`  // absent where none was watched
	Events    []evidence.Event  `json:"events"`             // but what was seen of objects, which Cluster tells
	Warnings  []string          `json:"warnings,omitempty"` // evidence that was lost, altered or not readable; targets that died

	run    *evidence.Run // that all of this was read from
	source []byte        // the scenario's
	course *course       // of the generator; nil where it was not observed
}

// Identity says which run this was, and on what.
type Identity struct {
	ID       string                `json:"id"`
	Scenario string                `json:"scenario"`
	About    string                `json:"about,omitempty"`
	Tags     []string              `json:"tags,omitempty"`
	File     string                `json:"file"`
	Seed     uint64                `json:"seed"`
	Base     time.Time             `json:"base"`
	Outcome  evidence.Outcome      `json:"outcome"`
	Killed   bool                  `json:"killed,omitempty"` // the harness never said that the run ended
	Error    string                `json:"error,omitempty"`
	Start    time.Duration         `json:"start_ns"` // of the timeline
	End      time.Duration         `json:"end_ns"`   // of the timeline, as far as it got
	Build    evidence.Build        `json:"build"`
	Host     evidence.Host         `json:"host"`
	Modules  map[string]string     `json:"modules,omitempty"`
	Args     []string              `json:"args,omitempty"`
	Hosts    []string              `json:"hosts"`
	Targets  []evidence.TargetMeta `json:"targets"`
	Links    []evidence.LinkMeta   `json:"links,omitempty"`
	Hashed   int                   `json:"hashed_files"`      // files whose SHA-256 is in run.json; 0 where the run did not end
	Altered  []string              `json:"altered,omitempty"` // what differs from those hashes
}

// Phase is one phase as it really was.
type Phase struct {
	Name     string        `json:"name"`
	Start    time.Duration `json:"start_ns"`
	End      time.Duration `json:"end_ns"`
	Planned  time.Duration `json:"planned_ns"`
	Complete bool          `json:"complete"`
	Warmup   bool          `json:"warmup,omitempty"`
}

// Load is one load with its figures.
type Load struct {
	Name     string        `json:"name"`
	Engine   string        `json:"engine"`
	Target   string        `json:"target"`
	Call     string        `json:"call"`
	Model    string        `json:"model"`
	Arrivals string        `json:"arrivals"`
	Shape    string        `json:"shape"`
	Workers  int           `json:"workers"`
	Timeout  time.Duration `json:"timeout_ns"`
	// Transport is what carried an HTTP load: "fast" or "standard".
	Transport string `json:"transport,omitempty"`
	// Messages says what the latency of a message is; "" where the calls have none.
	Messages string    `json:"messages,omitempty"`
	Phases   []Figures `json:"phases"`
	Whole    Figures   `json:"whole"` // all phases but warmup
}

// Closed reports whether the load waits for an answer before its next call.
func (l Load) Closed() bool { return l.Model == "closed" }

// judged counts the phases that are not warmup.
func (l Load) judged() int {
	n := 0
	for _, f := range l.Phases {
		if !f.Warmup {
			n++
		}
	}
	return n
}

// Figures are what was measured of a load in a phase.
type Figures struct {
	Phase    string           `json:"phase,omitempty"`
	Warmup   bool             `json:"warmup,omitempty"`
	Took     time.Duration    `json:"took_ns"`
	Calls    int64            `json:"calls"`
	Planned  int64            `json:"planned,omitempty"` // calls the schedule had; absent in a closed model
	Rate     float64          `json:"calls_per_second"`
	Errors   int64            `json:"errors"`
	Degraded int64            `json:"degraded"`  // answers marked as not the real ones
	Late     int64            `json:"sent_late"` // calls sent more than 10 ms after their time
	Unissued int64            `json:"unissued"`  // calls that the schedule had and that were not sent
	Timeouts int64            `json:"timeouts"`  // calls without an answer in time
	Classes  map[string]int64 `json:"classes,omitempty"`
	Codes    []CodeCount      `json:"codes,omitempty"`
	Backends map[string]int64 `json:"backends,omitempty"` // calls by who answered, where known
	Bytes    int64            `json:"bytes"`
	Response Latency          `json:"response"` // from the intended start
	Service  Latency          `json:"service"`  // from the actual send
	Lag      Latency          `json:"send_lag"`
	Beyond   Beyond           `json:"beyond"`
	Messages *MessageFigures  `json:"messages,omitempty"` // of streaming calls
}

// MessageFigures are what was measured of the messages of streaming calls in a
// phase; Load.Messages says what their latency is.
type MessageFigures struct {
	Count      int64   `json:"count"`
	Unanswered int64   `json:"unanswered"` // of Count; their times count as what they lasted until their call ended
	Response   Latency `json:"response"`   // from when the message was due
	Service    Latency `json:"service"`    // from when it was sent
	Lag        Latency `json:"send_lag"`
	Beyond     Beyond  `json:"beyond"`
}

// Beyond is how many of the calls, or messages, lie beyond each percentile. A
// percentile is told where there are at least ten.
type Beyond struct {
	P50  int64 `json:"p50"`
	P90  int64 `json:"p90"`
	P95  int64 `json:"p95"`
	P99  int64 `json:"p99"`
	P999 int64 `json:"p99_9"`
}

// CodeCount is how many calls ended in a class with an HTTP status or gRPC code.
type CodeCount struct {
	Class string `json:"class"`
	Code  int    `json:"code"`
	Calls int64  `json:"calls"`
}

// ErrorRatio is the share of calls that failed, 0 to 1.
func (f Figures) ErrorRatio() float64 {
	if f.Calls == 0 {
		return 0
	}
	return float64(f.Errors) / float64(f.Calls)
}

// Latency is a distribution in nanoseconds. A percentile with fewer than ten
// calls beyond it is absent: it would speak of a handful of calls.
type Latency struct {
	Mean *time.Duration `json:"mean_ns"`
	P50  *time.Duration `json:"p50_ns"`
	P90  *time.Duration `json:"p90_ns"`
	P95  *time.Duration `json:"p95_ns"`
	P99  *time.Duration `json:"p99_ns"`
	P999 *time.Duration `json:"p99_9_ns"`
	Max  *time.Duration `json:"max_ns"`
}

// Fault is one fault as it really was.
type Fault struct {
	Fault    string            `json:"fault"`
	Phase    string            `json:"phase"`
	Link     string            `json:"link,omitempty"`
	Target   string            `json:"target,omitempty"`
	Injected time.Duration     `json:"injected_ns"`
	Healed   *time.Duration    `json:"healed_ns"` // absent where it was not healed, or nothing is known of it
	Touched  *evidence.Touched `json:"touched"`   // the traffic it acted on; absent where unknown
	Error    string            `json:"error,omitempty"`
}

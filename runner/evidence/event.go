package evidence

import (
	"encoding/json"
	"time"
)

// Kind says what happened.
type Kind string

// The kinds of events. Which other fields of Event are set is said beside each.
const (
	RunStart      Kind = "run-start"
	RunEnd        Kind = "run-end"        // Text: the outcome
	PhaseStart    Kind = "phase-start"    // Phase
	PhaseEnd      Kind = "phase-end"      // Phase; Text "cut short" if the run was ended in it
	FaultInjected Kind = "fault-injected" // Phase, Fault, Link or Target
	FaultHealed   Kind = "fault-healed"   // Phase, Fault, Link or Target, Touched
	FaultFailed   Kind = "fault-failed"   // Phase, Fault, Link or Target; Text: inject or heal, and the error
	TargetStart   Kind = "target-start"   // Target; Text: the command
	TargetReady   Kind = "target-ready"   // Target; Text: its address
	TargetExit    Kind = "target-exit"    // Target; Text: exit status and last lines of output; Expected
	TargetPaused  Kind = "target-paused"  // Target
	TargetResumed Kind = "target-resumed" // Target
	HealthChecked Kind = "health"         // Target; OK; Text: before-load, after-heal or after-load, and what was seen
	LoadStart     Kind = "load-start"     // Load
	LoadEnd       Kind = "load-end"       // Load; Text where it ended early
	LinkGaveUp    Kind = "link-gave-up"   // Link: connections were closed because a faulted stream could not be drained in time
	ObjectSeen    Kind = "object"         // Object; Target where it belongs to one
	Changed       Kind = "changed"        // Phase, Object (its kind and name alone); Text: what was changed on purpose, such as a rollout; it is not healed
	Note          Kind = "note"           // Text
)

// Event is something that happened at a known time of the run.
type Event struct {
	At       time.Duration `json:"at_ns"`
	Kind     Kind          `json:"kind"`
	Phase    string        `json:"phase,omitempty"`
	Load     string        `json:"load,omitempty"`
	Target   string        `json:"target,omitempty"` // "users", or "users/1" for a replica
	Link     string        `json:"link,omitempty"`
	Fault    string        `json:"fault,omitempty"` // as Fault.String gives it; the same at inject and heal
	OK       bool          `json:"ok,omitempty"`
	Expected bool          `json:"expected,omitempty"` // the harness itself caused it
	Text     string        `json:"text,omitempty"`
	Touched  *Touched      `json:"touched,omitempty"`
	Object   *Object       `json:"object,omitempty"`
}

// Object is a Kubernetes object at a moment: what the API server said of it, so
// that a check can follow it through the run.
type Object struct {
	Action    string          `json:"action,omitempty"` // "found" when the watch began, else "added", "changed" or "deleted"
	Kind      string          `json:"kind"`             // "Pod", "Deployment", "HorizontalPodAutoscaler", …
	Namespace string          `json:"namespace,omitempty"`
	Name      string          `json:"name"`
	UID       string          `json:"uid,omitempty"`
	Data      json.RawMessage `json:"data,omitempty"` // the object as JSON, less managedFields; its last state when it was deleted
}

// Touched counts the traffic that a fault really acted on.
type Touched struct {
	Connections int64 `json:"connections"`     // connections delayed, cut, starved or refused; for a fault on a target: processes or Pods
	Bytes       int64 `json:"bytes"`           // bytes delayed or swallowed
	Calls       int64 `json:"calls,omitempty"` // HTTP/2 streams opened on the link while it acted, where the link carries HTTP/2
}

// Any reports whether the fault acted on anything at all.
func (t *Touched) Any() bool { return t != nil && (t.Connections > 0 || t.Bytes > 0) }

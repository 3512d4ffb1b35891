package evidence

import "time"

// Class says in one word how a call ended. The set is closed, so that counting
// by class needs no memory that grows with the run.
type Class uint8

// The classes of a call. Status codes are kept beside the class, in
// Sample.Code.
const (
	OK         Class = iota // an answer of success: HTTP below 400, gRPC OK
	HTTP4xx                 // an HTTP answer of 400–499
	HTTP5xx                 // an HTTP answer of 500 and above
	GRPCStatus              // a gRPC status other than OK that the far side sent
	Timeout                 // no answer in time: what happened is unknown
	Refused                 // no connection could be made
	Reset                   // the connection broke while the call was under way
	Other                   // anything else: a malformed answer, a failed look-up
	classes
)

// NumClasses is the number of classes, for arrays indexed by Class.
const NumClasses = int(classes)

var classNames = [NumClasses]string{"ok", "http-4xx", "http-5xx", "grpc-status", "timeout", "refused", "reset", "other"}

// String returns the name used in files and reports.
func (c Class) String() string {
	if int(c) < len(classNames) {
		return classNames[c]
	}
	return "other"
}

// ParseClass is the inverse of Class.String; ok is false for an unknown name.
func ParseClass(name string) (c Class, ok bool) {
	for i, n := range classNames {
		if n == name {
			return Class(i), true
		}
	}
	return Other, false
}

// Sample is one call. A sample whose call was planned but never sent is not
// written: unissued calls are what Meta.Loads[i].Planned has beyond the samples.
type Sample struct {
	Load     int           // index into Meta.Loads
	Seq      uint64        // the call's number in its load's schedule, from 0
	Intended time.Duration // when the schedule wanted it sent; equals Sent in a closed model
	Sent     time.Duration // when it was handed to the transport
	Done     time.Duration // when its last byte, or its error, was there
	Class    Class
	Code     int    // HTTP status or gRPC code; 0 where there was none
	Bytes    int64  // bytes of the response body; 0 where not known
	Backend  string // who answered, where known (X-Served-By, the picked address)
	Mark     string // why the answer is not the real one (X-Degraded), else ""
}

// Response is the response time: from the intended start, so that waiting
// caused by the system under test is not left out (coordinated omission).
func (s *Sample) Response() time.Duration { return s.Done - s.Intended }

// Service is the service time: from the actual send.
func (s *Sample) Service() time.Duration { return s.Done - s.Sent }

// Lag is the send lag: how late the call was sent.
func (s *Sample) Lag() time.Duration { return s.Sent - s.Intended }

// Point is one value of a scraped or observed series.
type Point struct {
	At     time.Duration
	Target string // the target (and replica, "users/1") or link that it was read from; "ordeal" for the harness itself
	Name   string // metric name
	Labels string // canonical: `a="1",b="2"`, sorted by name, no braces; "" where none
	Value  float64
}

package telemetry

import (
	"github.com/prometheus/client_golang/prometheus"
)

// family is a metric with all of its series.
type family struct {
	name   string
	kind   prometheus.ValueType // UntypedValue stands for a histogram
	help   string
	labels []string
	desc   *prometheus.Desc
}

const histogramValue = prometheus.UntypedValue

func newFamily(name string, kind prometheus.ValueType, help string, labels ...string) *family {
	return &family{name, kind, help, labels, prometheus.NewDesc(name, help, labels, nil)}
}

// families are the metrics that are served besides those of the Go runtime and
// of the process. The number of series is bounded by the scenario: no label has
// a value that a target or a call chose.
type families struct {
	response, service, lag                         *family
	messageResponse, messageService                *family
	calls, bytes, messages                         *family
	planned, due, issued, inFlight, limit, waiting *family
	phase, fault, waits, run, build                *family
}

func newFamilies() *families {
	const counter, gauge = prometheus.CounterValue, prometheus.GaugeValue
	return &families{
		response: newFamily("ordeal_response_seconds", histogramValue,
			"Response time of calls that have ended, from when the schedule wanted them sent to their last byte or error.", "scenario", "load", "class"),
		service: newFamily("ordeal_service_seconds", histogramValue,
			"Service time of calls that have ended, from when they were really sent to their last byte or error.", "scenario", "load", "class"),
		lag: newFamily("ordeal_send_lag_seconds", histogramValue,
			"Send lag of calls that have ended: how long after their time they were sent.", "scenario", "load"),
		messageResponse: newFamily("ordeal_message_response_seconds", histogramValue,
			"Response time of messages of streaming calls, from when they were due.", "scenario", "load"),
		messageService: newFamily("ordeal_message_service_seconds", histogramValue,
			"Service time of messages of streaming calls, from when they were really sent.", "scenario", "load"),
		calls: newFamily("ordeal_calls_total", counter,
			"Calls that have ended, by how they ended.", "scenario", "load", "class"),
		bytes: newFamily("ordeal_response_bytes_total", counter,
			"Bytes of response bodies, where they are known.", "scenario", "load"),
		messages: newFamily("ordeal_messages_total", counter,
			"Messages of streaming calls that have ended.", "scenario", "load"),
		planned: newFamily("ordeal_calls_planned", gauge,
			"Calls that the whole timeline plans. Open model only.", "scenario", "load"),
		due: newFamily("ordeal_calls_due_total", counter,
			"Calls whose time has come by the schedule, sent or not. Open model only.", "scenario", "load"),
		issued: newFamily("ordeal_calls_issued_total", counter,
			"Calls handed to a worker.", "scenario", "load"),
		inFlight: newFamily("ordeal_calls_in_flight", gauge,
			"Calls that were issued and have not ended.", "scenario", "load"),
		limit: newFamily("ordeal_calls_in_flight_limit", gauge,
			"The most calls in flight that the load may have: its workers, or its clients in a closed model.", "scenario", "load"),
		waiting: newFamily("ordeal_calls_unissued", gauge,
			"Calls that are due and not issued, as when no worker is free. What is left when the load has ended was never sent. Open model only.", "scenario", "load"),
		phase: newFamily("ordeal_phase_info", gauge,
			"1 for the phase that the timeline is in; no series outside the timeline.", "scenario", "phase"),
		fault: newFamily("ordeal_faults_active", gauge,
			"Faults of the scenario that act now: 0, or how often at once. Link or target is empty.", "scenario", "fault", "link", "target"),
		waits: newFamily("ordeal_evidence_waits_total", counter,
			"How often evidence had to wait because the disk could not keep up. A wait delays its caller.", "scenario"),
		run: newFamily("ordeal_run_info", gauge,
			"1 for each run of this process; run is the name of its run directory, and outcome is running until it has ended.", "scenario", "run", "outcome"),
		build: newFamily("ordeal_build_info", gauge,
			"1, with the version of Ordeal that serves these metrics.", "version", "revision", "goversion", "goos", "goarch"),
	}
}

// all lists the families in the order of the documentation.
func (f *families) all() []*family {
	return []*family{
		f.response, f.service, f.lag, f.calls, f.bytes,
		f.messageResponse, f.messageService, f.messages,
		f.planned, f.due, f.issued, f.waiting, f.inFlight, f.limit,
		f.phase, f.fault, f.waits, f.run, f.build,
	}
}

package main

import (
	"time"
)

// A testCase is one behaviour of a target and one load on it.
type testCase struct {
	name  string
	about string // what the target does, in a line
	why   string // why others report what they report

	kind     string // "http" or "grpc"
	method   string // of grpc.testing.TestService
	request  string // the rest of the load's grpc: data or messages, as YAML
	program  string // of the target
	seed     uint64
	schedule schedule
	workers  int           // the most calls in flight, of Ordeal and of peers
	timeout  time.Duration // of a call

	messages direction
	perCall  int           // messages a call
	interval time.Duration // between two that a client sends

	// control says that the case must fail when service times are taken for
	// response times: the suite itself would be blind if it did not.
	control  bool
	users    int  // of k6, which calls its workers so; as many as workers where 0
	timeless bool // the program needs a call's time alone: it is known also for calls that were never made
	peers    []string
	short    string // the data of a peer's call, as JSON; "" for none
}

const stall = "stall 6s 2s"

var httpPeers = []string{"vegeta", "k6", "wrk"}

// cases are those of the suite.
func cases() []testCase {
	all := []testCase{
		{
			name: "prompt", about: "every answer at once: what the comparison itself is good for",
			kind: "http", program: "prompt", schedule: hold(1000, 11*time.Second), workers: 1000, timeout: 5 * time.Second,
		},
		{
			name: "stall-10", about: "a stall of 2 s at 500/s, ten workers", control: true, timeless: true,
			kind: "http", program: stall, schedule: hold(500, 24*time.Second), workers: 10, timeout: 10 * time.Second, peers: httpPeers,
			why: `Ten calls are caught in the stall; a thousand are due and wait for a worker. vegeta stamps a call when a worker
takes it, so those thousand have no wait (coordinated omission). k6 does not make a call for which no virtual user is
free: it counts it as dropped, and it is in no percentile. wrk follows no schedule: ten connections stood
still once each, and it makes calls up in their place, one for each pause that is average.`,
		},
		{
			name: "stall-many", about: "the same stall, with as many workers as it takes", timeless: true,
			users: 1200, kind: "http", program: stall, schedule: hold(500, 24*time.Second), workers: 1500, timeout: 10 * time.Second, peers: httpPeers,
			why: `With a worker for every call that waits, stamping in the worker is right, too: vegeta and k6 agree with the truth where
they had the workers in time. vegeta's percentiles come from a t-digest, which draws a line between the few values it keeps.`,
		},
		{
			name: "bimodal", about: "1 % of the calls takes 1 s, the others nothing", seed: 50,
			users: 200, kind: "http", program: "slow 1% 1s", schedule: hold(1000, 11*time.Second), workers: 1000, timeout: 5 * time.Second, peers: httpPeers,
			why: `Nothing lies between the two modes. A t-digest (vegeta) interpolates across the gap and reports times that no call took.
wrk sends the next call of a connection only after the slow one is answered, and makes calls up in between.`,
		},
		{
			name: "overload", about: "a queue that serves 300/s under a ramp to three times that",
			users: 600, kind: "http", program: "queue 6 20ms", schedule: schedule{100, 900, 21 * time.Second}, workers: 6000, timeout: 60 * time.Second,
			peers: []string{"k6"},
			why: `The queue grows to thousands of calls and each of them waits longer than the one before. The vegeta command has no ramp and
wrk no rate at all, so neither can be asked. k6 has 600 virtual users here: what is due while all of them wait is dropped,
and the queue that k6 makes is the shorter for it.`,
		},
		{
			name: "jitter", about: "1 ms to 100 ms, log-normal", seed: 5,
			users: 200, kind: "http", program: "jitter 1ms 100ms", schedule: hold(1000, 11*time.Second), workers: 1000, timeout: 5 * time.Second, peers: httpPeers,
			why: `A smooth distribution and workers to spare: every tool measures this one well.`,
		},
		{
			name: "errors", about: "30 % fail at once, the others succeed after 100 ms to 400 ms", seed: 6,
			users: 600, kind: "http", program: "errors 30% 100ms 400ms", schedule: hold(1000, 11*time.Second), workers: 1000, timeout: 5 * time.Second, peers: httpPeers,
			why: `Fast failures count as calls here, and in vegeta, k6 and wrk, too. k6 reports those of success apart.`,
		},
		{
			name: "resets", about: "15 % are cut by a reset in the middle of the answer, after 20 ms", seed: 7,
			users: 200, kind: "http", program: "cuts 15% 20ms", schedule: hold(1000, 11*time.Second), workers: 1000, timeout: 5 * time.Second, peers: httpPeers,
			why: `A call that ends in a reset took its time all the same. wrk counts such a call as a read error and leaves it out of its
latencies.`,
		},
		{
			name: "timeouts", about: "2 % are never answered; the client gives up after 1 s", seed: 9,
			users: 200, kind: "http", program: "silence 2%", schedule: hold(1000, 11*time.Second), workers: 1000, timeout: time.Second, peers: httpPeers,
			why: `What is never answered ends when the client gives up. wrk counts a time-out and goes on waiting on the same connection,
so a silent call takes one of its connections out of the load for good.`,
		},
	}
	return append(all, grpcCases()...)
}

func grpcCases() []testCase {
	base := testCase{
		kind: "grpc", program: stall, schedule: hold(500, 24*time.Second), workers: 1500, timeout: 10 * time.Second,
		peers: []string{"ghz", "ghz-async", "k6"}, users: 50,
	}
	unary := base
	// A stream costs more than a call, and at the end of the stall all of them go on
	// at once: fewer a second keep two processors from being what is measured.
	base.schedule = hold(360, 28*time.Second)
	server, client, upload, both := base, base, base, base

	unary.name, unary.timeless, unary.about = "grpc-unary", true, "a stall of 2 s under 500 unary calls a second"
	unary.method, unary.request, unary.short = "UnaryCall", "data: {}", "{}"
	unary.why = `ghz by default has 50 workers that each wait for an answer before the next call: fifty calls are caught, and the
thousand that were due meanwhile are made afterwards, with no wait on record. With --async it starts calls on schedule, and
agrees. k6 has 50 virtual users here as ghz has workers, and drops what is due while all are busy.`

	const three = "[{size: 1, interval_us: 5000}, {size: 1, interval_us: 5000}, {size: 1, interval_us: 5000}]"
	server.name, server.about = "grpc-server-stream", "the same stall under 360 server streams/s, three messages each, 5 ms apart"
	server.method, server.request = "StreamingOutputCall", "data: {response_parameters: "+three+"}"
	server.short = `{"response_parameters": [{"interval_us": 5000}, {"interval_us": 5000}, {"interval_us": 5000}]}`
	server.messages, server.perCall = fromServer, 3
	server.why = `As for unary calls. ghz and k6 report whole calls only, no messages. ghz with its fifty workers catches up after the stall
with calls that have no wait on record.`

	client.name, client.about = "grpc-client-stream", "the same stall under 360 client streams/s, three messages each, 10 ms apart"
	client.method, client.request = "StreamingInputCall", "messages: [{}], repeat: 3, interval: 10ms"
	client.short, client.interval, client.perCall = "[{}, {}, {}]", 10*time.Millisecond, 3
	client.why = `Small messages are taken by the stream at once, stall or not; the call's end tells of the stall.
ghz and k6 as before.`

	upload.name, upload.about = "grpc-upload", "the same stall under large messages, 40 ms apart, that flow control holds up"
	upload.method = "StreamingInputCall"
	upload.request = "messages: [{payload: {body: " + largeBody() + "}}], repeat: 30, interval: 40ms"
	upload.schedule, upload.interval = hold(10, 36*time.Second), 40*time.Millisecond
	upload.messages, upload.perCall, upload.peers = fromClient, 30, nil

	both.name, both.about = "grpc-bidi", "the same stall under 360 two-way streams/s, three messages each, 10 ms apart"
	both.method, both.request = "FullDuplexCall", "messages: [{}], repeat: 3, interval: 10ms"
	both.short, both.interval = "[{}, {}, {}]", 10*time.Millisecond
	both.messages, both.perCall = bothWays, 3
	both.why = server.why

	return []testCase{unary, server, client, upload, both}
}

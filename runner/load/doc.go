// Package load makes the load: when each call is to start (Schedule), and who
// makes it (Engine).
//
// Two models are known. In the open model calls start when the schedule says
// so, however the system under test is doing: the intended start of call n is
// known before the run, so the response time of a call is taken from there
// and a stall of the system cannot hide itself by holding the generator up
// (coordinated omission). In the closed model a fixed number of clients each
// make one call after the other; there is no schedule, and the intended start
// of a call is its actual one.
//
// Calls in flight are capped in both models. An open load whose cap is
// reached sends late; what is still waiting when the timeline ends is never
// sent, and is missing from the samples: planned less sent is the unissued
// load.
package load

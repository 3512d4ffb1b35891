// Package oracle holds the verifier's recomputation of the autoscaler's
// algorithm against the real controller of Kubernetes: its tests run both on
// generated traces, in virtual time, and want the same number of replicas in
// every step of every trace.
package oracle

package main

import (
	"path/filepath"
	"testing"

	"ordeal/runner/evidence/synthetic"
)

// BenchmarkJudge judges a run with a check of every kind, from its files.
func BenchmarkJudge(b *testing.B) {
	const calls = 400_000
	dir := filepath.Join(b.TempDir(), "run")
	if err := synthetic.Write(dir, synthetic.Options{Calls: calls}); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := judge(dir); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/calls, "ns/call")
}

package reports

import (
	"strings"
	"testing"

	"ordeal/runner/evidence"
	"ordeal/runner/verdict"
)

func TestReportsSayWhatALaptopCannotShow(t *testing.T) {
	d := build(t, open(t, writeClusterRun(t)), verdict.Judgement{})
	for kind, tc := range map[string]struct {
		cluster *evidence.ClusterMeta
		want    string
		not     string
	}{
		"local": {&evidence.ClusterMeta{Kind: "local", Version: "v1.36.3"}, "without limits on their CPU", "context"},
		"limits": {&evidence.ClusterMeta{Kind: "local", Version: "v1.36.3", CPULimits: "enforced by cgroup v2"},
			"with limits on their CPU (cgroup v2) and none on their memory", "without limits"},
		"no limits": {&evidence.ClusterMeta{Kind: "local", Version: "v1.36.3", CPULimits: "not enforced: a read-only file system"},
			"without limits on their CPU (a read-only file system) and memory", "with limits"},
		"context": {&evidence.ClusterMeta{Kind: "context", Context: "staging", Version: "v1.35.0", Namespace: "shop"}, "context staging, namespace shop", "own machine"},
	} {
		d.Cluster.About = aboutCluster(tc.cluster)
		for _, format := range []string{"html", "terminal", "markdown"} {
			// Lines are broken to fit a terminal.
			page := strings.Join(strings.Fields(written(t, d, format, Selection{})), " ")
			if !strings.Contains(page, tc.want) || strings.Contains(page, tc.not) {
				t.Errorf("%s, %s: want %q and not %q", format, kind, tc.want, tc.not)
			}
		}
	}
}

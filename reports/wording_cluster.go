package reports

import (
	"fmt"
	"strings"

	"ordeal/runner/evidence"
)

// shownSteps is how many numbers of replicas a line of text tells.
const shownSteps = 12

// clusterWords are lines about what was changed on purpose, and how many Pods
// there were.
func (d *Document) clusterWords() []string {
	var out []string
	for _, c := range d.Changes {
		out = append(out, fmt.Sprintf("change in %s, at %s: %s", c.Phase, offset(c.At-d.Run.Start), c.Change))
	}
	if d.Cluster == nil {
		return out
	}
	for _, dep := range d.Cluster.Deployments {
		if line := dep.words(d); line != "" {
			out = append(out, line)
		}
	}
	if d.Cluster.About != "" {
		out = append(out, d.Cluster.About)
	}
	return out
}

// aboutCluster says which cluster a run had. Of one on the generator's own machine
// it says what no figure of it speaks of, lest a pass is taken for one elsewhere.
func aboutCluster(c *evidence.ClusterMeta) string {
	switch {
	case c == nil:
		return ""
	case c.Kind != "local":
		return fmt.Sprintf("Kubernetes %s: context %s, namespace %s", c.Version, c.Context, c.Namespace)
	}
	return fmt.Sprintf("Kubernetes %s on the generator's own machine: Pods are processes that share it, %s. "+
		"How long kubelets, a metrics-server and a real network take is in none of these figures", c.Version, limitWords(c.CPULimits))
}

// limitWords say whether limits held, from what the nodes said of those of CPU:
// "enforced by …", or "not enforced: …". Where they said nothing none held.
func limitWords(said string) string {
	if by, ok := strings.CutPrefix(said, "enforced by "); ok {
		return "with limits on their CPU (" + by + ") and none on their memory"
	}
	if why, ok := strings.CutPrefix(said, "not enforced: "); ok {
		return "without limits on their CPU (" + why + ") and memory"
	}
	return "without limits on their CPU"
}

// words says how many Pods a Deployment wanted in turn, and how many were ready
// at least and at most; "" where nothing became of it.
func (dep Deployment) words(d *Document) string {
	if !dep.wentUpAndDown(d.Run.Start, d.Run.End) {
		return ""
	}
	var wanted []string
	least, most := -1, 0
	for i, p := range dep.Points {
		if p.At >= d.Run.End || i+1 < len(dep.Points) && dep.Points[i+1].At <= d.Run.Start {
			continue
		}
		if text := fmt.Sprint(p.Wanted); len(wanted) == 0 || wanted[len(wanted)-1] != text {
			wanted = append(wanted, text)
		}
		if least < 0 || p.Ready < least {
			least = p.Ready
		}
		most = max(most, p.Ready)
	}
	if n := len(wanted); n > shownSteps {
		wanted = append(wanted[:shownSteps-1:shownSteps-1], "…", wanted[n-1])
	}
	return fmt.Sprintf("replicas of %s: wanted %s; ready %d to %d", dep.Name, strings.Join(wanted, ", then "), max(0, least), most)
}

package autoscaler

import (
	"fmt"
	"time"
)

// groups are a metric's Pods as the controller tells them apart. Pods that are
// being deleted or have failed are in none of them.
type groups struct {
	ready   int
	unready []string
	missing []string
	samples map[string]Sample // of Pods that count, and of Pods that the controller does not know
}

// group sorts Pods for a resource, or for a metric of another kind where that is empty.
func (s State) group(set Settings, resource string, samples map[string]Sample) groups {
	g := groups{samples: make(map[string]Sample, len(samples))}
	for name, v := range samples {
		g.samples[name] = v
	}
	for _, p := range s.Pods {
		v, measured := samples[p.Name]
		switch {
		case p.Deleting || p.Phase == "Failed":
			delete(g.samples, p.Name)
		case p.Phase == "Pending", measured && resource == CPU && p.starting(set, v, s.At):
			g.unready = append(g.unready, p.Name)
			delete(g.samples, p.Name)
		case !measured:
			g.missing = append(g.missing, p.Name)
		default:
			g.ready++
		}
	}
	return g
}

// starting reports whether a Pod's CPU does not count yet.
func (p Pod) starting(set Settings, v Sample, now time.Time) bool {
	if p.Ready == "" || p.Started.IsZero() {
		return true
	}
	unready := p.Ready == "False"
	if p.Started.Add(set.CPUInitializationPeriod).After(now) {
		// What was measured while it became ready does not count either.
		return unready || v.At.Before(p.ReadyChanged.Add(v.Window))
	}
	return unready && p.ReadyChanged.Before(p.Started.Add(set.InitialReadinessDelay))
}

// serving counts the Pods that are ready, whatever their metrics.
func (s State) serving() int {
	n := 0
	for _, p := range s.Pods {
		if p.Phase == "Running" && p.Ready == "True" {
			n++
		}
	}
	return n
}

// requests gives what each Pod requests of a metric's resource. One Pod that
// requests none makes the metric invalid, even one that is being deleted.
func (s State) requests(m Metric) (map[string]int64, error) {
	all := make(map[string]int64, len(s.Pods))
	for _, p := range s.Pods {
		v, err := p.request(m)
		if err != nil {
			return nil, err
		}
		all[p.Name] = v
	}
	return all, nil
}

func (p Pod) request(m Metric) (int64, error) {
	if m.Container == "" && p.Requests != nil {
		v, ok := p.Requests[m.Name]
		if !ok {
			return 0, fmt.Errorf("pod %s requests no %s", p.Name, m.Name)
		}
		return v, nil
	}
	var sum int64
	found := false
	for _, c := range p.Containers {
		if m.Container != "" && c.Name != m.Container {
			continue
		}
		v, ok := c.Requests[m.Name]
		if !ok {
			return 0, fmt.Errorf("container %s of pod %s requests no %s", c.Name, p.Name, m.Name)
		}
		sum, found = sum+v, true
	}
	if m.Container != "" && !found {
		return 0, fmt.Errorf("pod %s has no container %s", p.Name, m.Container)
	}
	return sum, nil
}

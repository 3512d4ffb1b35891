package verdict

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"ordeal/runner/verdict/autoscaler"
)

// The series that a run records of a cluster's Pods.
const (
	podCPU    = "pod_cpu_cores"
	podMemory = "pod_memory_bytes"
	podAge    = "pod_metrics_age_seconds"
	podMetric = "pod_metric_value"
	available = "metrics_available"
)

// The two metrics APIs.
const (
	resourceAPI = "metrics.k8s.io"
	customAPI   = "custom.metrics.k8s.io"
)

// poll is what one of the metrics APIs said at a time.
type poll struct {
	at     time.Duration
	down   bool
	values map[string]map[string]float64 // by series or metric, then by Pod
}

// polls are those of one API, in time order.
type polls struct {
	all   []poll
	names int           // metrics that are asked for one after the other
	gap   time.Duration // usually from one poll of a metric to the next
}

// samePoll is how far apart points of one poll may be.
const samePoll = 50 * time.Millisecond

// pointSeen is a value that one of the APIs gave.
type pointSeen struct {
	at        time.Duration
	name, pod string
	value     float64
}

// readPolls reads what the metrics APIs said.
func (s *scaling) readPolls() error {
	s.feeds = map[string]*polls{resourceAPI: {}, customAPI: {}}
	points := map[string][]pointSeen{}
	for _, name := range []string{podCPU, podMemory, podAge, podMetric, available} {
		all, err := matching(s.run, cluster, name, nil)
		if err != nil {
			return err
		}
		for _, series := range all {
			api, key := resourceAPI, name
			namespace, _ := series.Label("namespace")
			pod, _ := series.Label("pod")
			switch name {
			case available:
				api, _ = series.Label("api")
				namespace = s.namespace
			case podMetric:
				api = customAPI
				key, _ = series.Label("metric")
			}
			for i, at := range series.T {
				if namespace == s.namespace {
					points[api] = append(points[api], pointSeen{at, key, pod, series.V[i]})
				}
			}
		}
	}
	for api, feed := range s.feeds {
		feed.gather(points[api])
	}
	s.feeds[resourceAPI].measure(1)
	s.feeds[customAPI].measure(s.customMetrics())
	return nil
}

// gather puts together what was given in one answer.
func (p *polls) gather(points []pointSeen) {
	slices.SortStableFunc(points, func(a, b pointSeen) int { return cmp.Compare(a.at, b.at) })
	for _, v := range points {
		n := len(p.all)
		if n == 0 || v.at-p.all[n-1].at > samePoll {
			p.all = append(p.all, poll{at: v.at, values: map[string]map[string]float64{}})
			n++
		}
		last := &p.all[n-1]
		switch {
		case v.name == available:
			last.down = v.value == 0
		case last.values[v.name] == nil:
			last.values[v.name] = map[string]float64{v.pod: v.value}
		default:
			last.values[v.name][v.pod] = v.value
		}
	}
}

// customMetrics counts the custom metrics that were asked for.
func (s *scaling) customMetrics() int {
	names := map[string]bool{}
	for _, p := range s.feeds[customAPI].all {
		for name := range p.values {
			names[name] = true
		}
	}
	return len(names)
}

// measure finds how often the API was asked.
func (p *polls) measure(names int) {
	p.names = max(1, names)
	if rounds := len(p.all)/p.names - 1; rounds > 0 {
		p.gap = (p.all[len(p.all)-1].at - p.all[0].at) / time.Duration(rounds)
	}
}

// before is the last poll of a metric that is not after a time, and near enough
// to it.
func (p *polls) before(at time.Duration, name string) (poll, bool) {
	last := sortedBefore(p.all, at, func(v poll) time.Duration { return v.at })
	if last < 0 || at-p.all[last].at > 4*p.gap+time.Second {
		return poll{}, false
	}
	for i := last; i >= 0 && i > last-p.names; i-- {
		if _, there := p.all[i].values[name]; there || p.all[i].down {
			return p.all[i], true
		}
	}
	return p.all[last], true
}

// feedOf is the API that tells of a metric, and the name of its values there; "" where
// the run does not record such a metric.
func feedOf(m autoscaler.Metric) (api, key string) {
	switch m.Source {
	case autoscaler.Resource, autoscaler.ContainerResource:
		switch m.Name {
		case autoscaler.CPU:
			return resourceAPI, podCPU
		case "memory":
			return resourceAPI, podMemory
		}
	case autoscaler.Pods:
		return customAPI, m.Name
	}
	return "", ""
}

// notRecorded says which metrics of the autoscaler the run did not record.
func (s *scaling) notRecorded() string {
	for _, m := range s.spec(s.until).Metrics {
		api, _ := feedOf(m)
		switch {
		case api == "":
			return fmt.Sprintf("metrics of kind %s, such as %s, are not recorded", m.Source, m.Name)
		case len(s.feeds[api].all) == 0:
			return fmt.Sprintf("nothing was recorded of the metrics API %s", api)
		case m.Source == autoscaler.ContainerResource:
			for _, all := range s.pods {
				if len(all[0].pod.Containers) > 1 {
					return fmt.Sprintf("the %s of container %s is not recorded apart", m.Name, m.Container)
				}
			}
		}
	}
	return ""
}

// reading is what the autoscaler could see of a metric at a time. known is false
// where nothing was recorded near it.
func (s *scaling) reading(m autoscaler.Metric, at, window time.Duration) (r autoscaler.Reading, known bool) {
	api, key := feedOf(m)
	if api == "" {
		return r, false
	}
	p, ok := s.feeds[api].before(at, key)
	switch {
	case !ok:
		return r, false
	case p.down:
		return autoscaler.Reading{Missing: api + " was not available"}, true
	}
	r.Pods = map[string]autoscaler.Sample{}
	for pod, v := range p.values[key] {
		if s.pods[pod] == nil {
			continue // its selector does not find it
		}
		age := time.Duration(p.values[podAge][pod] * float64(time.Second))
		r.Pods[pod] = autoscaler.Sample{Value: thousandths(v), At: s.wall(p.at - age), Window: window}
	}
	return r, true
}

// wall is the time of day of an offset.
func (s *scaling) wall(at time.Duration) time.Time { return s.run.Meta.Base.Add(at) }

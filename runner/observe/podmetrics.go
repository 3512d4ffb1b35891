package observe

import (
	"context"
	"fmt"
	"sync"
	"time"

	"ordeal/runner/evidence"
	"ordeal/targets/kubernetes"
)

// clusterTarget is the name under which the figures of a cluster are kept.
const clusterTarget = "kubernetes"

// The periods of looks at the metrics of Pods: a cluster that is others' too is
// asked less often.
const (
	podMetricsEvery  = 500 * time.Millisecond
	podMetricsSeldom = 5 * time.Second
	podMetricsWithin = 2 * time.Second
)

// PodMetrics records what autoscalers see: what Pods use, the custom metrics that
// autoscalers go by, and whether the two APIs answer.
type PodMetrics struct {
	Clock   evidence.Clock
	Cluster interface {
		Local() bool
		Namespace() string
		Usage(ctx context.Context) ([]kubernetes.PodUsage, error)
		PodMetrics() ([]string, error)
		Values(ctx context.Context, metric string) ([]kubernetes.PodValue, error)
	}
}

// Observe records until ctx ends.
func (p PodMetrics) Observe(ctx context.Context, out evidence.Sink) error {
	period := podMetricsSeldom
	if p.Cluster.Local() {
		period = podMetricsEvery
	}
	var apis sync.WaitGroup // one that hangs must not hold up the other
	defer apis.Wait()
	apis.Go(func() { every(ctx, period, func() { p.usage(ctx, out) }) })
	apis.Go(func() { every(ctx, period, func() { p.values(ctx, out) }) })
	return nil
}

func (p PodMetrics) usage(ctx context.Context, out evidence.Sink) {
	asking, cancel := context.WithTimeout(ctx, podMetricsWithin)
	defer cancel()
	pods, err := p.Cluster.Usage(asking)
	if ctx.Err() != nil {
		return // the run ends: says nothing of the API
	}
	now, wall := p.Clock.Now(), time.Now()
	p.available(out, now, kubernetes.ResourceMetrics, err)
	for _, u := range pods {
		put := func(name string, v float64) {
			out.Point(evidence.Point{At: now, Target: clusterTarget, Name: name, Labels: p.labels("", u.Pod), Value: v})
		}
		put("pod_cpu_cores", u.Cores)
		put("pod_memory_bytes", u.Memory)
		put("pod_metrics_age_seconds", wall.Sub(u.At).Seconds())
	}
}

func (p PodMetrics) values(ctx context.Context, out evidence.Sink) {
	names, err := p.Cluster.PodMetrics()
	if err != nil || len(names) == 0 {
		return // nobody goes by custom metrics
	}
	for _, name := range names {
		asking, cancel := context.WithTimeout(ctx, podMetricsWithin)
		pods, err := p.Cluster.Values(asking, name)
		cancel()
		if ctx.Err() != nil {
			return
		}
		now := p.Clock.Now()
		p.available(out, now, kubernetes.CustomMetrics, err)
		for _, v := range pods {
			out.Point(evidence.Point{At: now, Target: clusterTarget, Name: "pod_metric_value", Labels: p.labels(name, v.Pod), Value: v.Value})
		}
	}
}

// available records whether an API has answered.
func (p PodMetrics) available(out evidence.Sink, at time.Duration, api string, err error) {
	v := 1.0
	if err != nil {
		v = 0
	}
	out.Point(evidence.Point{At: at, Target: clusterTarget, Name: "metrics_available", Labels: fmt.Sprintf("api=%q", api), Value: v})
}

// labels names a Pod, and its metric where it is one of several.
func (p PodMetrics) labels(metric, pod string) string {
	text := fmt.Sprintf("namespace=%q,pod=%q", p.Cluster.Namespace(), pod)
	if metric != "" {
		text = fmt.Sprintf("metric=%q,", metric) + text
	}
	return text
}

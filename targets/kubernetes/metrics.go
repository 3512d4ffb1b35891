package kubernetes

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	autoscaling "k8s.io/api/autoscaling/v2"
	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	custom "k8s.io/metrics/pkg/apis/custom_metrics/v1beta2"
	resource "k8s.io/metrics/pkg/apis/metrics/v1beta1"
)

// The APIs of metrics that an autoscaler reads.
const (
	ResourceMetrics = "metrics.k8s.io"
	CustomMetrics   = "custom.metrics.k8s.io"
)

// PodUsage is what the containers of a Pod use together.
type PodUsage struct {
	Pod    string
	Cores  float64
	Memory float64   // bytes
	At     time.Time // the end of what was measured
}

// Usage asks the metrics API what the Pods of the namespace use.
func (c *Cluster) Usage(ctx context.Context) ([]PodUsage, error) {
	var list resource.PodMetricsList
	if err := c.get(ctx, "/apis/metrics.k8s.io/v1beta1/namespaces/"+c.namespace+"/pods", &list); err != nil {
		return nil, err
	}
	var out []PodUsage
	for _, m := range list.Items {
		u := PodUsage{Pod: m.Name, At: m.Timestamp.Time}
		for _, container := range m.Containers {
			u.Cores += container.Usage.Cpu().AsApproximateFloat64()
			u.Memory += container.Usage.Memory().AsApproximateFloat64()
		}
		out = append(out, u)
	}
	return out, nil
}

// PodValue is the value of a metric of a Pod.
type PodValue struct {
	Pod   string
	Value float64
}

// Values asks the API of custom metrics for the values of one for the Pods of the
// namespace.
func (c *Cluster) Values(ctx context.Context, metric string) ([]PodValue, error) {
	var list custom.MetricValueList
	if err := c.get(ctx, "/apis/custom.metrics.k8s.io/v1beta2/namespaces/"+c.namespace+"/pods/*/"+metric, &list); err != nil {
		return nil, err
	}
	var out []PodValue
	for _, m := range list.Items {
		out = append(out, PodValue{m.DescribedObject.Name, m.Value.AsApproximateFloat64()})
	}
	return out, nil
}

// PodMetrics lists the metrics of Pods that autoscalers of the namespace go by,
// sorted.
func (c *Cluster) PodMetrics() ([]string, error) {
	list, err := c.informers.Autoscaling().V2().HorizontalPodAutoscalers().Lister().HorizontalPodAutoscalers(c.namespace).List(labels.Everything())
	if err != nil {
		return nil, fmt.Errorf("list the autoscalers: %w", err)
	}
	var names []string
	for _, hpa := range list {
		for _, m := range hpa.Spec.Metrics {
			if m.Type == autoscaling.PodsMetricSourceType && m.Pods != nil {
				names = append(names, m.Pods.Metric.Name)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// get reads what the API server answers.
func (c *Cluster) get(ctx context.Context, path string, into any) error {
	text, err := c.client.Discovery().RESTClient().Get().AbsPath(path).DoRaw(ctx)
	if err != nil {
		return fmt.Errorf("ask for %s: %w", path, err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	return nil
}

// The annotations by which a Pod says where its Prometheus metrics are.
const (
	scrapeNote = "prometheus.io/scrape"
	portNote   = "prometheus.io/port"
	pathNote   = "prometheus.io/path"
	schemeNote = "prometheus.io/scheme"
)

// MetricsURLs gives where the metrics are of the Pods that a Service selects, by
// the names of the Pods, as these say themselves.
func (c *Cluster) MetricsURLs(service string) map[string]string {
	urls := map[string]string{}
	pods, err := c.Pods(service)
	if err != nil {
		return urls // no Service, no Pods
	}
	for _, pod := range pods {
		port := pod.Annotations[portNote]
		if pod.Annotations[scrapeNote] != "true" || port == "" || pod.Status.PodIP == "" || pod.Status.Phase != core.PodRunning {
			continue
		}
		scheme, path := pod.Annotations[schemeNote], pod.Annotations[pathNote]
		if scheme == "" {
			scheme = "http"
		}
		if path == "" {
			path = "/metrics"
		}
		urls[pod.Name] = scheme + "://" + net.JoinHostPort(pod.Status.PodIP, port) + "/" + strings.TrimPrefix(path, "/")
	}
	return urls
}

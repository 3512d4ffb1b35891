package podmetrics

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// The annotations by which a Pod announces its metrics, as usual with Prometheus.
const (
	scrapeAnnotation = "prometheus.io/scrape" // "true"
	portAnnotation   = "prometheus.io/port"
	pathAnnotation   = "prometheus.io/path"   // default /metrics
	schemeAnnotation = "prometheus.io/scheme" // default http
)

// scrapeBytes bounds what is read of one answer.
const scrapeBytes = 16 << 20

// scrapes are the two last of a Pod.
type scrapes struct {
	id           string // of the processes: counters of others begin anew
	at, before   time.Time
	last, former map[string]*dto.MetricFamily
}

// scrape reads the metrics of all Pods that announce some, at once, each within the resolution. What cannot be read
// grows old.
func (s *store) scrape(ctx context.Context, pods []*corev1.Pod) {
	ctx, cancel := context.WithTimeout(ctx, max(s.resolution, 500*time.Millisecond))
	defer cancel()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	alive := map[types.UID]bool{}
	var wg sync.WaitGroup
	for _, p := range pods {
		alive[p.UID] = true
		url := metricsURL(p)
		if url == "" {
			continue
		}
		wg.Go(func() {
			at := time.Now()
			families, err := fetch(ctx, client, url)
			if err == nil {
				s.scraped(p, at, families)
			}
		})
	}
	wg.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	for uid := range s.scrapes {
		if !alive[uid] {
			delete(s.scrapes, uid)
		}
	}
}

// metricsURL is where a Pod has its metrics; empty if it has none.
func metricsURL(p *corev1.Pod) string {
	a := p.Annotations
	if a[scrapeAnnotation] != "true" || a[portAnnotation] == "" || p.Status.PodIP == "" {
		return ""
	}
	scheme, path := a[schemeAnnotation], a[pathAnnotation]
	if scheme == "" {
		scheme = "http"
	}
	if path == "" {
		path = "/metrics"
	}
	return scheme + "://" + net.JoinHostPort(p.Status.PodIP, a[portAnnotation]) + "/" + strings.TrimPrefix(path, "/")
}

func fetch(ctx context.Context, client *http.Client, url string) (map[string]*dto.MetricFamily, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, fmt.Errorf("ask for metrics: %w", err)
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask for metrics: %w", err)
	}
	defer resp.Body.Close() //nolint:errcheck // it was read
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("ask for metrics: %s", resp.Status)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(io.LimitReader(resp.Body, scrapeBytes))
	if err != nil {
		return nil, fmt.Errorf("read metrics: %w", err)
	}
	return families, nil
}

// scraped takes what was read of a Pod.
func (s *store) scraped(p *corev1.Pod, at time.Time, families map[string]*dto.MetricFamily) {
	id := fmt.Sprint(processGroups(p)) // maps are printed in order
	s.mu.Lock()
	defer s.mu.Unlock()
	next := &scrapes{id: id, at: at, last: families}
	if had := s.scrapes[p.UID]; had != nil && had.id == id && at.After(had.at) && !restarted(had.last, families) {
		next.before, next.former = had.at, had.last
	}
	s.scrapes[p.UID] = next
}

// restarted reports whether a counter has gone back.
func restarted(before, after map[string]*dto.MetricFamily) bool {
	for name, family := range before {
		if family.GetType() == dto.MetricType_COUNTER && after[name] != nil && sum(after[name], nil, nil) < sum(family, nil, nil) {
			return true
		}
	}
	return false
}

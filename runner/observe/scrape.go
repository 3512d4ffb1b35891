package observe

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"ordeal/runner/evidence"
)

// The periods of scrapes: of Pods there may be many, and what they use moves
// autoscalers.
const (
	ScrapeEvery     = 250 * time.Millisecond
	ScrapePodsEvery = time.Second
)

const (
	scrapeTimeout = 2 * time.Second
	lastScrape    = time.Second // the one at the end must not hold the run up
	maxScrape     = 8 << 20     // bytes of one answer; more is an error, not a growing buffer
)

// Scraper reads the Prometheus metrics of targets: again and again, and when asked
// to Look at once.
type Scraper struct {
	clock  evidence.Clock
	period time.Duration
	urls   func() map[string]string
	client *http.Client
	looks  chan struct{}

	mu   sync.Mutex
	down map[string]bool // targets whose last scrape failed: told once
}

// NewScraper makes a scraper of the addresses that urls gives, by target; they
// are asked for anew at each scrape.
func NewScraper(clock evidence.Clock, period time.Duration, urls func() map[string]string) *Scraper {
	return &Scraper{
		clock: clock, period: period, urls: urls, looks: make(chan struct{}, 1), down: map[string]bool{},
		client: &http.Client{
			Timeout: scrapeTimeout, Transport: &http.Transport{MaxIdleConnsPerHost: 2},
			// A redirect could lead to a host that nobody allowed.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// Look asks for a scrape now, at the edge of a phase for instance. It does not wait.
func (s *Scraper) Look() {
	select {
	case s.looks <- struct{}{}:
	default: // one is asked for already
	}
}

// Observe scrapes until ctx ends, and once more then. A target that cannot be scraped is noted when
// that starts and when it ends; it is not an error, targets die in a run.
func (s *Scraper) Observe(ctx context.Context, out evidence.Sink) error {
	defer s.client.CloseIdleConnections()
	tick := time.NewTicker(s.period)
	defer tick.Stop()
	var busy sync.Map // target → struct{}: a slow target must not pile up scrapes, nor slow the others
	var wg sync.WaitGroup
	scrapeAll := func(ctx context.Context) {
		for target, url := range s.urls() {
			if _, running := busy.LoadOrStore(target, struct{}{}); running {
				continue
			}
			wg.Go(func() {
				defer busy.Delete(target)
				s.note(out, target, s.scrape(ctx, out, target, url))
			})
		}
	}
	for {
		scrapeAll(ctx)
		select {
		case <-ctx.Done():
			wg.Wait()
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastScrape)
			defer cancel()
			scrapeAll(last)
			wg.Wait()
			return nil
		case <-tick.C:
		case <-s.looks:
		}
	}
}

func (s *Scraper) note(out evidence.Sink, target string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if was := s.down[target]; was == (err != nil) {
		return
	}
	s.down[target] = err != nil
	text := "metrics are scraped again"
	if err != nil {
		text = "metrics are not scraped: " + err.Error()
	}
	out.Event(evidence.Event{At: s.clock.Now(), Kind: evidence.Note, Target: target, Text: text})
}

func (s *Scraper) scrape(ctx context.Context, out evidence.Sink, target, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Accept", "text/plain;version=0.0.4")
	resp, err := s.client.Do(req)
	if ctx.Err() != nil {
		return nil // the run ends: says nothing of the target
	}
	if err != nil {
		return err
	}
	defer resp.Body.Close() //nolint:errcheck // read only
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: %s", url, resp.Status)
	}
	// The answer's head is there: the values were read at about this time.
	at := s.clock.Now()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(io.LimitReader(resp.Body, maxScrape))
	if err != nil {
		return fmt.Errorf("GET %s: %w", url, err)
	}
	for name, family := range families {
		for _, m := range family.GetMetric() {
			emit(out, evidence.Point{At: at, Target: target, Name: name, Labels: labels(m.GetLabel())}, m)
		}
	}
	return nil
}

// emit adds the values of one metric. Of histograms and summaries the sum and
// the count are kept: distributions come from the samples.
func emit(out evidence.Sink, p evidence.Point, m *dto.Metric) {
	one := func(suffix string, value float64) {
		q := p
		q.Name += suffix
		q.Value = value
		out.Point(q)
	}
	switch {
	case m.Counter != nil:
		one("", m.Counter.GetValue())
	case m.Gauge != nil:
		one("", m.Gauge.GetValue())
	case m.Untyped != nil:
		one("", m.Untyped.GetValue())
	case m.Histogram != nil:
		one("_sum", m.Histogram.GetSampleSum())
		one("_count", float64(m.Histogram.GetSampleCount()))
	case m.Summary != nil:
		one("_sum", m.Summary.GetSampleSum())
		one("_count", float64(m.Summary.GetSampleCount()))
	}
}

// labels writes labels in their canonical form: a="1",b="2", sorted by name.
func labels(pairs []*dto.LabelPair) string {
	sorted := append([]*dto.LabelPair(nil), pairs...)
	sort.Slice(sorted, func(i, j int) bool { return sorted[i].GetName() < sorted[j].GetName() })
	var b strings.Builder
	for i, pair := range sorted {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(pair.GetName())
		b.WriteByte('=')
		b.WriteString(strconv.Quote(pair.GetValue()))
	}
	return b.String()
}

package gateway

import (
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// metrics are one instance's figures, in a registry of its own.
type metrics struct {
	registry *prometheus.Registry

	requests    *prometheus.CounterVec // method, route, code
	duration    *prometheus.HistogramVec
	inFlight    prometheus.Gauge
	rateLimited prometheus.Counter
	panics      prometheus.Counter
	degraded    *prometheus.CounterVec // reason

	attempts        *prometheus.CounterVec // method, result
	attemptDuration *prometheus.HistogramVec
	retries         *prometheus.CounterVec
}

// buckets, in seconds, reach from a fast answer on the same machine to the write timeout.
var buckets = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}

func newMetrics() *metrics {
	m := &metrics{registry: prometheus.NewRegistry()}
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		v := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
		m.registry.MustRegister(v)
		return v
	}
	histogram := func(name, help string, labels ...string) *prometheus.HistogramVec {
		v := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, labels)
		m.registry.MustRegister(v)
		return v
	}
	m.requests = counter("http_requests_total", "Requests answered.", "method", "route", "code")
	m.duration = histogram("http_request_duration_seconds", "Time from the start of the handlers to their end.", "method", "route")
	m.inFlight = prometheus.NewGauge(prometheus.GaugeOpts{Name: "http_requests_in_flight", Help: "Requests being handled."})
	m.rateLimited = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "rate_limit_rejected_total", Help: "Requests refused by the rate limit."})
	m.panics = prometheus.NewCounter(prometheus.CounterOpts{Name: "http_panics_total", Help: "Handlers that panicked."})
	m.degraded = counter("gateway_degraded_total", "Answers that are not the user service's own, by X-Degraded.", "reason")
	for _, reason := range []string{degradedCircuitOpen, degradedUpstreamFailed} {
		m.degraded.WithLabelValues(reason) // shown as 0 from the start, so that an increase is seen
	}
	m.attempts = counter("gateway_upstream_attempts_total",
		"Calls to the user service, retries included, by gRPC code; rejected ones were refused by the breaker.", "method", "result")
	m.attemptDuration = histogram("gateway_upstream_duration_seconds", "Time of one call to the user service.", "method")
	m.retries = counter("gateway_upstream_retries_total", "Calls to the user service that repeat one.", "method")
	m.registry.MustRegister(m.inFlight, m.rateLimited, m.panics,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// prepare shows each route from the start, as 0: an instance that nobody has called yet has a rate, which is not the
// same as none, to whoever scales by it.
func (m *metrics) prepare(routes gin.RoutesInfo) {
	for _, r := range routes {
		m.requests.WithLabelValues(r.Method, r.Path, strconv.Itoa(http.StatusOK))
	}
}

// observe counts and times requests.
func (m *metrics) observe(c *gin.Context) {
	start, panicked := time.Now(), true
	m.inFlight.Inc()
	defer func() {
		m.inFlight.Dec()
		method, route := methodLabel(c.Request.Method), routeOf(c)
		m.requests.WithLabelValues(method, route, strconv.Itoa(statusOf(c, panicked))).Inc()
		m.duration.WithLabelValues(method, route).Observe(time.Since(start).Seconds())
		if reason := exchangeOf(c.Request.Context()).degraded; reason != "" {
			m.degraded.WithLabelValues(reason).Inc()
		}
	}()
	c.Next()
	panicked = false
}

// methodLabel keeps what a client invents out of the labels.
func methodLabel(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	}
	return "other"
}

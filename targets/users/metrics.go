package users

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// codeCount is how many gRPC codes there are.
const codeCount = int(codes.Unauthenticated) + 1

// metrics are the service's own, under the names that gRPC servers in Go commonly use.
type metrics struct {
	registry                *prometheus.Registry
	started, received, sent *prometheus.CounterVec
	handled                 *prometheus.CounterVec
	seconds                 *prometheus.HistogramVec
	panics                  prometheus.Counter
	watchers                prometheus.Gauge
	watchersDropped         prometheus.Counter

	methods map[string]*methodMetrics // by full name; not changed once calls are served
}

// methodMetrics are the series of one method, looked up once.
type methodMetrics struct {
	started, received, sent prometheus.Counter
	handled                 [codeCount]prometheus.Counter
	seconds                 prometheus.Observer
}

func newMetrics(store Store) *metrics {
	method := []string{"grpc_service", "grpc_method", "grpc_type"}
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	m := &metrics{
		registry: prometheus.NewRegistry(),
		started:  counter("grpc_server_started_total", "Calls started.", method...),
		handled:  counter("grpc_server_handled_total", "Calls ended, by code.", append(method, "grpc_code")...),
		received: counter("grpc_server_msg_received_total", "Messages received.", method...),
		sent:     counter("grpc_server_msg_sent_total", "Messages sent.", method...),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "grpc_server_handling_seconds", Help: "Time from the start of a call to its end in the service.",
			Buckets: []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, method),
		panics: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "grpc_server_panics_total", Help: "Calls that panicked and were answered INTERNAL."}),
		watchers: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "users_watchers", Help: "Streams of WatchUsers."}),
		watchersDropped: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "users_watchers_dropped_total", Help: "Streams of WatchUsers that were cut off because they were too slow."}),
		methods: make(map[string]*methodMetrics),
	}
	stored := prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "users_stored", Help: "Users in the store."},
		func() float64 { return float64(store.Len()) })
	m.registry.MustRegister(m.started, m.handled, m.received, m.sent, m.seconds, m.panics, m.watchers, m.watchersDropped, stored,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// prepare makes the series of every method that is registered, so that each is exported from the start.
func (m *metrics) prepare(services map[string]grpc.ServiceInfo) {
	for service, info := range services {
		for _, method := range info.Methods {
			labels := []string{service, method.Name, kindOf(method)}
			mm := &methodMetrics{
				started:  m.started.WithLabelValues(labels...),
				received: m.received.WithLabelValues(labels...),
				sent:     m.sent.WithLabelValues(labels...),
				seconds:  m.seconds.WithLabelValues(labels...),
			}
			for code := range mm.handled {
				mm.handled[code] = m.handled.WithLabelValues(append(labels, codes.Code(code).String())...)
			}
			m.methods["/"+service+"/"+method.Name] = mm
		}
	}
}

func kindOf(m grpc.MethodInfo) string {
	switch {
	case m.IsClientStream && m.IsServerStream:
		return "bidi_stream"
	case m.IsClientStream:
		return "client_stream"
	case m.IsServerStream:
		return "server_stream"
	}
	return "unary"
}

func (m *methodMetrics) end(start time.Time, err error) {
	m.seconds.Observe(time.Since(start).Seconds())
	m.handled[codeOf(err)].Inc()
}

// codeOf is the code that the client will see.
func codeOf(err error) codes.Code {
	st, ok := status.FromError(err)
	if !ok {
		st = status.FromContextError(err)
	}
	if code := st.Code(); int(code) < codeCount {
		return code
	}
	return codes.Unknown
}

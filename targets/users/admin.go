package users

import (
	"encoding/json"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// adminHandler serves what operators and probes ask for, on a port of its own.
func (s *Server) adminHandler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(s.metrics.registry, promhttp.HandlerOpts{Registry: s.metrics.registry}))
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, "alive") })
	mux.HandleFunc("GET /readyz", s.readyz)
	mux.HandleFunc("GET /health", s.healthPage)
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return mux
}

func newAdmin(h http.Handler) *http.Server {
	// No limit on writing: a profile takes as long as was asked for.
	return &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 8 << 10}
}

func (s *Server) readyz(w http.ResponseWriter, _ *http.Request) {
	if stage := s.stage.load(); stage != serving {
		answer(w, http.StatusServiceUnavailable, string(stage))
		return
	}
	answer(w, http.StatusOK, "ready")
}

func answer(w http.ResponseWriter, code int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(code)
	_, _ = w.Write([]byte(text + "\n")) // a prober that has gone needs no answer
}

// healthReport is the body of /health.
type healthReport struct {
	Status     string               `json:"status"` // "up" or "down"
	Service    string               `json:"service"`
	Instance   string               `json:"instance"`
	Components map[string]component `json:"components"`
}

type component struct {
	Status string `json:"status"` // "up" or "down"
	Detail any    `json:"detail,omitempty"`
}

func (s *Server) healthPage(w http.ResponseWriter, _ *http.Request) {
	stage, users := s.stage.load(), s.store.Len()
	report := healthReport{Status: "up", Service: "users", Instance: s.cfg.Instance, Components: map[string]component{
		"grpc":  {Status: upIf(stage == serving), Detail: stage},
		"store": {Status: "up", Detail: map[string]int{"users": users, "max": s.cfg.MaxUsers}},
	}}
	code := http.StatusOK
	for _, c := range report.Components {
		if c.Status != "up" {
			report.Status, code = "down", http.StatusServiceUnavailable
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(report) // a prober that has gone needs no answer
}

func upIf(ok bool) string {
	if ok {
		return "up"
	}
	return "down"
}

package gateway

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/pprof"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"ordeal/targets/breaker"
)

// probeTimeout bounds the question to each replica for /health.
const probeTimeout = 2 * time.Second

const (
	up   = "up"
	down = "down"
)

// healthReport is the data of /health.
type healthReport struct {
	Status     string               `json:"status"`
	Components map[string]component `json:"components"`
}

// component is one thing that this instance needs, or one replica of it.
type component struct {
	Status   string               `json:"status"`
	Breaker  string               `json:"breaker,omitempty"`
	Detail   string               `json:"detail,omitempty"`
	Replicas map[string]component `json:"replicas,omitempty"` // by address
}

// adminRoutes serves what operators and probes ask. Liveness and readiness do not depend on the user service: an
// instance that can still answer with fallbacks must be neither restarted nor taken out. /health shows all.
func (s *Server) adminRoutes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(s.metrics.registry, promhttp.HandlerOpts{Registry: s.metrics.registry}))
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) {
		answerHealth(w, true, nil)
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		answerHealth(w, s.serving.Load(), nil)
	})
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, r *http.Request) {
		h := s.health(r.Context())
		answerHealth(w, h.Status == up, h)
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		writeAdmin(w, http.StatusNotFound, envelope{codeNoRoute, "there is nothing here", nil})
	})
	return mux
}

func answerHealth(w http.ResponseWriter, good bool, data any) {
	if good {
		writeAdmin(w, http.StatusOK, envelope{codeOK, "ok", data})
		return
	}
	writeAdmin(w, http.StatusServiceUnavailable, envelope{codeNotReady, "not available", data})
}

func writeAdmin(w http.ResponseWriter, status int, body envelope) {
	w.Header()["Content-Type"] = jsonType
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // it fails when the client is gone
}

func (s *Server) health(ctx context.Context) healthReport {
	h := healthReport{Status: up, Components: map[string]component{
		"gateway": {Status: up},
		"users":   s.usersHealth(ctx),
	}}
	if !s.serving.Load() {
		h.Components["gateway"] = component{Status: down, Detail: "not serving"}
	}
	for _, c := range h.Components {
		if c.Status != up {
			h.Status = down
		}
	}
	return h
}

// usersHealth asks every replica. The user service is up when one of them serves and the breaker is closed.
func (s *Server) usersHealth(ctx context.Context) component {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	answers := make([]component, len(s.probes))
	var wg sync.WaitGroup
	for i, probe := range s.probes {
		wg.Go(func() {
			r, err := grpc_health_v1.NewHealthClient(probe).Check(ctx, &grpc_health_v1.HealthCheckRequest{})
			switch {
			case err != nil:
				answers[i] = component{Status: down, Detail: status.Code(err).String()}
			case r.GetStatus() != grpc_health_v1.HealthCheckResponse_SERVING:
				answers[i] = component{Status: down, Detail: r.GetStatus().String()}
			default:
				answers[i] = component{Status: up}
			}
		})
	}
	wg.Wait()
	c := component{Status: down, Detail: "no replica serves", Replicas: map[string]component{}}
	for i, a := range answers {
		c.Replicas[s.cfg.Users[i]] = a
		if a.Status == up {
			c.Status, c.Detail = up, ""
		}
	}
	if b := s.upstream.breaker; b != nil {
		state := b.State()
		c.Breaker = state.String()
		if state != breaker.Closed && c.Status == up {
			c.Status, c.Detail = down, "the breaker is not closed: no call has succeeded since it opened"
		}
	}
	return c
}

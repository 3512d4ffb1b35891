package telemetry

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"
)

// Path is where metrics are served.
const Path = "/metrics"

// CheckAddr tells what is wrong with an address to listen on.
func CheckAddr(addr string) error {
	_, port, err := net.SplitHostPort(addr)
	if err == nil {
		if _, err = strconv.ParseUint(port, 10, 16); err == nil {
			return nil
		}
	}
	return fmt.Errorf(`metrics address %q: want host:port, such as 127.0.0.1:9090, or port 0 for a free one`, addr)
}

// Server serves the metrics of an Exporter.
type Server struct {
	http     *http.Server
	listener net.Listener
	served   chan error
}

// Listen starts to serve at addr until Close. An address that cannot be listened
// on is an error at once.
func Listen(ctx context.Context, addr string, e *Exporter) (*Server, error) {
	if err := CheckAddr(addr); err != nil {
		return nil, err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("serve metrics: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET "+Path, e.Handler())
	s := &Server{
		http: &http.Server{
			Handler:           mux,
			ReadHeaderTimeout: 5 * time.Second,
			ReadTimeout:       5 * time.Second,
			WriteTimeout:      scrapeTimeout + 5*time.Second,
			IdleTimeout:       2 * time.Minute,
			MaxHeaderBytes:    16 << 10,
		},
		listener: listener,
		served:   make(chan error, 1),
	}
	go func() { s.served <- s.http.Serve(listener) }()
	return s, nil
}

// URL is where the metrics are, with the port that was chosen.
func (s *Server) URL() string { return "http://" + s.listener.Addr().String() + Path }

// closeWithin is how long scrapes under way may take when the server is closed.
const closeWithin = time.Second

// Close ends the server, and what it still answers after a second. The error
// says why it ended before, or could not be ended.
func (s *Server) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeWithin)
	defer cancel()
	err := s.http.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = s.http.Close()
	}
	if served := <-s.served; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(served, err)
	}
	if err != nil {
		return fmt.Errorf("serve metrics: %w", err)
	}
	return nil
}

package users

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
)

// adminDrain is for admin requests under way when all else has stopped.
const adminDrain = 500 * time.Millisecond

// Serve answers calls until ctx ends, and then stops gracefully: first not ready, after the drain delay no new
// calls, and calls under way have the drain timeout. It returns nil after that, ErrStopped after Stop, and
// otherwise why a port could not be served. Call it once.
func (s *Server) Serve(ctx context.Context) error {
	failed := make(chan error, 2)
	go func() {
		if err := s.grpc.Serve(s.listener); err != nil {
			failed <- fmt.Errorf("serve gRPC: %w", err)
		}
	}()
	if s.admin != nil {
		go func() {
			if err := s.admin.Serve(s.adminListener); !errors.Is(err, http.ErrServerClosed) {
				failed <- fmt.Errorf("serve the admin port: %w", err)
			}
		}()
	}
	s.stage.store(serving)
	s.setHealth(healthv1.HealthCheckResponse_SERVING)
	close(s.ready)

	var err error
	select {
	case <-ctx.Done():
		err = s.drain()
	case <-s.stop:
		err = ErrStopped
	case err = <-failed:
		if s.stopped() {
			err = ErrStopped
		}
	}
	s.end()
	return err
}

func (s *Server) stopped() bool {
	select {
	case <-s.stop:
		return true
	default:
		return false
	}
}

// Stop ends Serve at once and cuts the calls under way. It may be called at any time, also without Serve.
func (s *Server) Stop() {
	s.stopOnce.Do(func() {
		close(s.stop)
		if s.stage.load() == starting {
			s.end()
		}
	})
}

// drain tells everybody first, then refuses calls and waits for those under way.
func (s *Server) drain() error {
	s.stage.store(draining)
	s.health.Shutdown() // NOT_SERVING, to watchers of the health too, and for good
	s.log.Info("draining", "delay", s.cfg.DrainDelay.String(), "timeout", s.cfg.DrainTimeout.String())
	if !s.pause(time.After(s.cfg.DrainDelay)) {
		return ErrStopped
	}
	s.endEndless()
	drained := make(chan struct{})
	go func() {
		s.grpc.GracefulStop()
		close(drained)
	}()
	limit := time.NewTimer(s.cfg.DrainTimeout)
	defer limit.Stop()
	select {
	case <-drained:
		s.log.Info("drained")
	case <-limit.C:
		s.log.Warn("calls were cut: they did not end within the drain timeout")
	case <-s.stop:
		return ErrStopped
	}
	return s.drainAdmin()
}

// drainAdmin lets a scrape under way finish, but not a profile.
func (s *Server) drainAdmin() error {
	if s.admin == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), adminDrain)
	defer cancel()
	if err := s.admin.Shutdown(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("stop the admin port: %w", err)
	}
	return nil
}

// pause reports whether it ended by itself and not by Stop.
func (s *Server) pause(end <-chan time.Time) bool {
	select {
	case <-end:
		return true
	case <-s.stop:
		return false
	}
}

// end closes what is still open.
func (s *Server) end() {
	s.endEndless()
	stopped := make(chan struct{})
	go func() {
		s.grpc.Stop()
		close(stopped)
	}()
	select {
	case <-stopped:
	case <-time.After(abandonAfter):
		s.log.Warn("left behind: a connection or a handler that does not end")
	}
	_ = s.listener.Close() // closed already where Serve ran
	if s.admin != nil {
		_ = s.admin.Close()
		_ = s.adminListener.Close()
	}
}

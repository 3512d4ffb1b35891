package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	userv1 "ordeal/targets/api/user/v1"
	"ordeal/targets/breaker"
	"ordeal/targets/tuning"
)

// upstream is the user service as this gateway sees it: replicas behind connections, a breaker in front of them,
// and the rules for trying again.
type upstream struct {
	conns   connections
	breaker *breaker.Breaker // nil: switched off
	tune    *tuning.Tuning
	metrics *metrics
	log     *slog.Logger
}

// rpc is one kind of call. Idempotent ones may be tried again: done twice they leave what once would have.
type rpc struct {
	name       string
	idempotent bool
}

func newUpstream(addrs []string, t *tuning.Tuning, m *metrics, log *slog.Logger) (*upstream, error) {
	u := &upstream{tune: t, metrics: m, log: log}
	if t.Breaker {
		var err error
		if u.breaker, err = breaker.New(breaker.Config{
			Name: "users", Window: t.BreakerWindow, MinimumCalls: t.BreakerMinimum, FailureRate: t.BreakerFailureRate,
			OpenFor: t.BreakerOpen, HalfOpenPermits: t.BreakerHalfOpen,
			OnTransition: func(tr breaker.Transition) {
				log.LogAttrs(context.Background(), slog.LevelWarn, "breaker", slog.String("breaker", tr.Breaker),
					slog.String("from", tr.From.String()), slog.String("to", tr.To.String()))
			},
		}); err != nil {
			return nil, err
		}
		if err := m.registry.Register(breaker.NewCollector(u.breaker)); err != nil {
			return nil, fmt.Errorf("breaker metrics: %w", err)
		}
	}
	if !t.Reuse {
		u.conns = newPerCall(addrs, t)
		return u, nil
	}
	conns, err := newShared(addrs, t)
	if err != nil {
		return nil, err
	}
	u.conns = conns
	return u, nil
}

// call makes do with a client, within the deadline of ctx, again where that is allowed and may help. The error is
// the gRPC status of the last call that was made, or the breaker's *OpenError when it refused the first.
// calls is how many were made.
func (u *upstream) call(ctx context.Context, r rpc, do func(context.Context, userv1.UserServiceClient) error) (calls int, err error) {
	ctx = exchangeOf(ctx).outgoing(ctx)
	err = u.attempt(ctx, r, do)
	for calls = 1; u.again(r, calls, err) && u.pause(ctx, calls) && !u.refusing(); calls++ {
		u.metrics.retries.WithLabelValues(r.name).Inc()
		next := u.attempt(ctx, r, do)
		if errors.Is(next, breaker.ErrOpen) { // it opened in between: the call that failed is the better answer
			break
		}
		err = next
	}
	return calls, err
}

// again reports whether the call may be repeated after err. Only Unavailable is: the call did not take effect or
// its connection broke. One that ran into its deadline has used up its time, and more calls would not help an
// upstream that is slow.
func (u *upstream) again(r rpc, calls int, err error) bool {
	return u.tune.Retry && r.idempotent && calls <= u.tune.RetryMax && status.Code(err) == codes.Unavailable &&
		!errors.Is(err, breaker.ErrOpen)
}

// refusing reports whether the breaker is not closed: then no call is spent on a retry.
func (u *upstream) refusing() bool { return u.breaker != nil && u.breaker.State() != breaker.Closed }

// pause waits a random time, up to a bound that doubles with each retry ("full jitter", so that clients that
// failed together do not come back together). It reports false, at once, when the request's budget is too short.
func (u *upstream) pause(ctx context.Context, calls int) bool {
	wait := time.Duration(rand.Int64N(int64(u.tune.RetryBackoff)<<(calls-1) + 1))
	if end, ok := ctx.Deadline(); ok && time.Until(end) <= wait {
		return false
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// attempt makes one call, if the breaker lets it.
func (u *upstream) attempt(ctx context.Context, r rpc, do func(context.Context, userv1.UserServiceClient) error) (err error) {
	if ctx.Err() != nil {
		return status.FromContextError(ctx.Err()).Err()
	}
	var permit breaker.Permit
	if u.breaker != nil {
		if permit, err = u.breaker.Acquire(); err != nil {
			u.metrics.attempts.WithLabelValues(r.name, "rejected").Inc()
			return err
		}
		defer permit.Ignore() // for a panic: otherwise it is done already
	}
	start := time.Now()
	err = u.send(ctx, do)
	if status.Code(err) == codes.Canceled && ctx.Err() == nil {
		err = status.Error(codes.Unavailable, "the user service gave the call up: "+status.Convert(err).Message())
	}
	switch {
	case errors.Is(ctx.Err(), context.Canceled): // the client left: that says nothing about the upstream
		permit.Ignore()
	case speaksAgainstUpstream(err):
		permit.Failure()
	default:
		permit.Success()
	}
	took, result := time.Since(start), status.Code(err).String()
	u.metrics.attempts.WithLabelValues(r.name, result).Inc()
	u.metrics.attemptDuration.WithLabelValues(r.name).Observe(took.Seconds())
	if u.log.Enabled(ctx, slog.LevelDebug) {
		u.log.LogAttrs(ctx, slog.LevelDebug, "upstream call", slog.String("trace_id", exchangeOf(ctx).trace.traceID),
			slog.String("method", r.name), slog.String("result", result),
			slog.Float64("duration_ms", float64(took.Microseconds())/1000), slog.Any("error", err))
	}
	return err
}

func (u *upstream) send(ctx context.Context, do func(context.Context, userv1.UserServiceClient) error) error {
	client, release, err := u.conns.client()
	if err != nil {
		return status.Error(codes.Internal, err.Error())
	}
	defer release()
	ctx, cancel := context.WithTimeout(ctx, u.tune.CallDeadline)
	defer cancel()
	return do(ctx, client)
}

// Close ends the connections. Calls in flight fail.
func (u *upstream) Close() error { return u.conns.Close() }

package tuning

import (
	"flag"
	"time"
)

// settings binds each name to its field of t. A new setting is a field, its default, and one line here.
func (t *Tuning) settings() []Setting {
	const day = 24 * time.Hour
	list := []Setting{
		advice("release-mode", &t.ReleaseMode, "debug logging costs time on every call"),
		advice("pool", &t.Pool, "response buffers come from a pool, so that each answer makes less garbage"),
		advice("access-log", &t.AccessLog, "one JSON line per request with its trace id"),

		advice("timeouts", &t.Timeouts, "without limits on the connection a slow client holds it for ever"),
		period("read-timeout", &t.ReadTimeout, 0, day, "longest time to read a whole request (0 is none)"),
		period("read-header-timeout", &t.ReadHeaderTimeout, 0, day, "longest time to read a request's header, so that one sent byte by byte is cut (0 is read-timeout)"),
		period("write-timeout", &t.WriteTimeout, 0, day, "longest time from the end of the header to the end of the answer (0 is none)"),
		period("idle-timeout", &t.IdleTimeout, 0, day, "how long an idle connection is kept for its next request (0 is read-timeout)"),
		size("max-header-bytes", &t.MaxHeaderBytes, 256, 16<<20, "a header larger than this, and 4 KiB that the server adds, is answered with 431"),

		period("request-timeout", &t.RequestTimeout, time.Millisecond, day, "budget of a request, retries and waits included; the upstream sees what is left of it"),
		period("call-deadline", &t.CallDeadline, time.Millisecond, day, "budget of one call to the user service: far above its normal time, far below a client's patience"),

		advice("reuse", &t.Reuse, "calls share a connection; off, each call dials its own"),
		period("dial-timeout", &t.DialTimeout, time.Millisecond, day, "longest time to set up a connection to the user service"),
		period("keepalive", &t.Keepalive, 10*time.Second, day, "an unused connection is pinged this often, so that a dead one is noticed"),
		period("keepalive-timeout", &t.KeepaliveTimeout, time.Second, day, "a ping not answered for this long ends the connection"),
		advice("health-check", &t.HealthCheck, "a user service replica that reports itself not serving gets no calls"),

		advice("retry", &t.Retry, "a call that never took effect is tried again: idempotent ones only, never on an open breaker"),
		count("retry-max", &t.RetryMax, 0, 10, "most retries of a call"),
		period("retry-backoff", &t.RetryBackoff, 0, time.Minute, "upper bound of the first retry's random wait, doubled for each further one"),

		advice("breaker", &t.Breaker, "a failing user service is left alone and requests are answered at once"),
		count("breaker-window", &t.BreakerWindow, 1, 1_000_000, "calls over which the failure rate is taken"),
		count("breaker-minimum", &t.BreakerMinimum, 1, 1_000_000, "calls that must be recorded before the breaker may open"),
		ratio("breaker-failure-rate", &t.BreakerFailureRate, "share of failed calls at which the breaker opens"),
		period("breaker-open", &t.BreakerOpen, time.Millisecond, 365*day, "how long the breaker stays open before it lets a trial through (another guide says 1s)"),
		count("breaker-half-open", &t.BreakerHalfOpen, 1, 1_000_000, "trial calls let through when half-open"),
		advice("fallback", &t.Fallback, "reads are answered with a default, marked as degraded, when the user service cannot answer"),

		perSecond("rate-limit", &t.RateLimit, "token bucket over all clients of this instance; the default bounds a flood only: set it to what an instance can serve"),
		count("rate-burst", &t.RateBurst, 0, 1_000_000, "requests let through at once by the rate limit (0 is a tenth of a second's worth)"),

		period("drain-delay", &t.DrainDelay, 0, time.Hour, "time between becoming not ready and refusing connections, for load balancers to notice"),
		period("shutdown-timeout", &t.ShutdownTimeout, time.Millisecond, time.Hour, "longest wait for requests in flight when stopping"),
	}
	for i := range list {
		list[i].Default = list[i].value.String()
	}
	return list
}

func advice(name string, to *bool, reason string) Setting {
	return Setting{Name: name, Values: "on|off", Reason: reason, Switch: true, value: (*onOff)(to)}
}

func period(name string, to *time.Duration, lowest, highest time.Duration, reason string) Setting {
	return figure(name, "duration", reason, &duration{to, lowest, highest})
}

func count(name string, to *int, lowest, highest int, reason string) Setting {
	return figure(name, "count", reason, &integer{to, lowest, highest})
}

func size(name string, to *int, lowest, highest int, reason string) Setting {
	return figure(name, "size", reason, &byteSize{to, lowest, highest})
}

func ratio(name string, to *float64, reason string) Setting {
	return figure(name, "percentage", reason, (*fraction)(to))
}

func perSecond(name string, to *float64, reason string) Setting {
	s := figure(name, "N/s|off", reason, (*rate)(to))
	s.Switch = true
	return s
}

func figure(name, values, reason string, v flag.Value) Setting {
	return Setting{Name: name, Values: values, Reason: reason, value: v}
}

package users

import (
	"flag"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"
)

// Config is what the service goes by. NewFlagSet fills in the defaults.
type Config struct {
	Addr     string // where gRPC is served, host:port; port 0 lets the system choose
	Admin    string // where metrics, profiles and health are served over HTTP; empty: nowhere
	Instance string // returned with each call as x-served-by
	Version  string // returned with each call as x-version; empty: not returned
	LogLevel slog.Level

	SeedUsers   int  // users that exist from the start, with ids "1" to this
	MaxUsers    int  // more are refused with RESOURCE_EXHAUSTED
	MaxWatchers int  // streams of WatchUsers at a time; more are refused with RESOURCE_EXHAUSTED
	WatchBuffer int  // changes that may wait for one watcher before it is dropped
	Work        Work // what a call costs on top of what it does

	CallTimeout           time.Duration // limit for a unary call whose client set none, or a later one; 0: none
	MaxMessageSize        int           // bytes, of a message received or sent
	MaxConnectionIdle     time.Duration // a connection without calls is closed after this; 0: never
	MaxConnectionAge      time.Duration // a connection is closed after this, calls under way finish; 0: never
	MaxConnectionAgeGrace time.Duration // how long those calls have; 0: as long as they like
	KeepaliveTime         time.Duration // a quiet connection is pinged after this
	KeepaliveTimeout      time.Duration // and closed when no answer came within this
	KeepaliveMinTime      time.Duration // a client that pings more often is sent away
	DrainDelay            time.Duration // from "not ready" to refusing calls
	DrainTimeout          time.Duration // for calls under way when the service stops

	// Not flags.
	Store Store        // nil: in memory
	Log   *slog.Logger // nil: none
}

// NewFlagSet returns the flags of the service and sets cfg to their defaults. Each flag refuses a value that
// the service could not run with.
func NewFlagSet(cfg *Config) *flag.FlagSet {
	f := flag.NewFlagSet("users", flag.ContinueOnError)
	f.StringVar(&cfg.Addr, "addr", "127.0.0.1:9000", "address to serve gRPC on; port 0 lets the system choose")
	f.StringVar(&cfg.Admin, "admin", "127.0.0.1:9001", "address to serve /metrics, /debug/pprof, /livez, /readyz and /health on; empty: none")
	f.StringVar(&cfg.Instance, "instance", "users", "name returned with each call as x-served-by")
	f.StringVar(&cfg.Version, "version", "", "`name` of this release, returned with each call as x-version; empty: not returned")
	f.TextVar(&cfg.LogLevel, "log-level", slog.LevelInfo, "debug, info, warn or error")

	count(f, &cfg.SeedUsers, "seed-users", 1000, 0, "users that exist from the start, with ids 1 to this")
	count(f, &cfg.MaxUsers, "max-users", 1_000_000, 1, "users that fit")
	count(f, &cfg.MaxWatchers, "max-watchers", 10_000, 0, "streams of WatchUsers at a time")
	count(f, &cfg.WatchBuffer, "watch-buffer", 256, 1, "changes that may wait for one watcher before it is dropped")
	count(f, &cfg.MaxMessageSize, "max-message-size", 4<<20, 1, "largest message received or sent, in bytes")
	f.Var(&cfg.Work, "work", "what a call costs on top of what it does: `METHOD=cpu:200us,sleep:1ms;*=sleep:1ms`, of a stream for each message")

	period(f, &cfg.CallTimeout, "call-timeout", 10*time.Second, 0, "limit for a unary call; 0: the client's alone")
	period(f, &cfg.MaxConnectionIdle, "max-connection-idle", time.Minute, 0, "close a connection without calls after this; 0: never")
	period(f, &cfg.MaxConnectionAge, "max-connection-age", 0, 0, "close a connection after this, so that clients look for new servers; 0: never")
	period(f, &cfg.MaxConnectionAgeGrace, "max-connection-age-grace", 10*time.Second, 0, "time for the calls under way on it; 0: no limit")
	period(f, &cfg.KeepaliveTime, "keepalive-time", 30*time.Second, time.Second, "ping a quiet connection after this")
	period(f, &cfg.KeepaliveTimeout, "keepalive-timeout", 10*time.Second, time.Millisecond, "close it when no answer came within this")
	period(f, &cfg.KeepaliveMinTime, "keepalive-min-time", 10*time.Second, 0, "send away a client that pings more often")
	period(f, &cfg.DrainDelay, "drain-delay", 250*time.Millisecond, 0, "on stopping, from not ready to refusing calls")
	period(f, &cfg.DrainTimeout, "drain-timeout", 10*time.Second, 0, "on stopping, time for the calls under way")
	return f
}

// count is an integer flag that knows its smallest value.
func count(f *flag.FlagSet, p *int, name string, value, least int, usage string) {
	*p = value
	f.Var(&bounded[int]{p, least, strconv.Atoi}, name, usage)
}

// period is a duration flag that knows its smallest value.
func period(f *flag.FlagSet, p *time.Duration, name string, value, least time.Duration, usage string) {
	*p = value
	f.Var(&bounded[time.Duration]{p, least, time.ParseDuration}, name, usage)
}

// bounded is a flag.Value that is not below a limit.
type bounded[T int | time.Duration] struct {
	p     *T
	least T
	parse func(string) (T, error)
}

// String is also called on a zero bounded, by package flag.
func (b *bounded[T]) String() string {
	if b.p == nil {
		return ""
	}
	return fmt.Sprint(*b.p)
}

func (b *bounded[T]) Set(s string) error {
	v, err := b.parse(s)
	if err != nil {
		return err
	}
	if v < b.least {
		return fmt.Errorf("must be at least %v", b.least)
	}
	*b.p = v
	return nil
}

// applyEnvironment sets each flag for which there is a variable: USERS_SEED_USERS for --seed-users.
func applyEnvironment(f *flag.FlagSet, lookup func(string) (string, bool)) error {
	var failed error
	f.VisitAll(func(fl *flag.Flag) {
		name := "USERS_" + strings.ToUpper(strings.ReplaceAll(fl.Name, "-", "_"))
		value, ok := lookup(name)
		if !ok || failed != nil {
			return
		}
		if err := f.Set(fl.Name, value); err != nil {
			failed = fmt.Errorf("%s=%q: %w", name, value, err)
		}
	})
	return failed
}

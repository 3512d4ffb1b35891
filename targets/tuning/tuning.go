// Package tuning lists the documented advice for a Gin service in front of a gRPC one, each piece as a named
// setting with its reason. Everything is on by default; what is switched off can be measured against what is on.
package tuning

import (
	"flag"
	"fmt"
	"strings"
	"time"
)

// Tuning holds the value of every setting. Start from Defaults.
type Tuning struct {
	ReleaseMode bool
	Pool        bool
	AccessLog   bool

	Timeouts          bool
	ReadTimeout       time.Duration
	ReadHeaderTimeout time.Duration
	WriteTimeout      time.Duration
	IdleTimeout       time.Duration
	MaxHeaderBytes    int

	RequestTimeout time.Duration
	CallDeadline   time.Duration

	Reuse            bool
	DialTimeout      time.Duration
	Keepalive        time.Duration
	KeepaliveTimeout time.Duration
	HealthCheck      bool

	Retry        bool
	RetryMax     int
	RetryBackoff time.Duration

	Breaker            bool
	BreakerWindow      int
	BreakerMinimum     int
	BreakerFailureRate float64 // a fraction, 0 < rate ≤ 1
	BreakerOpen        time.Duration
	BreakerHalfOpen    int
	Fallback           bool

	RateLimit float64 // requests per second; 0 is off
	RateBurst int     // 0 is a tenth of a second's worth

	DrainDelay      time.Duration
	ShutdownTimeout time.Duration
}

// A Setting is one named piece of advice or one of its figures.
type Setting struct {
	Name    string // as the flag is named
	Values  string // what it takes, in a few words
	Default string
	Reason  string // one line: why the default is what it is
	Switch  bool   // whether it is an advice that can be switched off, rather than a figure

	value flag.Value
}

// Defaults returns the documented tuning.
func Defaults() *Tuning {
	return &Tuning{
		ReleaseMode:        true,
		Pool:               true,
		AccessLog:          true,
		Timeouts:           true,
		ReadTimeout:        5 * time.Second,
		ReadHeaderTimeout:  2 * time.Second,
		WriteTimeout:       10 * time.Second,
		IdleTimeout:        60 * time.Second,
		MaxHeaderBytes:     8 << 10,
		RequestTimeout:     2 * time.Second,
		CallDeadline:       500 * time.Millisecond,
		Reuse:              true,
		DialTimeout:        3 * time.Second,
		Keepalive:          30 * time.Second,
		KeepaliveTimeout:   10 * time.Second,
		HealthCheck:        true,
		Retry:              true,
		RetryMax:           2,
		RetryBackoff:       20 * time.Millisecond,
		Breaker:            true,
		BreakerWindow:      10,
		BreakerMinimum:     10,
		BreakerFailureRate: 0.5,
		BreakerOpen:        5 * time.Second,
		BreakerHalfOpen:    1,
		Fallback:           true,
		RateLimit:          10000,
		DrainDelay:         time.Second,
		ShutdownTimeout:    10 * time.Second,
	}
}

// List returns every setting with its default, in the order in which a page of documentation shows them.
func List() []Setting { return Defaults().settings() }

// Register defines a flag for every setting of t on fs. The flags write to t.
func (t *Tuning) Register(fs *flag.FlagSet) {
	for _, s := range t.settings() {
		fs.Var(s.value, s.Name, fmt.Sprintf("%s `%s`", s.Reason, s.Values))
	}
}

// Burst is how many requests the rate limit lets through at once: RateBurst, or a tenth of a second's worth,
// at least one.
func (t *Tuning) Burst() int {
	if t.RateBurst > 0 {
		return t.RateBurst
	}
	return max(1, int(t.RateLimit/10+0.5))
}

// Environment sets the flags of fs from variables named prefix plus the flag's name in capitals with underscores,
// as lookup (os.LookupEnv) finds them. Called before fs.Parse, it lets the command line win.
// The error names the variable and what it should be.
func Environment(fs *flag.FlagSet, prefix string, lookup func(string) (string, bool)) error {
	var first error
	fs.VisitAll(func(f *flag.Flag) {
		name := Variable(prefix, f.Name)
		text, found := lookup(name)
		if !found || first != nil {
			return
		}
		if err := f.Value.Set(text); err != nil {
			first = fmt.Errorf("environment variable %s=%q: %w", name, text, err)
		}
	})
	return first
}

// Variable is the name of the environment variable for a flag: "GATEWAY_" and "rate-limit" make GATEWAY_RATE_LIMIT.
func Variable(prefix, flagName string) string {
	return prefix + strings.ToUpper(strings.ReplaceAll(flagName, "-", "_"))
}

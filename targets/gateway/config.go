// Package gateway is a reference HTTP service: a Gin program that answers /api/v1/users by calling a gRPC user
// service, with the documented tuning (package tuning) in place. It needs nothing but its settings:
//
//	JWT_KEY=secret gateway --addr 127.0.0.1:8080 --users 127.0.0.1:9000,127.0.0.1:9010 --breaker-open=1s
//
// Every answer has one shape, {code, message, data}: see codes.go. Four response headers speak to whoever
// watches from outside: X-Served-By names the instance, X-Version its release where it has a name, X-Request-Id the
// request, and X-Degraded says why an answer is not the user service's own: "circuit-open" (the breaker refused the call) or "upstream-failed"
// (the call was made and failed).
package gateway

import (
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"ordeal/targets/tuning"
	"ordeal/targets/work"
)

// Prefix begins the names of the environment variables that set the flags: --rate-limit is GATEWAY_RATE_LIMIT.
const Prefix = "GATEWAY_"

// Config is what one instance goes by. Start from NewFlagSet, which fills in the defaults.
type Config struct {
	Addr     string   // where the API is served; port 0 takes a free one
	Admin    string   // where metrics, profiles and health are served
	Instance string   // in X-Served-By and the log
	Version  string   // in X-Version; empty: no such header
	Users    []string // host:port of each replica of the user service
	JWTKey   []byte   // HS256 key of the writing routes; without one they refuse

	WarmUp time.Duration // from the start to the opening of the API port; the admin port is open, and not ready
	Work   work.Cost     // of each request of the API, on top of what it does

	tuning.Tuning
}

// NewFlagSet fills cfg with the defaults and returns flags that write to it. Each flag's Set refuses what it
// cannot mean, so a setting can be checked by name without starting anything. Nothing is printed or exited on.
func NewFlagSet(cfg *Config) *flag.FlagSet {
	*cfg = Config{
		Addr:     "127.0.0.1:8080",
		Admin:    "127.0.0.1:8081",
		Instance: fmt.Sprintf("gateway-%d", os.Getpid()),
		Users:    []string{"127.0.0.1:9000"},
		Tuning:   *tuning.Defaults(),
	}
	fs := flag.NewFlagSet("gateway", flag.ContinueOnError)
	fs.Var((*listenAddress)(&cfg.Addr), "addr", "where the API is served, `host:port`; port 0 takes a free one")
	fs.Var((*listenAddress)(&cfg.Admin), "admin", "where /metrics, /debug/pprof and health are served, `host:port`")
	fs.Var((*instanceName)(&cfg.Instance), "instance", "`name` of this instance, shown in X-Served-By and the log")
	fs.Var((*dialAddresses)(&cfg.Users), "users", "`host:port[,host:port…]` of the user service's replicas")
	fs.Var((*versionName)(&cfg.Version), "version", "`name` of this release, shown in X-Version; empty: not shown")
	fs.Var((*warmUp)(&cfg.WarmUp), "warm-up", "`duration` before the API port opens, as of a service that fills its caches first")
	fs.Var(&cfg.Work, "work", "what a request costs on top of what it does: `cpu:200us,sleep:1ms`")
	cfg.Register(fs)
	return fs
}

type listenAddress string

func (a *listenAddress) Set(text string) error {
	if _, err := portOf(text, 0); err != nil {
		return err
	}
	*a = listenAddress(text)
	return nil
}

func (a *listenAddress) String() string {
	if a == nil {
		return ""
	}
	return string(*a)
}

type dialAddresses []string

func (a *dialAddresses) Set(text string) error {
	seen := map[string]bool{}
	list := strings.Split(text, ",")
	for i, addr := range list {
		addr = strings.TrimSpace(addr)
		host, err := portOf(addr, 1)
		if err != nil {
			return err
		}
		if host == "" {
			return fmt.Errorf("%q has no host", addr)
		}
		if seen[addr] {
			return fmt.Errorf("%q is listed twice", addr)
		}
		seen[addr] = true
		list[i] = addr
	}
	*a = list
	return nil
}

func (a *dialAddresses) String() string {
	if a == nil {
		return ""
	}
	return strings.Join(*a, ",")
}

type instanceName string

func (n *instanceName) Set(text string) error {
	if !isName(text) {
		return errors.New("expected 1 to 64 visible ASCII characters")
	}
	*n = instanceName(text)
	return nil
}

func (n *instanceName) String() string {
	if n == nil {
		return ""
	}
	return string(*n)
}

type versionName string

func (v *versionName) Set(text string) error {
	if text != "" && !isName(text) {
		return errors.New("expected at most 64 visible ASCII characters")
	}
	*v = versionName(text)
	return nil
}

func (v *versionName) String() string {
	if v == nil {
		return ""
	}
	return string(*v)
}

// isName reports whether a header can show s as one word.
func isName(s string) bool {
	return s != "" && len(s) <= 64 && isPrintable(s) && !strings.Contains(s, " ")
}

// longestWarmUp keeps a slip of the unit from stopping the service.
const longestWarmUp = 10 * time.Minute

type warmUp time.Duration

func (w *warmUp) Set(text string) error {
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 || d > longestWarmUp {
		return fmt.Errorf("expected a duration from 0s to %v, not %q", longestWarmUp, text)
	}
	*w = warmUp(d)
	return nil
}

func (w *warmUp) String() string {
	if w == nil {
		return ""
	}
	return time.Duration(*w).String()
}

// portOf checks host:port with a numeric port not below lowest, and returns the host.
func portOf(addr string, lowest int) (host string, err error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return "", fmt.Errorf("expected host:port, not %q", addr)
	}
	if n, err := strconv.Atoi(port); err != nil || n < lowest || n > 65535 {
		return "", fmt.Errorf("%q: expected a port from %d to 65535", addr, lowest)
	}
	return host, nil
}

// isToken reports whether s is 1 to longest letters, digits, '-', '_' or '.': safe in headers, logs and paths.
func isToken(s string, longest int) bool {
	if s == "" || len(s) > longest {
		return false
	}
	for i := range len(s) {
		switch b := s[i]; {
		case 'a' <= b && b <= 'z', 'A' <= b && b <= 'Z', '0' <= b && b <= '9', b == '-', b == '_', b == '.':
		default:
			return false
		}
	}
	return true
}

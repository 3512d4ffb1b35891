// Package targets starts what is loaded, watches it and ends it: reference
// services, programs of the user's, and services that run already.
package targets

import (
	"fmt"
	"maps"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Spec is one target as a scenario writes it.
type Spec struct {
	Name string `yaml:"-"`

	Reference string   `yaml:"reference" enum:"gateway,users" doc:"a reference service that comes with Ordeal"`
	Command   []string `yaml:"command" doc:"a program of yours and its arguments; ${addr}, ${host}, ${port} and ${calls.NAME} are filled in"`
	External  string   `yaml:"external" doc:"a service that runs already: its address, as host:port, http://host:port or https://host:port"`
	Service   string   `yaml:"service" doc:"a Service of the scenario's cluster, by its name: calls go to the Pods behind it that are ready, as they come and go"`

	Port     string            `yaml:"port" doc:"the port of the service that is called, by name or number; its first when absent"`
	Calls    map[string]string `yaml:"calls" ref:"target" doc:"the targets that this one calls, by the name it knows them by (a flag of a reference service, ${calls.NAME} of a command)"`
	Tuning   map[string]string `yaml:"tuning" doc:"settings of a reference service by name, such as breaker: off"`
	Env      map[string]string `yaml:"env" doc:"environment variables for a program that Ordeal starts; in those of a command, ${addr} and the like are filled in as in its arguments"`
	Replicas int               `yaml:"replicas" default:"1" doc:"how many processes to start"`
	Listen   string            `yaml:"listen" doc:"the address a command listens on; a free loopback port where absent"`
	Ready    *Ready            `yaml:"ready" doc:"how to tell that it is ready; a connection to its address where absent"`
	Metrics  string            `yaml:"metrics" doc:"where its Prometheus metrics are: a path on its address, or a whole URL"`
	Workdir  string            `yaml:"workdir" doc:"the directory that a command runs in, relative to the scenario"`
	Grace    time.Duration     `yaml:"grace" default:"10s" doc:"how long it may take to end after SIGTERM before it is killed"`
}

// Ready says how to tell that a target can take load.
type Ready struct {
	HTTP   string        `yaml:"http" doc:"a path on its address, or a whole URL, that answers 200"`
	Line   string        `yaml:"line" doc:"a regular expression that a line of its output matches"`
	Within time.Duration `yaml:"within" default:"15s" doc:"how long it may take"`
}

// The kinds of targets.
const (
	KindReference = "reference"
	KindCommand   = "command"
	KindExternal  = "external"
	KindService   = "service"
)

// Kind says which of the four the target is.
func (s *Spec) Kind() string {
	switch {
	case s.Reference != "":
		return KindReference
	case s.External != "":
		return KindExternal
	case s.Service != "":
		return KindService
	default:
		return KindCommand
	}
}

// Started reports whether Ordeal starts the target, so that faults can act on
// its processes.
func (s *Spec) Started() bool { return s.Kind() == KindReference || s.Kind() == KindCommand }

// Hosts lists the hosts that load or faults for this target go to.
func (s *Spec) Hosts() []string {
	switch s.Kind() {
	case KindExternal:
		addr, err := externalAddr(s.External)
		if err != nil {
			return nil
		}
		host, _, _ := net.SplitHostPort(addr)
		hosts := []string{host}
		if u, err := url.Parse(s.Metrics); err == nil && u.Hostname() != "" && u.Hostname() != host {
			hosts = append(hosts, u.Hostname())
		}
		return hosts
	case KindService:
		return nil // where its Pods are, its cluster knows
	case KindCommand:
		if s.Listen != "" {
			host, _, _ := net.SplitHostPort(s.Listen)
			return []string{host}
		}
	}
	return []string{"127.0.0.1"}
}

// String says in one line what the target is.
func (s *Spec) String() string {
	var what string
	switch s.Kind() {
	case KindReference:
		what = "reference " + s.Reference
	case KindCommand:
		what = "command " + strings.Join(s.Command, " ")
	case KindService:
		what = "service " + s.Service
		if s.Port != "" {
			what += ", port " + s.Port
		}
	default:
		what = "external " + s.External
	}
	if s.Replicas > 1 {
		what += fmt.Sprintf(" × %d", s.Replicas)
	}
	for _, name := range slices.Sorted(maps.Keys(s.Tuning)) {
		what += fmt.Sprintf(" %s=%s", name, s.Tuning[name])
	}
	return what
}

var placeholder = regexp.MustCompile(`\$\{([^}]*)\}`)

// Secure reports whether the target speaks TLS.
func (s *Spec) Secure() bool { return strings.HasPrefix(s.External, "https://") }

func externalAddr(text string) (string, error) {
	addr := text
	if strings.Contains(text, "://") {
		u, err := url.Parse(text)
		if err != nil {
			return "", fmt.Errorf("want host:port, http://host:port or https://host:port: %w", err)
		}
		port, ok := map[string]string{"http": "80", "https": "443"}[u.Scheme]
		if !ok {
			return "", fmt.Errorf("want host:port, http://host:port or https://host:port, not the scheme %q", u.Scheme)
		}
		if u.Path != "" && u.Path != "/" {
			return "", fmt.Errorf("want an address without a path: paths belong to the load")
		}
		addr = u.Host
		if u.Port() == "" {
			addr = net.JoinHostPort(u.Hostname(), port)
		}
	}
	if host, port, err := net.SplitHostPort(addr); err != nil || host == "" || port == "" {
		return "", fmt.Errorf("want host:port, http://host:port or https://host:port, not %q", text)
	}
	return addr, nil
}

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

// Validate checks what can be checked without starting anything.
func (r *Ready) Validate(bad func(field, format string, args ...any)) {
	if r.HTTP != "" && r.Line != "" {
		bad("line", "http and line exclude each other: say one of them")
	}
	if _, err := regexp.Compile(r.Line); err != nil {
		bad("line", "not a regular expression: %v", err)
	}
	if r.Within <= 0 {
		bad("within", "want more than 0s")
	}
}

// Validate checks what can be checked without starting anything.
func (s *Spec) Validate(bad func(field, format string, args ...any)) {
	kinds := 0
	for _, set := range []bool{s.Reference != "", len(s.Command) > 0, s.External != "", s.Service != ""} {
		if set {
			kinds++
		}
	}
	if kinds != 1 {
		bad("", "want exactly one of reference, command, external and service")
		return
	}
	if s.Replicas < 1 || s.Replicas > 64 {
		bad("replicas", "want 1 to 64")
	}
	if s.Grace <= 0 || s.Grace > 5*time.Minute {
		bad("grace", "want more than 0s, at most 5m")
	}
	switch s.Kind() {
	case KindReference:
		s.validateReference(bad)
	case KindCommand:
		s.validateCommand(bad)
	case KindExternal:
		s.validateExternal(bad)
	case KindService:
		s.validateService(bad)
	}
	if s.Port != "" && s.Kind() != KindService {
		bad("port", "only a service has a port by name; the port of %s is part of its address", article(s.Kind()))
	}
}

// article is the kind of a target with the word before it.
func article(kind string) string {
	if kind == KindExternal {
		return "an external target"
	}
	return "a " + kind
}

// validateService reports what a Service of a cluster does not have.
func (s *Spec) validateService(bad func(field, format string, args ...any)) {
	if !serviceName.MatchString(s.Service) {
		bad("service", "%q cannot name a Service: want small letters, digits and -", s.Service)
	}
	for field, set := range map[string]bool{
		"tuning": len(s.Tuning) > 0, "env": len(s.Env) > 0, "calls": len(s.Calls) > 0, "listen": s.Listen != "",
		"workdir": s.Workdir != "", "replicas": s.Replicas > 1,
	} {
		if set {
			bad(field, "the Pods of a service are made by the cluster: %s is said in its manifests", field)
		}
	}
	if s.Ready != nil {
		bad("ready", "the Pods of a service say themselves when they are ready, by their probes")
	}
	if s.Metrics != "" {
		bad("metrics", "the Pods of a service say themselves where their metrics are, by the annotations prometheus.io/scrape, port and path")
	}
}

// serviceName is what Kubernetes takes for the name of a Service.
var serviceName = regexp.MustCompile(`^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$`)

func (s *Spec) validateReference(bad func(field, format string, args ...any)) {
	if s.Workdir != "" {
		bad("workdir", "only a command has a workdir")
	}
	if s.Listen != "" {
		bad("listen", "a reference service always listens on a free loopback port")
	}
	if s.Metrics != "" {
		bad("metrics", "a reference service says itself where its metrics are")
	}
	if s.Ready != nil {
		bad("ready", "a reference service says itself when it is ready")
	}
	for _, name := range slices.Sorted(maps.Keys(s.Env)) {
		if m := placeholder.FindString(s.Env[name]); m != "" {
			bad("env."+name, "%s is filled in for a command only", m)
		}
	}
	wants := referenceCalls(s.Reference)
	for _, name := range wants {
		if _, ok := s.Calls[name]; !ok {
			bad("calls", "the reference %s needs calls: {%s: TARGET}", s.Reference, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Calls)) {
		if !slices.Contains(wants, name) {
			bad("calls", "the reference %s calls nothing by the name %q", s.Reference, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Tuning)) {
		if err := checkSetting(s.Reference, name, s.Tuning[name]); err != nil {
			bad("tuning."+name, "%v", err)
		}
	}
}

func (s *Spec) validateCommand(bad func(field, format string, args ...any)) {
	if len(s.Tuning) > 0 {
		bad("tuning", "only a reference service has tuning; give a command arguments or env")
	}
	if s.Listen != "" {
		if _, _, err := net.SplitHostPort(s.Listen); err != nil {
			bad("listen", "want host:port: %v", err)
		}
		if s.Replicas > 1 {
			bad("listen", "%d replicas cannot share one address: leave listen out", s.Replicas)
		}
	}
	for _, arg := range s.Command {
		s.validatePlaceholders("command", arg, bad)
	}
	for _, name := range slices.Sorted(maps.Keys(s.Env)) {
		s.validatePlaceholders("env."+name, s.Env[name], bad)
	}
}

// validatePlaceholders checks what is to be filled in in a text.
func (s *Spec) validatePlaceholders(field, text string, bad func(field, format string, args ...any)) {
	for _, m := range placeholder.FindAllStringSubmatch(text, -1) {
		name, isCall := strings.CutPrefix(m[1], "calls.")
		if !isCall && m[1] != "addr" && m[1] != "host" && m[1] != "port" {
			bad(field, "unknown ${%s}: want ${addr}, ${host}, ${port} or ${calls.NAME}", m[1])
		} else if _, ok := s.Calls[name]; isCall && !ok {
			bad(field, "${%s} needs calls: {%s: TARGET}", m[1], name)
		}
	}
}

func (s *Spec) validateExternal(bad func(field, format string, args ...any)) {
	if _, err := externalAddr(s.External); err != nil {
		bad("external", "%v", err)
	}
	for field, set := range map[string]bool{
		"tuning": len(s.Tuning) > 0, "env": len(s.Env) > 0, "calls": len(s.Calls) > 0,
		"listen": s.Listen != "", "workdir": s.Workdir != "", "replicas": s.Replicas > 1,
	} {
		if set {
			bad(field, "an external target is not started by Ordeal, so it has no %s", field)
		}
	}
	if s.Ready != nil && s.Ready.Line != "" {
		bad("ready", "the output of an external target is not seen: use ready: {http: …}")
	}
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

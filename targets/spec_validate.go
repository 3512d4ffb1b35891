package targets

import (
	"maps"
	"net"
	"regexp"
	"slices"
	"strings"
	"time"
)

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
	for _, field := range s.startSettings() {
		bad(field, "the Pods of a service are made by the cluster: %s is said in its manifests", field)
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
	for _, field := range s.startSettings() {
		bad(field, "an external target is not started by Ordeal, so it has no %s", field)
	}
	if s.Ready != nil && s.Ready.Line != "" {
		bad("ready", "the output of an external target is not seen: use ready: {http: …}")
	}
}

// startSettings lists the fields that are set and say how Ordeal starts a target.
func (s *Spec) startSettings() []string {
	var set []string
	for _, f := range []struct {
		name string
		set  bool
	}{
		{"calls", len(s.Calls) > 0}, {"tuning", len(s.Tuning) > 0}, {"env", len(s.Env) > 0},
		{"replicas", s.Replicas > 1}, {"listen", s.Listen != ""}, {"workdir", s.Workdir != ""},
	} {
		if f.set {
			set = append(set, f.name)
		}
	}
	return set
}

package kubernetes

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Spec is the cluster of a scenario.
type Spec struct {
	Local   *Local `yaml:"local" oneof:"cluster" doc:"a control plane that is started on this machine for the run, and ended with it"`
	Context string `yaml:"context" oneof:"cluster" doc:"a cluster that is there, by its context in the kubeconfig file; needs --allow-context"`

	Kubeconfig string        `yaml:"kubeconfig" doc:"the file that has the context, relative to the scenario; the one of --kubeconfig, of $KUBECONFIG or ~/.kube/config when absent"`
	Namespace  string        `yaml:"namespace" default:"ordeal" doc:"where the objects are that the scenario names"`
	Apply      []string      `yaml:"apply" doc:"what is applied before the load: directories with a kustomization and files of manifests, relative to the scenario, and those that come with Ordeal, as shipped:overlays/local; on a context it is deleted again after the run"`
	Keep       bool          `yaml:"keep" doc:"leave what was applied to a context where it is"`
	Within     time.Duration `yaml:"within" default:"1m" doc:"how long it may take until the Deployments that were applied are available"`
}

// Local says how the control plane of the run's own is set. A time that is not
// given is so short that an autoscaler can be watched within a minute.
type Local struct {
	SyncPeriod              time.Duration `yaml:"sync_period" doc:"the time between two looks of the autoscaler at the metrics; 1s when absent"`
	DownscaleStabilization  time.Duration `yaml:"downscale_stabilization" doc:"no scale-down below what was recommended within this time; 10s when absent"`
	CPUInitializationPeriod time.Duration `yaml:"cpu_initialization_period" doc:"the age of a Pod up to which its CPU counts only if it is ready; 3s when absent"`
	InitialReadinessDelay   time.Duration `yaml:"initial_readiness_delay" doc:"the age of a Pod up to which being unready means that it never was ready; 1s when absent"`
	MetricsResolution       time.Duration `yaml:"metrics_resolution" doc:"the time between two looks at what Pods use; 1s when absent"`
	Nodes                   int           `yaml:"nodes" doc:"how many nodes the scheduler may choose from, all of them on this machine; 1 when absent"`
	Tolerance               *float64      `yaml:"tolerance" doc:"no change of replicas while the metric is within this ratio of its target; 0.1 when absent"`
	CPULimits               *bool         `yaml:"cpu_limits" doc:"false: limits of CPU in Pods do not hold. Where it is absent or true they do, by control groups, if this machine allows it; the report says so, or why not"`

	Images map[string][]string `yaml:"images" doc:"programs of this machine that stand for images, by the image's name without registry and tag, with their first arguments; a program with a slash is relative to the scenario. ordeal/gateway and ordeal/users are there"`
}

// UnmarshalText takes the short form, the word local.
func (s *Spec) UnmarshalText(text []byte) error {
	if string(text) != "local" {
		return errors.New("want local, or a mapping with local or context")
	}
	s.Local = &Local{}
	return nil
}

// Examples gives the short form.
func (Spec) Examples() []string { return []string{"local"} }

// ShippedPrefix marks what comes with Ordeal in a list of what is applied.
const ShippedPrefix = "shipped:"

// dnsLabel is what Kubernetes takes for the name of a namespace.
var dnsLabel = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)

// Validate reports settings that contradict each other.
func (s *Spec) Validate(bad func(field, format string, args ...any)) {
	if s.Local != nil && s.Kubeconfig != "" {
		bad("kubeconfig", "a local control plane has a kubeconfig file of its own")
	}
	if s.Local != nil && s.Keep {
		bad("keep", "what is applied to a local control plane goes with it")
	}
	if !dnsLabel.MatchString(s.Namespace) {
		bad("namespace", "%q cannot name a namespace: want small letters, digits and -", s.Namespace)
	}
	for i, what := range s.Apply {
		if strings.TrimPrefix(what, ShippedPrefix) == "" {
			bad(fmt.Sprintf("apply.%d", i), "want a directory, a file, or what comes with Ordeal, as shipped:overlays/local")
		}
	}
	if s.Within <= 0 || s.Within > 30*time.Minute {
		bad("within", "want more than 0s, at most 30m")
	}
}

// Validate reports settings that the control plane does not take.
func (l *Local) Validate(bad func(field, format string, args ...any)) {
	for _, t := range l.times() {
		if t.value < 0 || t.value > time.Hour {
			bad(t.field, "want a time of at most 1h")
		}
	}
	if l.Nodes < 0 || l.Nodes > mostNodes {
		bad("nodes", "want 1 to %d", mostNodes)
	}
	if l.Tolerance != nil && (*l.Tolerance < 0 || *l.Tolerance >= 1) {
		bad("tolerance", "want a ratio from 0 to 1, such as 0.1")
	}
	for _, image := range slices.Sorted(maps.Keys(l.Images)) {
		if image == "" || strings.ContainsAny(image, ":@= ") {
			bad("images."+image, "want the name of an image without registry and tag, such as shop/cart")
		}
		if len(l.Images[image]) == 0 || l.Images[image][0] == "" {
			bad("images."+image, "want a program and its first arguments")
		}
	}
}

// mostNodes bounds the nodes of one machine: more show nothing more.
const mostNodes = 8

// setting is one time of the control plane, with the flag that sets it.
type setting struct {
	field, flag string
	value       time.Duration
	usual       time.Duration
}

func (l *Local) times() []setting {
	return []setting{
		{"sync_period", "sync-period", l.SyncPeriod, time.Second},
		{"downscale_stabilization", "downscale-stabilization", l.DownscaleStabilization, 10 * time.Second},
		{"cpu_initialization_period", "cpu-initialization-period", l.CPUInitializationPeriod, 3 * time.Second},
		{"initial_readiness_delay", "initial-readiness-delay", l.InitialReadinessDelay, time.Second},
		{"metrics_resolution", "metrics-resolution", l.MetricsResolution, time.Second},
	}
}

// usualTolerance is that of Kubernetes.
const usualTolerance = 0.1

func (l *Local) tolerance() float64 {
	if l.Tolerance == nil {
		return usualTolerance
	}
	return *l.Tolerance
}

// Settings gives the settings of the autoscaler and of the metrics, those that
// are not given too, the number of nodes if there are several, and that limits of
// CPU are not to hold where that is so, by their names in a scenario.
func (l *Local) Settings() map[string]string {
	all := map[string]string{"tolerance": fmt.Sprint(l.tolerance())}
	for _, t := range l.times() {
		all[t.field] = cmp.Or(t.value, t.usual).String()
	}
	if l.Nodes > 1 {
		all["nodes"] = fmt.Sprint(l.Nodes)
	}
	if !l.limitsCPU() {
		all["cpu_limits"] = "false"
	}
	return all
}

// limitsCPU reports whether limits of CPU are to hold.
func (l *Local) limitsCPU() bool { return l.CPULimits == nil || *l.CPULimits }

// String says in one line what cluster it is.
func (s *Spec) String() string {
	what := "a control plane of the run's own on this machine"
	if s.Local == nil {
		what = "context " + s.Context
		if s.Kubeconfig != "" {
			what += " of " + s.Kubeconfig
		}
	}
	return what + ", namespace " + s.Namespace
}

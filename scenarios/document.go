package scenarios

import (
	"time"

	"ordeal/chaos"
	"ordeal/runner/change"
	"ordeal/runner/load"
	"ordeal/runner/verdict"
	"ordeal/targets"
	"ordeal/targets/kubernetes"
)

// document is a scenario file as it is written.
type document struct {
	Ordeal     string                   `yaml:"ordeal" required:"true" enum:"v1" doc:"the version of the language"`
	Name       string                   `yaml:"name" required:"true" doc:"the scenario's name; it names the run directory"`
	About      string                   `yaml:"about" doc:"what the scenario shows, in one line"`
	Tags       []string                 `yaml:"tags" doc:"words to choose scenarios by, such as ci"`
	Seed       uint64                   `yaml:"seed" default:"1" doc:"what all that is random follows from: the same seed gives the same calls at the same times"`
	Kubernetes *kubernetes.Spec         `yaml:"kubernetes" doc:"the cluster that has the services among the targets"`
	Targets    map[string]*targets.Spec `yaml:"targets" required:"true" doc:"what runs, by a name of your choice"`
	Load       map[string]*load.Spec    `yaml:"load" required:"true" doc:"what is called and how often, by a name of your choice"`
	Timeline   []*phase                 `yaml:"timeline" required:"true" doc:"the phases, one after the other"`
	Expect     []*verdict.Expect        `yaml:"expect" required:"true" doc:"what must hold"`
}

// phase is one part of the timeline as it is written.
type phase struct {
	Name    string                 `yaml:"phase" required:"true" doc:"the phase's name; a phase named warmup is left out of every judgement that does not name it"`
	For     time.Duration          `yaml:"for" required:"true" doc:"how long it takes"`
	Faults  []*chaos.Spec          `yaml:"faults" doc:"what is broken from its start to its end"`
	Changes []*change.Spec         `yaml:"changes" doc:"what is done to the cluster at its start and stays: a rollout, a switch"`
	Load    map[string]*load.Curve `yaml:"load" ref:"load" doc:"rates that loads have in this phase instead of their own"`
}

// warmup is the phase that no judgement includes unless it names it.
const warmup = "warmup"

// client is the load generator's end of a link.
const client = "client"

// names is what there is to refer to, taken from the tree as written, so that
// references can be checked in a file that has other errors. A kind whose
// section is missing or malformed is nil, and is not checked.
type names map[string][]string

func namesIn(root *node) names {
	n := names{}
	if t := root.get("targets"); t != nil && t.kind == mappingNode {
		n["target"] = keysOf(t)
		n["link"] = append(n["link"], linksIn(root)...)
		if local(root) {
			n["link"] = append(n["link"], kubernetes.Links()...)
		}
	}
	if l := root.get("load"); l != nil && l.kind == mappingNode {
		n["load"] = keysOf(l)
	}
	if t := root.get("timeline"); t != nil && t.kind == listNode {
		n["phase"] = []string{}
		for _, item := range t.items {
			if name := item.get("phase"); name != nil && name.kind == scalarNode {
				n["phase"] = append(n["phase"], name.text)
			}
		}
	}
	return n
}

// local reports whether the scenario has a control plane of its own.
func local(root *node) bool {
	k := root.get("kubernetes")
	return k != nil && (k.kind == scalarNode && k.text == "local" || k.get("local") != nil)
}

func keysOf(n *node) []string {
	out := []string{}
	for _, e := range n.entries {
		out = append(out, e.key)
	}
	return out
}

// linksIn lists the links that there are: from a target to each that it calls,
// and from the load generator to each that a load calls.
func linksIn(root *node) []string {
	out := []string{}
	for _, t := range root.get("targets").entries {
		if calls := t.value.get("calls"); calls != nil {
			for _, call := range calls.entries {
				out = append(out, linkName(t.key, call.value.text))
			}
		}
	}
	if loads := root.get("load"); loads != nil {
		for _, l := range loads.entries {
			for _, kind := range l.value.entries {
				if target := kind.value.get("target"); target != nil {
					out = append(out, linkName(client, target.text))
				}
			}
		}
	}
	return out
}

func linkName(from, to string) string { return from + "->" + to }

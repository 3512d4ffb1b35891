package node

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/kubernetes/third_party/forked/golang/expansion"
)

// commandAnnotation, with the name of a container, has a command as a JSON array that replaces what the image and the
// container say.
const commandAnnotation = "localkube.ordeal/command."

// argv is the command line of a container: the entry point, of the annotation, of the container, or of the image, and
// the arguments.
func (c *container) argv(spec *corev1.Container, env environment) ([]string, error) {
	entry := spec.Command
	if text, ok := c.pod.latest().Annotations[commandAnnotation+c.name]; ok {
		entry = nil
		if err := json.Unmarshal([]byte(text), &entry); err != nil {
			return nil, fmt.Errorf("annotation %s%s: want a JSON array of strings: %w", commandAnnotation, c.name, err)
		}
		if len(entry) == 0 {
			return nil, fmt.Errorf("annotation %s%s: the command is empty", commandAnnotation, c.name)
		}
	}
	if len(entry) == 0 {
		var err error
		if entry, err = c.pod.agent.entryPoint(spec.Image); err != nil {
			return nil, err
		}
	}
	var argv []string
	for _, arg := range slices.Concat(entry, spec.Args) {
		argv = append(argv, expansion.Expand(arg, env.lookup()))
	}
	return argv, nil
}

// entryPoint is what an image runs.
func (a *agent) entryPoint(image string) ([]string, error) {
	name := imageName(image)
	if entry := a.cfg.Images[name]; len(entry) > 0 {
		return entry, nil
	}
	known := make([]string, 0, len(a.cfg.Images))
	for n := range a.cfg.Images {
		known = append(known, n)
	}
	slices.Sort(known)
	there := "none is known"
	if len(known) > 0 {
		there = "known are " + strings.Join(known, ", ")
	}
	return nil, fmt.Errorf("image %q is not known here, where images are commands of this machine: %s; name its command "+
		"with --image '%s=[\"/path/of/program\"]', with command: in the container, or with the annotation %sCONTAINER",
		image, there, name, commandAnnotation)
}

// imageName is the name of an image without its registry, tag and digest.
func imageName(image string) string {
	name, _, _ := strings.Cut(image, "@")
	if i := strings.LastIndex(name, ":"); i > strings.LastIndex(name, "/") {
		name = name[:i]
	}
	if host, rest, ok := strings.Cut(name, "/"); ok && (strings.ContainsAny(host, ".:") || host == "localhost") {
		return rest
	}
	return name
}

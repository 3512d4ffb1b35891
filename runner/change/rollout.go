package change

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"ordeal/targets/kubernetes"
)

// Rollout gives a Deployment a new template: a new version.
type Rollout struct {
	Deployment  string            `yaml:"deployment" required:"true" doc:"the Deployment"`
	Container   string            `yaml:"container" doc:"the container that env, image, command and args speak of; the first unless given"`
	Env         map[string]string `yaml:"env" doc:"environment variables that get a new value; the others stay"`
	Image       string            `yaml:"image" doc:"the new image"`
	Command     []string          `yaml:"command" doc:"the program and its first arguments, in place of the image's own"`
	Args        []string          `yaml:"args" doc:"the arguments"`
	Labels      map[string]string `yaml:"labels" doc:"labels of the Pods that get a new value"`
	Annotations map[string]string `yaml:"annotations" doc:"annotations of the Pods that get a new value"`
}

// Validate reports a rollout that changes nothing.
func (r *Rollout) Validate(bad func(field, format string, args ...any)) {
	checkName(bad, "deployment", r.Deployment)
	if len(r.Env)+len(r.Command)+len(r.Args)+len(r.Labels)+len(r.Annotations) == 0 && r.Image == "" {
		bad("", "want what changes: env, image, command, args, labels or annotations; restart replaces the Pods by the same")
	}
}

func (r *Rollout) String() string {
	var what []string
	if r.Image != "" {
		what = append(what, "image "+r.Image)
	}
	for name, words := range map[string][]string{"command": r.Command, "args": r.Args} {
		if len(words) > 0 {
			what = append(what, name+" "+strings.Join(words, " "))
		}
	}
	for name, m := range map[string]map[string]string{"env": r.Env, "labels": r.Labels, "annotations": r.Annotations} {
		if len(m) > 0 {
			what = append(what, name+" "+pairs(m))
		}
	}
	slices.Sort(what)
	return fmt.Sprintf("rollout of Deployment %s: %s", r.Deployment, strings.Join(what, ", "))
}

// pairs writes a map in the order of its keys.
func pairs(m map[string]string) string {
	var out []string
	for _, key := range slices.Sorted(maps.Keys(m)) {
		out = append(out, key+"="+m[key])
	}
	return strings.Join(out, " ")
}

func (r *Rollout) object() Object { return deployment(r.Deployment) }

func (r *Rollout) make(ctx context.Context, c Cluster) error {
	return c.Rollout(ctx, r.Deployment, kubernetes.Template{
		Container: r.Container, Env: r.Env, Image: r.Image, Command: r.Command, Args: r.Args, Labels: r.Labels, Annotations: r.Annotations,
	})
}

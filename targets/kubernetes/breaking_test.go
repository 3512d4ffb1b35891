package kubernetes

import (
	"errors"
	"strings"
	"testing"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
)

func service(name string, selector map[string]string) *core.Service {
	return &core.Service{ObjectMeta: named(name, nil), Spec: core.ServiceSpec{Selector: selector}}
}

// colored is a Deployment whose Pods have a version.
func colored(name, version string) *apps.Deployment {
	d := deployment("x")
	d.Name = name
	d.Spec.Template.Labels = map[string]string{"app": "gateway", "version": version}
	return d
}

func TestTheDeploymentOfAServiceIsTheOneWhosePodsItSelects(t *testing.T) {
	c, _ := open(t, colored("blue", "blue"), colored("green", "green"),
		service("gateway", map[string]string{"app": "gateway", "version": "green"}),
		service("both", map[string]string{"app": "gateway"}), service("none", map[string]string{"app": "users"}), service("bare", nil))
	d, err := c.DeploymentOf(patience(t), "gateway")
	if err != nil || d.Name != "green" {
		t.Errorf("got %v, %v", d, err)
	}
	for _, name := range []string{"both", "none", "bare"} {
		if _, err := c.DeploymentOf(patience(t), name); !errors.Is(err, ErrNoDeployment) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := c.DeploymentOf(patience(t), "gone"); err == nil || errors.Is(err, ErrNoDeployment) {
		t.Errorf("a Service that is not there: %v", err)
	}
}

func TestABrokenTemplateRunsNothingUntilRestored(t *testing.T) {
	d := deployment("x")
	d.Spec.Template.Spec.Containers[1].Args = []string{"-a"}
	d.Spec.Template.Annotations = map[string]string{"localkube.ordeal/command.gateway": "[]", "stays": "so"}
	c, _ := open(t, d)
	restore, err := c.BreakTemplate(patience(t), "gateway")
	if err != nil {
		t.Fatal(err)
	}
	broken, err := c.deployment(patience(t), "gateway")
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range broken.Spec.Template.Spec.Containers {
		if len(one.Command) != 1 || one.Command[0] != nothingToRun || len(one.Args) > 0 {
			t.Errorf("container %s runs %q %q", one.Name, one.Command, one.Args)
		}
	}
	if a := broken.Spec.Template.Annotations; len(a) != 1 || a["stays"] != "so" {
		t.Errorf("annotations: %v", a)
	}
	if err := restore(patience(t)); err != nil {
		t.Fatal(err)
	}
	back, err := c.deployment(patience(t), "gateway")
	if err != nil {
		t.Fatal(err)
	}
	one := back.Spec.Template.Spec.Containers[1]
	if one.Command != nil || strings.Join(one.Args, " ") != "-a" || len(back.Spec.Template.Annotations) != 2 {
		t.Errorf("restored to %q %q, %v", one.Command, one.Args, back.Spec.Template.Annotations)
	}
}

func TestScaleAndRestartChangeADeployment(t *testing.T) {
	c, _ := open(t, deployment("x"))
	if err := c.Scale(patience(t), "gateway", 7); err != nil {
		t.Fatal(err)
	}
	if err := c.Restart(patience(t), "gateway"); err != nil {
		t.Fatal(err)
	}
	d, err := c.deployment(patience(t), "gateway")
	if err != nil {
		t.Fatal(err)
	}
	if *d.Spec.Replicas != 7 || d.Spec.Template.Annotations[restartedAt] == "" {
		t.Errorf("replicas %d, annotations %v", *d.Spec.Replicas, d.Spec.Template.Annotations)
	}
	if err := c.Scale(patience(t), "nobody", 1); err == nil || !strings.Contains(err.Error(), "Deployment nobody") {
		t.Errorf("got %v", err)
	}
}

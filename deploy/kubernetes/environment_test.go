package kubernetes

import (
	"flag"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"ordeal/targets/gateway"
	"ordeal/targets/tuning"
	"ordeal/targets/users"
)

// flagsOf are the settings of the service in a container.
func flagsOf(container string) (prefix string, flags *flag.FlagSet) {
	if container == "users" {
		flags = users.NewFlagSet(new(users.Config))
	} else {
		flags = gateway.NewFlagSet(new(gateway.Config))
	}
	flags.SetOutput(io.Discard)
	return strings.ToUpper(container) + "_", flags
}

// others are variables that are no settings of the services.
var others = []string{"POD_NAME", "POD_IP", "JWT_KEY", "GOMEMLIMIT"}

// checkEnvironment wants that each variable is a setting that the service takes, that no variable made of a Service
// is taken for one, and that $(NAME) means a variable that is there.
func checkEnvironment(o *objects, d *appsv1.Deployment, c *corev1.Container, say complain) {
	prefix, flags := flagsOf(c.Name)
	known := serviceVariables(o)
	flags.VisitAll(func(f *flag.Flag) {
		if value, taken := known[tuning.Variable(prefix, f.Name)]; taken {
			say("Deployment %s: Kubernetes sets --%s to %q by the name of a Service", d.Name, f.Name, value)
		}
	})
	for name, value := range environment(o, c, known) {
		if strings.Contains(value, "$(") {
			say("Deployment %s: %s=%q names a variable that is not there before it", d.Name, name, value)
			continue
		}
		setting, ours := strings.CutPrefix(name, prefix)
		if !ours {
			if !slices.Contains(others, name) {
				say("Deployment %s: nobody reads %s", d.Name, name)
			}
			continue
		}
		f := flags.Lookup(strings.ToLower(strings.ReplaceAll(setting, "_", "-")))
		if f == nil {
			say("Deployment %s: %s is no setting of the %s service", d.Name, name, c.Name)
		} else if err := f.Value.Set(value); err != nil {
			say("Deployment %s: %s=%q: %v", d.Name, name, value, err)
		}
	}
	for _, port := range c.Ports {
		name := map[string]string{"http": "addr", "grpc": "addr", "admin": "admin"}[port.Name]
		if f := flags.Lookup(name); f == nil || !strings.HasSuffix(f.Value.String(), fmt.Sprintf(":%d", port.ContainerPort)) {
			say("Deployment %s: nobody listens on port %s", d.Name, port.Name)
		}
	}
	checkDrain(d, c, flags, say)
}

// environment is what the container will find, with known for what Kubernetes itself sets.
func environment(o *objects, c *corev1.Container, known map[string]string) map[string]string {
	env := map[string]string{}
	for _, from := range c.EnvFrom {
		if from.ConfigMapRef != nil && o.configs[from.ConfigMapRef.Name] != nil {
			maps.Copy(env, o.configs[from.ConfigMapRef.Name].Data)
		}
	}
	for _, e := range c.Env {
		value := e.Value
		if e.ValueFrom != nil {
			value = "127.9.8.7" // an address where one is needed, a name elsewhere
		}
		for _, list := range []map[string]string{env, known} {
			for name, text := range list {
				value = strings.ReplaceAll(value, "$("+name+")", text)
			}
		}
		env[e.Name] = value
	}
	return env
}

// serviceVariables are what Kubernetes sets in each Pod for each Service that was there before it.
func serviceVariables(o *objects) map[string]string {
	env := map[string]string{}
	for _, s := range o.services {
		name := strings.ToUpper(strings.ReplaceAll(s.Name, "-", "_"))
		env[name+"_SERVICE_HOST"] = "127.1.2.3"
		env[name+"_SERVICE_PORT"] = fmt.Sprint(s.Spec.Ports[0].Port)
		env[name+"_PORT"] = fmt.Sprintf("tcp://127.1.2.3:%d", s.Spec.Ports[0].Port)
		for _, p := range s.Spec.Ports {
			env[name+"_SERVICE_PORT_"+strings.ToUpper(p.Name)] = fmt.Sprint(p.Port)
			base := fmt.Sprintf("%s_PORT_%d_TCP", name, p.Port)
			env[base], env[base+"_PORT"], env[base+"_ADDR"], env[base+"_PROTO"] = "tcp://…", "1", "127.1.2.3", "tcp"
		}
	}
	return env
}

// checkDrain wants that what happens between the order to stop and the end fits in the grace period.
func checkDrain(d *appsv1.Deployment, c *corev1.Container, flags *flag.FlagSet, say complain) {
	var took time.Duration
	if c.Lifecycle != nil && c.Lifecycle.PreStop != nil && c.Lifecycle.PreStop.Sleep != nil {
		took = time.Duration(c.Lifecycle.PreStop.Sleep.Seconds) * time.Second
	}
	for _, name := range []string{"drain-delay", "shutdown-timeout", "drain-timeout"} {
		if f := flags.Lookup(name); f != nil {
			value, err := time.ParseDuration(f.Value.String())
			if err != nil {
				say("Deployment %s: %s: %v", d.Name, name, err)
			}
			took += value
		}
	}
	if grace := time.Duration(*d.Spec.Template.Spec.TerminationGracePeriodSeconds) * time.Second; took >= grace {
		say("Deployment %s: stopping may take %v, and Kubernetes kills after %v", d.Name, took, grace)
	}
}

package kubernetes

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// images are what localkube knows how to run, and what deploy/docker builds, by the container's name.
var images = map[string]string{"gateway": "ordeal/gateway:devel", "users": "ordeal/users:devel"}

// complaints lists what a slip would break that the API server accepts: names that point nowhere, labels that select
// nothing. It is empty for every overlay.
func complaints(o *objects) []string {
	var bad []string
	say := func(format string, args ...any) { bad = append(bad, fmt.Sprintf(format, args...)) }
	for _, x := range o.all {
		if namespace := x.GetNamespace(); namespace != "ordeal" && x.GetName() != "ordeal" {
			say("%s is in namespace %q", x.GetName(), namespace)
		}
	}
	for _, d := range o.deployments {
		checkDeployment(o, d, say)
	}
	for _, s := range o.services {
		checkService(o, s, say)
	}
	checkAutoscalers(o, say)
	checkBudgets(o, say)
	checkPolicies(o, say)
	checkMonitors(o, say)
	return bad
}

type complain func(format string, args ...any)

func checkDeployment(o *objects, d *appsv1.Deployment, say complain) {
	pod := d.Spec.Template.Spec
	if !selector(d.Spec.Selector).Matches(labels.Set(d.Spec.Template.Labels)) {
		say("Deployment %s does not select its own Pods", d.Name)
	}
	for _, other := range o.deployments {
		if other != d && selector(other.Spec.Selector).Matches(labels.Set(d.Spec.Template.Labels)) {
			say("Deployment %s selects the Pods of %s", other.Name, d.Name)
		}
	}
	r := d.Spec.Strategy.RollingUpdate
	if r == nil || r.MaxUnavailable == nil || *r.MaxUnavailable != intstr.FromInt32(1) || r.MaxSurge == nil || *r.MaxSurge != intstr.FromInt32(1) {
		say("Deployment %s: rolling update %v, want maxUnavailable 1 and maxSurge 1", d.Name, r)
	}
	if o.accounts[pod.ServiceAccountName] == nil {
		say("Deployment %s: no ServiceAccount %q", d.Name, pod.ServiceAccountName)
	}
	for _, s := range pod.TopologySpreadConstraints {
		if !selector(s.LabelSelector).Matches(labels.Set(d.Spec.Template.Labels)) {
			say("Deployment %s spreads other Pods than its own", d.Name)
		}
	}
	for i := range pod.Containers {
		checkContainer(o, d, &pod.Containers[i], say)
	}
	annotations := d.Spec.Template.Annotations
	if port, _ := strconv.Atoi(annotations["prometheus.io/port"]); annotations["prometheus.io/scrape"] != "true" ||
		annotations["prometheus.io/path"] != "/metrics" || portNamed(pod.Containers, "admin") != int32(port) {
		say("Deployment %s: annotations %v do not lead to /metrics on the admin port", d.Name, annotations)
	}
}

func checkContainer(o *objects, d *appsv1.Deployment, c *corev1.Container, say complain) {
	if want := images[c.Name]; c.Image != want {
		say("Deployment %s: image %q, want %q", d.Name, c.Image, want)
	}
	for kind, p := range map[string]*corev1.Probe{"startup": c.StartupProbe, "readiness": c.ReadinessProbe, "liveness": c.LivenessProbe} {
		switch {
		case p == nil:
		case p.HTTPGet != nil:
			if !slices.Contains([]string{"/livez", "/readyz"}, p.HTTPGet.Path) || p.HTTPGet.Port != intstr.FromString("admin") || portNamed([]corev1.Container{*c}, "admin") == 0 {
				say("Deployment %s: %s probe asks %s on port %s", d.Name, kind, p.HTTPGet.Path, p.HTTPGet.Port.String())
			}
		case p.GRPC != nil:
			if p.GRPC.Port == 0 || p.GRPC.Port != portNamed([]corev1.Container{*c}, "grpc") {
				say("Deployment %s: %s probe calls port %d", d.Name, kind, p.GRPC.Port)
			}
		default:
			say("Deployment %s: %s probe asks nothing", d.Name, kind)
		}
	}
	if c.ReadinessProbe == nil || c.LivenessProbe == nil {
		say("Deployment %s: a probe is missing", d.Name)
	}
	pod, s := d.Spec.Template.Spec.SecurityContext, c.SecurityContext
	if pod == nil || !is(pod.RunAsNonRoot) || pod.RunAsUser == nil || *pod.RunAsUser == 0 || pod.SeccompProfile == nil || s == nil ||
		!is(s.ReadOnlyRootFilesystem) || s.AllowPrivilegeEscalation == nil || *s.AllowPrivilegeEscalation ||
		s.Capabilities == nil || !slices.Equal(s.Capabilities.Drop, []corev1.Capability{"ALL"}) {
		say("Deployment %s: %s may more than it needs", d.Name, c.Name)
	}
	for _, from := range c.EnvFrom {
		if from.ConfigMapRef == nil || o.configs[from.ConfigMapRef.Name] == nil {
			say("Deployment %s: %+v points nowhere", d.Name, from)
		}
	}
	for _, e := range c.Env {
		if e.ValueFrom == nil || e.ValueFrom.SecretKeyRef == nil {
			continue
		}
		ref := e.ValueFrom.SecretKeyRef
		if secret := o.secrets[ref.Name]; (secret == nil && !is(ref.Optional)) || (secret != nil && len(secret.Data[ref.Key]) == 0) {
			say("Deployment %s: %s is not in Secret %s", d.Name, e.Name, ref.Name)
		}
	}
	checkEnvironment(o, d, c, say)
}

func checkService(o *objects, s *corev1.Service, say complain) {
	pods := 0
	for _, d := range o.deployments {
		if !labels.SelectorFromSet(s.Spec.Selector).Matches(labels.Set(d.Spec.Template.Labels)) {
			continue
		}
		pods++
		for _, p := range s.Spec.Ports {
			if portNamed(d.Spec.Template.Spec.Containers, p.TargetPort.StrVal) != p.Port || p.Name != p.TargetPort.StrVal {
				say("Service %s: port %d goes to %q of %s, which is another", s.Name, p.Port, p.TargetPort.String(), d.Name)
			}
		}
	}
	if pods != 1 {
		say("Service %s selects the Pods of %d Deployments", s.Name, pods)
	}
}

func checkAutoscalers(o *objects, say complain) {
	scaled := map[string]string{}
	for _, h := range o.autoscalers {
		ref := h.Spec.ScaleTargetRef
		d := o.deployment(ref.Name)
		if d == nil || ref.Kind != "Deployment" || ref.APIVersion != "apps/v1" {
			say("HorizontalPodAutoscaler %s scales %v, which is not there", h.Name, ref)
			continue
		}
		if other, twice := scaled[ref.Name]; twice {
			say("%s and %s both scale %s", other, h.Name, ref.Name)
		}
		scaled[ref.Name] = h.Name
		if d.Spec.Replicas != nil && *d.Spec.Replicas != *h.Spec.MinReplicas {
			say("Deployment %s has %d replicas of its own, which the autoscaler undoes", d.Name, *d.Spec.Replicas)
		}
		if *h.Spec.MinReplicas < 2 || *h.Spec.MinReplicas > h.Spec.MaxReplicas {
			say("HorizontalPodAutoscaler %s: %d to %d replicas", h.Name, *h.Spec.MinReplicas, h.Spec.MaxReplicas)
		}
		if b := h.Spec.Behavior; b == nil || b.ScaleUp == nil || len(b.ScaleUp.Policies) == 0 || b.ScaleUp.StabilizationWindowSeconds == nil ||
			b.ScaleDown == nil || len(b.ScaleDown.Policies) == 0 || b.ScaleDown.StabilizationWindowSeconds == nil {
			say("HorizontalPodAutoscaler %s leaves its behaviour to defaults", h.Name)
		}
		for _, m := range h.Spec.Metrics {
			if m.Resource != nil && d.Spec.Template.Spec.Containers[0].Resources.Requests.Name(m.Resource.Name, "").IsZero() {
				say("HorizontalPodAutoscaler %s: %s requests no %s", h.Name, d.Name, m.Resource.Name)
			}
			if m.Pods != nil && m.Pods.Metric.Name != "http_requests_per_second" {
				say("HorizontalPodAutoscaler %s: there is no metric %s", h.Name, m.Pods.Metric.Name)
			}
		}
	}
}

// checkBudgets wants that a drain goes on, and that a rolling update alone does not use up a budget.
func checkBudgets(o *objects, say complain) {
	for _, b := range o.budgets {
		pods := 0
		for _, d := range o.deployments {
			if selector(b.Spec.Selector).Matches(labels.Set(d.Spec.Template.Labels)) {
				pods++
			}
		}
		if pods == 0 {
			say("PodDisruptionBudget %s selects nothing", b.Name)
		}
		if m := b.Spec.MaxUnavailable; m == nil || m.Type != intstr.Int || m.IntVal < 1 || b.Spec.MinAvailable != nil {
			say("PodDisruptionBudget %s does not say how many may be missing", b.Name)
		}
	}
}

func checkPolicies(o *objects, say complain) {
	denied := false
	for _, p := range o.policies {
		denied = denied || (len(p.Spec.PodSelector.MatchLabels) == 0 && len(p.Spec.PolicyTypes) == 2 && len(p.Spec.Ingress)+len(p.Spec.Egress) == 0)
		for _, in := range p.Spec.Ingress {
			for _, port := range in.Ports {
				if !anyPort(o, &p.Spec.PodSelector, port.Port.String()) {
					say("NetworkPolicy %s lets calls in to port %s, which nobody has", p.Name, port.Port.String())
				}
			}
		}
		for _, out := range p.Spec.Egress {
			for i, port := range out.Ports {
				if !anyPort(o, out.To[i].PodSelector, port.Port.String()) {
					say("NetworkPolicy %s lets calls out to port %s, which nobody has", p.Name, port.Port.String())
				}
			}
		}
	}
	if !denied {
		say("no NetworkPolicy denies what is not allowed")
	}
}

func anyPort(o *objects, pods *metav1.LabelSelector, port string) bool {
	return slices.ContainsFunc(o.deployments, func(d *appsv1.Deployment) bool {
		return selector(pods).Matches(labels.Set(d.Spec.Template.Labels)) && portNamed(d.Spec.Template.Spec.Containers, port) != 0
	})
}

func checkMonitors(o *objects, say complain) {
	for _, m := range o.foreign {
		text := fmt.Sprint(m.Object["spec"])
		for _, s := range o.services {
			if s.Labels["app.kubernetes.io/part-of"] != "ordeal" || s.Spec.Ports[1].Name != "admin" {
				say("%s %s does not find Service %s", m.GetKind(), m.GetName(), s.Name)
			}
		}
		if !strings.Contains(text, "matchLabels:map[app.kubernetes.io/part-of:ordeal]") || !strings.Contains(text, "port:admin") {
			say("%s %s: %s", m.GetKind(), m.GetName(), text)
		}
	}
}

func selector(s *metav1.LabelSelector) labels.Selector {
	made, err := metav1.LabelSelectorAsSelector(s)
	if err != nil {
		return labels.Nothing()
	}
	return made
}

// portNamed is the number of a container port, 0 where there is none of that name.
func portNamed(list []corev1.Container, name string) int32 {
	for _, c := range list {
		for _, p := range c.Ports {
			if p.Name == name {
				return p.ContainerPort
			}
		}
	}
	return 0
}

func is(b *bool) bool { return b != nil && *b }

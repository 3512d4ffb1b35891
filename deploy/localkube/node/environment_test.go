package node

import (
	"os"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func field(path string) *corev1.EnvVarSource {
	return &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: path}}
}

func TestEnvironment(t *testing.T) {
	t.Parallel()
	meta := metav1.ObjectMeta{Name: "settings", Namespace: "default"}
	w := newWorld(t,
		&corev1.ConfigMap{ObjectMeta: meta, Data: map[string]string{"MODE": "quick", "COLOUR": "blue"}},
		&corev1.Secret{ObjectMeta: meta, Data: map[string][]byte{"KEY": []byte("s3cret")}},
		&corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "users", Namespace: "default"}, Spec: corev1.ServiceSpec{ClusterIP: "127.9.9.9",
			Ports: []corev1.ServicePort{{Name: "grpc", Port: 9000, Protocol: corev1.ProtocolTCP}}}},
		&corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "elsewhere", Namespace: "other"}, Spec: corev1.ServiceSpec{ClusterIP: "127.9.9.8",
			Ports: []corev1.ServicePort{{Port: 1, Protocol: corev1.ProtocolTCP}}}})
	named, optional := corev1.LocalObjectReference{Name: "settings"}, true
	c := sh("main", "env; echo args: $0 $1 $2; sleep 1000")
	c.Args = append(c.Args, "$(NAME)", "$(USERS_SERVICE_HOST):$(USERS_SERVICE_PORT)", "$(NOBODY) $$(NAME)")
	c.EnvFrom = []corev1.EnvFromSource{
		{Prefix: "C_", ConfigMapRef: &corev1.ConfigMapEnvSource{LocalObjectReference: named}},
		{SecretRef: &corev1.SecretEnvSource{LocalObjectReference: named}},
		{ConfigMapRef: &corev1.ConfigMapEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "absent"}, Optional: &optional}},
	}
	c.Resources.Limits = corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("1500m")}
	c.Env = []corev1.EnvVar{
		{Name: "NAME", ValueFrom: field("metadata.name")}, {Name: "IP", ValueFrom: field("status.podIP")},
		{Name: "HOST", ValueFrom: field("status.hostIP")}, {Name: "NODE", ValueFrom: field("spec.nodeName")},
		{Name: "UID", ValueFrom: field("metadata.uid")}, {Name: "LABEL", ValueFrom: field("metadata.labels['colour']")},
		{Name: "NOTE", ValueFrom: field("metadata.annotations['note']")}, {Name: "SPACE", ValueFrom: field("metadata.namespace")},
		{Name: "MODE", ValueFrom: &corev1.EnvVarSource{ConfigMapKeyRef: &corev1.ConfigMapKeySelector{LocalObjectReference: named, Key: "MODE"}}},
		{Name: "KEY", ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{LocalObjectReference: named, Key: "KEY"}}},
		{Name: "ABSENT", ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{LocalObjectReference: named, Key: "no", Optional: &optional}}},
		{Name: "LIMIT", ValueFrom: &corev1.EnvVarSource{ResourceFieldRef: &corev1.ResourceFieldSelector{Resource: "limits.cpu"}}},
		{Name: "ADDR", Value: "$(IP):80 $(LATER)"}, {Name: "LATER", Value: "$(USERS_SERVICE_PORT_GRPC)"},
	}
	name := w.create(func(p *corev1.Pod) {
		p.Labels, p.Annotations = map[string]string{"colour": "green"}, map[string]string{"note": "hello"}
	}, c)
	p := w.until(name, "is ready", ready)
	awaitLog(w, p, "main", "args: ")
	lines := strings.Split(w.log(p, "main"), "\n")
	for _, want := range []string{
		"NAME=" + name, "IP=" + p.Status.PodIP, "HOST=" + p.Status.HostIP, "NODE=localkube", "UID=" + string(p.UID), "LABEL=green",
		"NOTE=hello", "SPACE=default", "MODE=quick", "KEY=s3cret", "C_MODE=quick", "C_COLOUR=blue", "LIMIT=2", "HOSTNAME=" + name,
		"ADDR=" + p.Status.PodIP + ":80 $(LATER)", "LATER=9000", "USERS_SERVICE_HOST=127.9.9.9", "USERS_SERVICE_PORT=9000",
		"USERS_PORT_9000_TCP_ADDR=127.9.9.9", w.marker, "args: " + name + " 127.9.9.9:9000 $(NOBODY) $(NAME)",
	} {
		if !slices.Contains(lines, want) {
			t.Errorf("no line %q", want)
		}
	}
	ofTheMachine := map[string]bool{}
	for _, v := range os.Environ() {
		if name, _, _ := strings.Cut(v, "="); !slices.Contains([]string{"PATH", "HOME", "TMPDIR", "PWD", "OLDPWD", "SHLVL", "_"}, name) {
			ofTheMachine[v] = true
		}
	}
	for _, line := range lines {
		if strings.HasPrefix(line, "ABSENT=") || ofTheMachine[line] || strings.HasPrefix(line, "ELSEWHERE_") {
			t.Errorf("%q is in it", line)
		}
	}
	if t.Failed() {
		t.Log(w.log(p, "main"))
	}
}

func TestWhatCannotRunSaysWhy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	named := corev1.LocalObjectReference{Name: "absent"}
	for _, c := range []struct {
		what, reason, text string
		change             func(*corev1.Pod, *corev1.Container)
	}{
		{"unknown image", "ErrImagePull", `image "nginx:1" is not known here, where images are commands of this machine: known are test/server, test/sh`,
			func(_ *corev1.Pod, c *corev1.Container) { c.Image = "nginx:1" }},
		{"no program", "RunContainerError", "no such file", func(_ *corev1.Pod, c *corev1.Container) { c.Command = []string{"/no/such/program"} }},
		{"bad annotation", "ErrImagePull", "want a JSON array of strings",
			func(p *corev1.Pod, _ *corev1.Container) {
				p.Annotations = map[string]string{"localkube.ordeal/command.main": "sleep 1"}
			}},
		{"no ConfigMap", "CreateContainerConfigError", `configmaps "absent" not found`,
			func(_ *corev1.Pod, c *corev1.Container) {
				c.EnvFrom = []corev1.EnvFromSource{{ConfigMapRef: &corev1.ConfigMapEnvSource{LocalObjectReference: named}}}
			}},
		{"a volume", "CreateContainerConfigError", "container main mounts volume data at /data, and processes see the machine's own files",
			func(p *corev1.Pod, c *corev1.Container) {
				p.Spec.Volumes = []corev1.Volume{{Name: "data", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}}
				c.VolumeMounts = []corev1.VolumeMount{{Name: "data", MountPath: "/data"}}
			}},
	} {
		t.Run(c.what, func(t *testing.T) {
			one := sh("main", "sleep 1000")
			name := w.create(func(p *corev1.Pod) { c.change(p, &p.Spec.Containers[0]) }, one)
			p := w.until(name, "waits", func(p *corev1.Pod) bool {
				s := first(p).State.Waiting
				return s != nil && s.Reason == c.reason
			})
			if text := first(p).State.Waiting.Message; !strings.Contains(text, c.text) {
				t.Errorf("it says %q, want %q in it", text, c.text)
			}
			if p.Status.Phase != corev1.PodPending && c.reason != "RunContainerError" || ready(p) {
				t.Errorf("phase %s, ready %v", p.Status.Phase, ready(p))
			}
			w.untilEvent("Failed", c.text)
			w.delete(name, 10)
			w.untilGone(name)
		})
	}
}

func TestAConfigMapThatComesLaterIsFound(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := sh("main", "sleep 1000")
	c.EnvFrom = []corev1.EnvFromSource{{ConfigMapRef: &corev1.ConfigMapEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "late"}}}}
	name := w.create(nil, c)
	w.untilEvent("Failed", "late")
	m := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "late", Namespace: "default"}}
	if _, err := w.client.CoreV1().ConfigMaps("default").Create(t.Context(), m, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	w.until(name, "is ready", ready)
}

func TestAnnotationReplacesTheCommandAndScratchIsTMPDIR(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := corev1.Container{Name: "main", Image: "unknown/image", Args: []string{"echo args $1; cd $TMPDIR && pwd; sleep 1000", "-", "$(WORD)"},
		Env:          []corev1.EnvVar{{Name: "WORD", Value: "hello"}},
		VolumeMounts: []corev1.VolumeMount{{Name: "scratch", MountPath: "/tmp"}, {Name: "token", MountPath: "/var/run/secrets/kubernetes.io/serviceaccount"}}}
	name := w.create(func(p *corev1.Pod) {
		p.Annotations = map[string]string{"localkube.ordeal/command.main": `["/bin/sh", "-c"]`}
		p.Spec.Volumes = []corev1.Volume{
			{Name: "scratch", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}},
			{Name: "token", VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{}}},
		}
	}, c)
	p := w.until(name, "is ready", ready)
	awaitLog(w, p, "main", "args hello")
	awaitLog(w, p, "main", w.dir)
}

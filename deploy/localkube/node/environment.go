package node

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/kubernetes/pkg/api/v1/resource"
	"k8s.io/kubernetes/pkg/fieldpath"
	"k8s.io/kubernetes/pkg/kubelet/envvars"
	"k8s.io/kubernetes/third_party/forked/golang/expansion"
)

// environment is the environment of a process. Only services may be named in $(NAME) without being in it.
type environment struct {
	values   map[string]string // of the container
	services map[string]string // of the Services of the namespace
	base     []string          // of the machine
}

// lookup finds the values that $(NAME) names.
func (e environment) lookup() func(string) string {
	return expansion.MappingFuncFor(e.values, e.services)
}

// list has NAME=VALUE, where the last of a name counts.
func (e environment) list() []string {
	list := slices.Clone(e.base)
	for _, m := range []map[string]string{e.services, e.values} {
		for _, name := range slices.Sorted(maps.Keys(m)) {
			list = append(list, name+"="+m[name])
		}
	}
	return list
}

// environment makes the environment of the container from the Pod and the objects that it names.
func (c *container) environment(spec *corev1.Container) (environment, error) {
	obj := c.pod.latest()
	e := environment{values: map[string]string{}, services: map[string]string{}}
	e.base = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + c.pod.dir, "HOSTNAME=" + obj.Name}
	if c.pod.agent.cfg.MarkerEnv != "" {
		e.base = append(e.base, c.pod.agent.cfg.MarkerEnv)
	}
	tmp, err := c.temporary(obj, spec)
	if err != nil {
		return e, err
	}
	e.base = append(e.base, "TMPDIR="+tmp)
	if err := c.pod.agent.serviceVariables(obj, e.services); err != nil {
		return e, err
	}
	for _, from := range spec.EnvFrom {
		if err := c.pod.agent.envFrom(obj.Namespace, from, e.values); err != nil {
			return e, err
		}
	}
	for _, v := range spec.Env {
		value, ok := expansion.Expand(v.Value, e.lookup()), true
		if v.ValueFrom != nil {
			if value, ok, err = c.valueFrom(obj, spec, v.ValueFrom); err != nil {
				return e, fmt.Errorf("variable %s: %w", v.Name, err)
			}
		}
		if ok {
			e.values[v.Name] = value
		}
	}
	return e, nil
}

// temporary is the directory for temporary files: one of the Pod's own where it mounts one.
func (c *container) temporary(obj *corev1.Pod, spec *corev1.Container) (string, error) {
	for _, m := range spec.VolumeMounts {
		for _, v := range obj.Spec.Volumes {
			if v.Name == m.Name && scratch(v, m) {
				dir := filepath.Join(c.pod.dir, "tmp-"+v.Name)
				if err := os.MkdirAll(dir, 0o700); err != nil {
					return "", fmt.Errorf("make a directory for temporary files: %w", err)
				}
				return dir, nil
			}
		}
	}
	return os.TempDir(), nil
}

// serviceVariables adds the variables of the Services that have an address, such as USERS_SERVICE_HOST.
func (a *agent) serviceVariables(obj *corev1.Pod, into map[string]string) error {
	if obj.Spec.EnableServiceLinks != nil && !*obj.Spec.EnableServiceLinks {
		return nil
	}
	all, err := a.services.Services(obj.Namespace).List(labels.Everything())
	if err != nil {
		return fmt.Errorf("find the services of the namespace: %w", err)
	}
	for _, v := range envvars.FromServices(all) {
		into[v.Name] = v.Value
	}
	return nil
}

func (a *agent) envFrom(namespace string, from corev1.EnvFromSource, into map[string]string) error {
	switch {
	case from.ConfigMapRef != nil:
		m, err := a.configMap(namespace, from.ConfigMapRef.Name, from.ConfigMapRef.Optional)
		if err != nil || m == nil {
			return err
		}
		for name, value := range m.Data {
			into[from.Prefix+name] = value
		}
	case from.SecretRef != nil:
		s, err := a.secret(namespace, from.SecretRef.Name, from.SecretRef.Optional)
		if err != nil || s == nil {
			return err
		}
		for name, value := range s.Data {
			into[from.Prefix+name] = string(value)
		}
	}
	return nil
}

// valueFrom is the value of a variable, and whether it is there: it may be optional.
func (c *container) valueFrom(obj *corev1.Pod, spec *corev1.Container, from *corev1.EnvVarSource) (string, bool, error) {
	switch a := c.pod.agent; {
	case from.FieldRef != nil:
		value, err := c.pod.field(obj, from.FieldRef.FieldPath)
		return value, true, err
	case from.ResourceFieldRef != nil:
		value, err := resource.ExtractResourceValueByContainerNameAndNodeAllocatable(from.ResourceFieldRef, obj, spec.Name, a.cfg.Allocatable)
		return value, true, err
	case from.ConfigMapKeyRef != nil:
		ref := from.ConfigMapKeyRef
		m, err := a.configMap(obj.Namespace, ref.Name, ref.Optional)
		if err != nil || m == nil {
			return "", false, err
		}
		value, ok := m.Data[ref.Key]
		return value, ok, missing(ok, ref.Optional, "configmap", ref.Name, ref.Key)
	case from.SecretKeyRef != nil:
		ref := from.SecretKeyRef
		s, err := a.secret(obj.Namespace, ref.Name, ref.Optional)
		if err != nil || s == nil {
			return "", false, err
		}
		value, ok := s.Data[ref.Key]
		return string(value), ok, missing(ok, ref.Optional, "secret", ref.Name, ref.Key)
	default:
		return "", false, fmt.Errorf("a source of this kind is not supported here")
	}
}

func missing(found bool, optional *bool, kind, name, key string) error {
	if found || optional != nil && *optional {
		return nil
	}
	return fmt.Errorf("couldn't find key %s in %s %s", key, kind, name)
}

// field is a field of the Pod for the downward API.
func (p *pod) field(obj *corev1.Pod, path string) (string, error) {
	p.mu.Lock()
	addr := p.addr
	p.mu.Unlock()
	switch path {
	case "status.podIP", "status.podIPs":
		return addr.String(), nil
	case "status.hostIP", "status.hostIPs":
		return p.host.String(), nil
	case "spec.nodeName":
		return obj.Spec.NodeName, nil
	case "spec.serviceAccountName":
		return obj.Spec.ServiceAccountName, nil
	}
	return fieldpath.ExtractFieldPathAsString(obj, path)
}

// configMap is a ConfigMap as last heard of, or asked for where none was heard of. A nil one is missing and optional.
func (a *agent) configMap(namespace, name string, optional *bool) (*corev1.ConfigMap, error) {
	m, err := a.configMaps.ConfigMaps(namespace).Get(name)
	if apierrors.IsNotFound(err) {
		ctx, cancel := context.WithTimeout(a.ctx, callWithin)
		defer cancel()
		m, err = a.client.CoreV1().ConfigMaps(namespace).Get(ctx, name, metav1.GetOptions{})
	}
	if apierrors.IsNotFound(err) && optional != nil && *optional {
		return nil, nil
	}
	return m, err
}

// secret is a Secret in the same way.
func (a *agent) secret(namespace, name string, optional *bool) (*corev1.Secret, error) {
	s, err := a.secrets.Secrets(namespace).Get(name)
	if apierrors.IsNotFound(err) {
		ctx, cancel := context.WithTimeout(a.ctx, callWithin)
		defer cancel()
		s, err = a.client.CoreV1().Secrets(namespace).Get(ctx, name, metav1.GetOptions{})
	}
	if apierrors.IsNotFound(err) && optional != nil && *optional {
		return nil, nil
	}
	return s, err
}

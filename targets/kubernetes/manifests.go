package kubernetes

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	yamldoc "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"

	manifests "ordeal/deploy/kubernetes"
)

// Manifest is one object as it is applied.
type Manifest = unstructured.Unstructured

// Manifests gives the objects of one entry of Spec.Apply: a directory with a
// kustomization, a file of YAML or JSON, or what comes with Ordeal. Relative names
// are taken from dir.
func Manifests(entry, dir string) ([]*Manifest, error) {
	text, err := readManifests(entry, dir)
	if err != nil {
		return nil, err
	}
	objects, err := parseManifests(text)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", entry, err)
	}
	if len(objects) == 0 {
		return nil, fmt.Errorf("%s has no objects", entry)
	}
	return objects, nil
}

func readManifests(entry, dir string) ([]byte, error) {
	if overlay, ok := strings.CutPrefix(entry, ShippedPrefix); ok {
		return manifests.Build(overlay)
	}
	name := entry
	if !filepath.IsAbs(name) {
		name = filepath.Join(dir, name)
	}
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, fmt.Errorf("there is no file or directory %s", name)
	case err != nil:
		return nil, fmt.Errorf("look at what is applied: %w", err)
	case !info.IsDir():
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("read what is applied: %w", err)
		}
		return text, nil
	}
	return kustomize(name)
}

// kustomize builds the kustomization of a directory.
func kustomize(dir string) ([]byte, error) {
	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), dir)
	if err != nil {
		return nil, fmt.Errorf("build the kustomization %s: %w", dir, err)
	}
	text, err := built.AsYaml()
	if err != nil {
		return nil, fmt.Errorf("print the kustomization %s: %w", dir, err)
	}
	return text, nil
}

// parseManifests reads documents of YAML, or of JSON. Those without content are
// left out, and lists are taken apart.
func parseManifests(text []byte) ([]*Manifest, error) {
	docs := yamldoc.NewYAMLReader(bufio.NewReader(bytes.NewReader(text)))
	var out []*Manifest
	for n := 1; ; n++ {
		doc, err := docs.Read()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, fmt.Errorf("document %d: %w", n, err)
		}
		var content map[string]any
		if err := yaml.UnmarshalStrict(doc, &content); err != nil {
			return nil, fmt.Errorf("document %d: %w", n, err)
		}
		if len(content) == 0 {
			continue
		}
		objects, err := objectsOf(&Manifest{Object: content})
		if err != nil {
			return nil, fmt.Errorf("document %d: %w", n, err)
		}
		out = append(out, objects...)
	}
}

// objectsOf gives an object, or those of a list.
func objectsOf(o *Manifest) ([]*Manifest, error) {
	if !o.IsList() {
		if o.GetKind() == "" || o.GetAPIVersion() == "" || o.GetName() == "" {
			return nil, errors.New("want apiVersion, kind and metadata.name")
		}
		return []*Manifest{o}, nil
	}
	var out []*Manifest
	err := o.EachListItem(func(item runtime.Object) error {
		more, err := objectsOf(item.(*Manifest))
		out = append(out, more...)
		return err
	})
	return out, err
}

// first are the kinds that others need, in the order in which they are applied;
// all others come after them as they are written.
var first = []string{
	"Namespace", "CustomResourceDefinition", "ServiceAccount", "Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding",
	"ConfigMap", "Secret", "Service",
}

// inOrder sorts objects so that each comes after those that it needs.
func inOrder(objects []*Manifest) []*Manifest {
	rank := func(o *Manifest) int {
		if i := slices.Index(first, o.GetKind()); i >= 0 {
			return i
		}
		return len(first)
	}
	sorted := slices.Clone(objects)
	slices.SortStableFunc(sorted, func(a, b *Manifest) int { return rank(a) - rank(b) })
	return sorted
}

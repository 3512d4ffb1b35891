package kubernetes

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

const aConfigMap = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"

func TestManifestsOfFilesAndDirectories(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "all.yaml", "# first\n---\n"+aConfigMap+"---\napiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Service, metadata: {name: b}}\n- {apiVersion: v1, kind: Namespace, metadata: {name: c}}\n---\n")
	write(t, dir, "one.yaml", aConfigMap)
	write(t, dir, "kustomization.yaml", "resources: [one.yaml]\nnamePrefix: x-\n")
	for entry, want := range map[string]string{
		"all.yaml": "Namespace c, ConfigMap a, Service b", ".": "ConfigMap x-a", filepath.Join(dir, "one.yaml"): "ConfigMap a",
	} {
		objects, err := Manifests(entry, dir)
		if err != nil {
			t.Errorf("%s: %v", entry, err)
			continue
		}
		var got []string
		for _, o := range inOrder(objects) {
			got = append(got, o.GetKind()+" "+o.GetName())
		}
		if text := strings.Join(got, ", "); text != want {
			t.Errorf("%s: %s, want %s", entry, text, want)
		}
	}
}

func TestManifestsThatComeWithOrdeal(t *testing.T) {
	objects, err := Manifests("shipped:overlays/local", t.TempDir())
	if err != nil || len(objects) < 5 {
		t.Errorf("%d objects, %v", len(objects), err)
	}
}

func TestBadManifests(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "twice.yaml", aConfigMap+"kind: Secret\n")
	write(t, dir, "nameless.yaml", "apiVersion: v1\nkind: Secret\n")
	write(t, dir, "empty.yaml", "# nothing\n")
	write(t, dir, "text.yaml", "hello\n")
	if err := os.Mkdir(filepath.Join(dir, "bare"), 0o700); err != nil {
		t.Fatal(err)
	}
	for entry, want := range map[string]string{
		"twice.yaml": `key "kind" already set`, "nameless.yaml": "document 1: want apiVersion", "empty.yaml": "has no objects", "text.yaml": "document 1",
		"gone.yaml": "there is no file or directory", "bare": "build the kustomization", "shipped:overlays/none": `no shipped kustomization is named "overlays/none"`,
	} {
		if _, err := Manifests(entry, dir); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", entry, err, want)
		}
	}
}

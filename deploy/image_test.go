// Package deploy has no code: its tests hold the files below to what they are made for.
package deploy

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const root = ".." // of the build context

func text(t *testing.T, elements ...string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(append([]string{root}, elements...)...))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// sources lists the files that the build of cmd/ordeal reads, and the manifests, relative to the root, with slashes.
func sources(t *testing.T) []string {
	t.Helper()
	list := exec.Command("go", "list", "-deps", "-json=ImportPath,GoFiles,EmbedFiles", "./cmd/ordeal", "./deploy/kubernetes")
	list.Dir = root
	list.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	out, err := list.Output()
	if err != nil {
		t.Fatalf("list what is built: %v", err)
	}
	files := []string{"go.mod", "go.sum"}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct {
			ImportPath          string
			GoFiles, EmbedFiles []string
		}
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return files
		} else if err != nil {
			t.Fatal(err)
		}
		if dir, ours := strings.CutPrefix(p.ImportPath, "ordeal/"); ours {
			for _, f := range slices.Concat(p.GoFiles, p.EmbedFiles) {
				files = append(files, path.Join(dir, filepath.ToSlash(f)))
			}
		}
	}
}

// left lists what the build needs and the image's build does not get: not copied, or ignored before that.
func left(files []string, dockerfile, ignore string) []string {
	var copied, bad []string
	for line := range strings.Lines(dockerfile) {
		if words := strings.Fields(line); len(words) > 2 && words[0] == "COPY" && !strings.HasPrefix(words[1], "--from") {
			copied = append(copied, words[1:len(words)-1]...)
		}
	}
	for _, f := range files {
		switch {
		case !slices.ContainsFunc(copied, func(c string) bool { return within(c, f) }):
			bad = append(bad, f+" is not copied")
		case ignored(ignore, f):
			bad = append(bad, f+" is ignored")
		}
	}
	for _, c := range copied {
		if !slices.ContainsFunc(files, func(f string) bool { return within(c, f) }) {
			bad = append(bad, c+" is copied, and nothing in it is needed")
		}
	}
	return bad
}

func within(dir, file string) bool { return file == dir || strings.HasPrefix(file, dir+"/") }

// ignored reads the patterns that .dockerignore here is made of: a path with * in its last element, ** before it,
// and ! for what is let in again. The last that matches decides, and what is below a match goes with it.
func ignored(ignore, file string) bool {
	out := false
	for line := range strings.Lines(ignore) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		pattern, in := strings.CutPrefix(line, "!")
		pattern, anywhere := strings.CutPrefix(pattern, "**/")
		for p := file; p != "."; p = path.Dir(p) {
			name := p
			if anywhere {
				name = path.Base(p)
			}
			if match, err := path.Match(pattern, name); err == nil && match {
				out = !in
				break
			}
		}
	}
	return out
}

func TestImageGetsWhatTheBuildReads(t *testing.T) {
	dockerfile, ignore, files := text(t, "deploy", "docker", "Dockerfile"), text(t, ".dockerignore"), sources(t)
	if len(files) < 100 {
		t.Fatalf("the build reads only %d files", len(files))
	}
	for _, bad := range left(files, dockerfile, ignore) {
		t.Error(bad)
	}
	for _, f := range []string{".git/config", "bin/ordeal", "runs/1/run.json", "deploy/localkube/main.go", "runner/run_test.go", "scenarios/testdata/a.yaml", "README.md"} {
		if !ignored(ignore, f) {
			t.Errorf("%s goes into the build for nothing", f)
		}
	}
	for _, broken := range []struct{ dockerfile, ignore, want string }{
		{strings.Replace(dockerfile, "COPY targets targets\n", "", 1), ignore, "targets/gateway/main.go is not copied"},
		{dockerfile + "COPY docs docs\n", ignore, "docs is copied"},
		{dockerfile, strings.Replace(ignore, "!chaos\n", "", 1), "chaos/chaos.go is ignored"},
		{dockerfile, strings.Replace(ignore, "!deploy/kubernetes\n", "", 1), "deploy/kubernetes/embed.go is ignored"},
		{dockerfile, ignore + "**/*.yaml\n", "deploy/kubernetes/base/kustomization.yaml is ignored"},
	} {
		if said := strings.Join(left(files, broken.dockerfile, broken.ignore), "\n"); !strings.Contains(said, broken.want) {
			t.Errorf("want %q said, not:\n%s", broken.want, said)
		}
	}
}

// The images run as the user that the manifests ask for, and are built with the Go that go.mod names.
func TestImagesFitTheManifests(t *testing.T) {
	dockerfile := text(t, "deploy", "docker", "Dockerfile")
	var version string
	for line := range strings.Lines(text(t, "go.mod")) {
		if v, found := strings.CutPrefix(line, "go "); found {
			version = strings.TrimSpace(v)
		}
	}
	for _, want := range []string{"golang:" + version + "-", "CGO_ENABLED=0", "\nUSER 65532:65532\n", "--target gateway -t ordeal/gateway:devel", "--target users   -t ordeal/users:devel",
		"AS gateway\n", "AS users\n", `ENTRYPOINT ["/ordeal", "target", "gateway"]`, `ENTRYPOINT ["/ordeal", "target", "users"]`} {
		if !strings.Contains(dockerfile, want) {
			t.Errorf("the Dockerfile has no %q", want)
		}
	}
	for _, manifest := range []string{"base/gateway/deployment.yaml", "base/shared/users.yaml"} {
		if !strings.Contains(text(t, "deploy", "kubernetes", manifest), "runAsUser: 65532") {
			t.Errorf("%s runs as another user than the image has", manifest)
		}
	}
}

// The image has no libraries: without cgo every package must still be there, and none may need C.
func TestBinaryCanBeStatic(t *testing.T) {
	list := exec.Command("go", "list", "-e", "-deps", "-f", "{{if or .Error .CgoFiles}}{{.ImportPath}}: {{.Error}} {{.CgoFiles}}{{end}}", "./cmd/ordeal")
	list.Dir = root
	for _, system := range []struct {
		cgo  string
		fits bool
	}{{"0", true}, {"1", false}} { // with cgo package net alone has some: the question can be answered with no
		list := *list
		list.Env = append(os.Environ(), "GOOS=linux", "CGO_ENABLED="+system.cgo)
		out, err := list.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		if bad := strings.TrimSpace(string(out)); (bad == "") != system.fits {
			t.Errorf("with CGO_ENABLED=%s: needs C or is not there: %q", system.cgo, bad)
		}
	}
}

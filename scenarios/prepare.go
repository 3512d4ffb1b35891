package scenarios

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"ordeal/runner/load"
	"ordeal/targets"
	"ordeal/targets/kubernetes"
)

// Prepare tries out what can be tried before anything is started: data files,
// templates, tokens, descriptions and working directories. Relative names are
// taken from dir, where the scenario is. The error is an Errors.
func (p *Plan) Prepare(dir string) error {
	var errs Errors
	for _, t := range p.Targets {
		if err := checkWorkdir(t, dir); err != nil {
			errs = append(errs, p.decoded.src.errorAt(p.decoded.place(t, "workdir"), fmt.Sprintf("target %s: %v", t.Name, err), ""))
		}
	}
	errs = append(errs, p.prepareCluster(dir)...)
	for _, l := range p.Loads {
		for _, m := range l.Prepare(dir, p.Seed, services(p.Target(l.Target()))) {
			errs = append(errs, p.decoded.src.errorAt(p.decoded.place(m.In, m.Field), fmt.Sprintf("load %s: %v", l.Name, m.Err), ""))
		}
	}
	if len(errs) > 0 {
		return sortErrors(errs)
	}
	return nil
}

// prepareCluster reads what is to be applied.
func (p *Plan) prepareCluster(dir string) (errs Errors) {
	k := p.Kubernetes
	if k == nil {
		return nil
	}
	there := map[string]bool{}
	for i, entry := range k.Apply {
		objects, err := kubernetes.Manifests(entry, dir)
		if err != nil {
			errs = append(errs, p.decoded.src.errorAt(p.decoded.place(k, fmt.Sprintf("apply.%d", i)), err.Error(), ""))
		}
		for _, o := range objects {
			if o.GetKind() == "Service" {
				there[o.GetName()] = true
			}
		}
	}
	if k.Local == nil || len(errs) > 0 {
		return errs // what is on a cluster that is there, nobody knows before
	}
	hint := func(name string) string {
		if len(there) == 0 {
			return "add it to apply: of kubernetes"
		}
		return suggest(name, slices.Sorted(maps.Keys(there)))
	}
	for _, t := range p.Targets {
		if t.Service != "" && !there[t.Service] {
			errs = append(errs, p.decoded.src.errorAt(p.decoded.place(t, "service"),
				fmt.Sprintf("nothing that is applied has a Service %s", t.Service), hint(t.Service)))
		}
	}
	return errs
}

// services tells of what a reference service serves, whose code is a part of this
// program; nil for other targets.
func services(t *targets.Spec) load.Services {
	if t.Kind() != targets.KindReference {
		return nil
	}
	return func(name string) (protoreflect.FileDescriptor, error) {
		found, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(name))
		if err != nil {
			return nil, fmt.Errorf("the reference %s has none of that name", t.Reference)
		}
		return found.ParentFile(), nil
	}
}

// checkWorkdir looks whether the directory of a command is there.
func checkWorkdir(t *targets.Spec, dir string) error {
	if t.Kind() != targets.KindCommand || t.Workdir == "" {
		return nil
	}
	name := t.Workdir
	if !filepath.IsAbs(name) {
		name = filepath.Join(dir, name)
	}
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("there is no directory %s", name)
	case err != nil:
		return fmt.Errorf("look at the workdir: %w", err)
	case !info.IsDir():
		return fmt.Errorf("%s is no directory", name)
	}
	return nil
}

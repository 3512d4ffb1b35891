package runner

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"ordeal/chaos"
	"ordeal/runner/evidence"
	"ordeal/runner/load"
	"ordeal/scenarios"
	"ordeal/targets"
	"ordeal/targets/kubernetes"
)

// service is a target that is a Service of the cluster.
type service struct {
	spec    *targets.Spec
	members *kubernetes.Members
}

// openCluster starts or opens the cluster of the plan, if it has one, and finds
// the Services that are targets.
func (s *system) openCluster(ctx context.Context, cfg kubernetes.Config) error {
	if s.plan.Kubernetes == nil {
		return nil
	}
	cfg.Spec = s.plan.Kubernetes
	cfg.Via = s.via
	cluster, err := kubernetes.Open(ctx, cfg)
	if err != nil {
		return fmt.Errorf("kubernetes: %w", err)
	}
	s.cluster = cluster
	s.noteCluster()
	for _, spec := range s.plan.Targets {
		if spec.Kind() != targets.KindService {
			continue
		}
		members, err := cluster.Members(spec.Service, spec.Port)
		if err == nil {
			err = members.AwaitAny(ctx, s.plan.Kubernetes.Within)
		}
		if err != nil {
			return fmt.Errorf("target %s: %w", spec.Name, err)
		}
		s.services[spec.Name] = &service{spec: spec, members: members}
		s.order = append(s.order, spec.Name)
		s.event(evidence.Event{Kind: evidence.TargetReady, Target: spec.Name, Text: strings.Join(addrsOf(members.Now()), " ")})
	}
	return nil
}

// via puts a link of the control plane in place, where the plan names it.
func (s *system) via(ctx context.Context, name, upstream string) (string, error) {
	i := slices.IndexFunc(s.plan.Links, func(l scenarios.Link) bool { return l.Name == name })
	if i < 0 {
		return "", nil
	}
	link, err := s.openLink(ctx, s.plan.Links[i], []string{upstream})
	if err != nil {
		return "", err
	}
	return link.Addrs()[0], nil
}

// clusterMeta describes the cluster for the evidence; nil for none.
func (s *system) clusterMeta() *evidence.ClusterMeta {
	if s.cluster == nil {
		return nil
	}
	spec := s.plan.Kubernetes
	m := &evidence.ClusterMeta{Kind: "context", Context: spec.Context, Namespace: spec.Namespace, Version: s.cluster.Version(), CPULimits: s.cluster.CPULimits()}
	if spec.Local != nil {
		m.Kind, m.Settings = "local", spec.Local.Settings()
	}
	return m
}

// noteCluster notes what an autoscaler of the cluster goes by.
func (s *system) noteCluster() {
	m := s.clusterMeta()
	text := "kubernetes " + m.Version
	for _, name := range slices.Sorted(maps.Keys(m.Settings)) {
		text += " " + name + "=" + m.Settings[name]
	}
	s.event(evidence.Event{Kind: evidence.Note, Text: text})
}

// healthy says how many Pods of a service are ready; it is well with one.
func (v *service) healthy(cluster *kubernetes.Cluster) (text string, ok bool) {
	pods, err := cluster.Pods(v.spec.Service)
	if err != nil {
		return err.Error(), false
	}
	ready := len(v.members.Now())
	return fmt.Sprintf("%d of %d Pods are ready", ready, len(pods)), ready > 0
}

func (v *service) meta() evidence.TargetMeta {
	addrs := addrsOf(v.members.Now())
	return evidence.TargetMeta{Name: v.spec.Name, Kind: targets.KindService, Replicas: len(addrs), Addrs: addrs}
}

func addrsOf(members []kubernetes.Member) []string {
	addrs := make([]string, len(members))
	for i, m := range members {
		addrs[i] = m.Addr
	}
	return addrs
}

// serviceOf gives the Service that a target is; "" where it is none.
func (s *system) serviceOf(target string) string {
	if v := s.services[target]; v != nil {
		return v.spec.Service
	}
	return ""
}

// targetOf gives the target that a Service, or a Pod behind it, belongs to; "" for
// none.
func (s *system) targetOf(seen kubernetes.Seen) string {
	for _, name := range s.order {
		v := s.services[name]
		switch {
		case v == nil:
		case seen.Kind == "Service" && seen.Object.GetName() == v.spec.Service,
			seen.Kind == "Pod" && s.cluster.Selects(v.spec.Service, seen.Object.GetLabels()):
			return name
		}
	}
	return ""
}

// followed are the Pods of a service as a load sees them: through a link, where
// there is one.
type followed struct {
	members *kubernetes.Members
	link    *chaos.Link     // nil for the direct way
	ctx     context.Context // of what is opened on the link
	failed  func(error)
}

// Follow implements load.Members.
func (f followed) Follow(changed func([]load.Member)) (stop func()) {
	return f.members.Follow(func(now []kubernetes.Member) { changed(f.see(now)) })
}

// see gives the members at the addresses that the load is to use. Where the link
// cannot lead to them they are not to be reached.
func (f followed) see(now []kubernetes.Member) []load.Member {
	addrs := addrsOf(now)
	if f.link != nil {
		var err error
		if addrs, err = f.link.Follow(f.ctx, addrs); err != nil {
			f.failed(err)
			return nil
		}
	}
	out := make([]load.Member, len(now))
	for i, m := range now {
		out[i] = load.Member{Name: m.Pod, Addr: addrs[i]}
	}
	return out
}

package verdict

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"ordeal/runner/evidence"
	"ordeal/runner/verdict/autoscaler"
)

// scaling is everything that the properties of an autoscaler are judged by.
type scaling struct {
	*HPA
	run          *evidence.Run
	set          autoscaler.Settings
	sync         time.Duration
	during, calm evidence.Span
	until        time.Duration // the end of the timeline

	namespace    string
	kind, target string // what it scales
	selector     map[string]string
	specs        []specSeen
	counts       []countSeen
	steps        []rescale
	pods         map[string][]podSeen
	events       int // Events of the autoscaler, of any kind
	told         []stepTold
	feeds        map[string]*polls // by metrics API
	unrecorded   string            // why the polls do not tell all that the autoscaler saw
	asked        []asked
}

type specSeen struct {
	at   time.Duration
	spec autoscaler.Spec
}

// countSeen is the scaled object at a moment.
type countSeen struct {
	at                      time.Duration
	wanted, replicas, ready int32
}

// rescale is a change of the replicas that are wanted.
type rescale struct {
	at       time.Duration
	from, to int32
}

// onPurpose reports whether a step was one of the scenario's changes.
func (s *scaling) onPurpose(r rescale) bool {
	return slices.ContainsFunc(s.run.Events, func(e evidence.Event) bool {
		near := r.at >= e.At-lag && r.at <= e.At+2*time.Second
		return e.Kind == evidence.Changed && e.Object != nil && e.Object.Kind == s.kind && e.Object.Name == s.target && near
	})
}

func (r rescale) String() string {
	return fmt.Sprintf("from %d to %d at %s", r.from, r.to, formatDuration(r.at))
}

type podSeen struct {
	at   time.Duration
	gone bool
	pod  autoscaler.Pod
}

// stepTold is an Event of a step.
type stepTold struct {
	at time.Duration
	to int32
}

// readScaling reads what was recorded of an autoscaler. why says that there is
// nothing to judge.
func (h *HPA) readScaling(run *evidence.Run) (s *scaling, why string) {
	s = &scaling{HPA: h, run: run, pods: map[string][]podSeen{}}
	for _, p := range run.Phases() {
		s.until = max(s.until, p.End)
	}
	s.settings()
	if err := s.readAutoscaler(); err != nil {
		return nil, err.Error()
	}
	if len(s.specs) == 0 {
		return nil, fmt.Sprintf("nothing was seen of an autoscaler %s", h.Name)
	}
	if err := s.readObjects(); err != nil {
		return nil, err.Error()
	}
	if len(s.counts) == 0 {
		return nil, fmt.Sprintf("nothing was seen of %s %s, which autoscaler %s scales", s.kind, s.target, h.Name)
	}
	for i, c := range s.counts[1:] {
		if before := s.counts[i]; c.wanted != before.wanted {
			s.steps = append(s.steps, rescale{c.at, before.wanted, c.wanted})
		}
	}
	if err := s.readPolls(); err != nil {
		return nil, err.Error()
	}
	s.recompute()
	return s, ""
}

// settings are the controller's flags, where the run recorded them.
func (s *scaling) settings() {
	s.set, s.sync = autoscaler.Defaults(), 15*time.Second
	if c := s.run.Meta.Cluster; c != nil {
		for name, into := range map[string]*time.Duration{
			"sync_period": &s.sync, "downscale_stabilization": &s.set.DownscaleStabilization,
			"cpu_initialization_period": &s.set.CPUInitializationPeriod, "initial_readiness_delay": &s.set.InitialReadinessDelay,
		} {
			if d, err := time.ParseDuration(c.Settings[name]); err == nil {
				*into = d
			}
		}
		if v, err := parseFinite(c.Settings["tolerance"]); err == nil {
			s.set.Tolerance = v
		}
	}
	if s.Sync > 0 {
		s.sync = s.Sync
	}
}

// seen visits what was seen of objects of a kind; name "" is all of them.
func seen[T any](run *evidence.Run, kind, name string, visit func(e evidence.Event, o T)) error {
	for _, e := range run.Events {
		if e.Kind != evidence.ObjectSeen || e.Object == nil || e.Object.Kind != kind || name != "" && e.Object.Name != name {
			continue
		}
		var o T
		if err := json.Unmarshal(e.Object.Data, &o); err != nil {
			return fmt.Errorf("what was seen of %s %s at %s cannot be read: %w", kind, e.Object.Name, formatDuration(e.At), err)
		}
		visit(e, o)
	}
	return nil
}

func (s *scaling) readAutoscaler() error {
	return seen(s.run, "HorizontalPodAutoscaler", s.Name, func(e evidence.Event, o hpaObject) {
		if e.Object.Action != "deleted" {
			s.namespace = e.Object.Namespace
			s.kind, s.target = o.Spec.ScaleTargetRef.Kind, o.Spec.ScaleTargetRef.Name
			s.specs = append(s.specs, specSeen{e.At, o.spec()})
		}
	})
}

func (s *scaling) readObjects() error {
	err := seen(s.run, s.kind, s.target, func(e evidence.Event, o hpaTarget) {
		if e.Object.Action == "deleted" {
			return
		}
		wanted := int32(1)
		if o.Spec.Replicas != nil {
			wanted = *o.Spec.Replicas
		}
		s.selector = o.Spec.Selector.MatchLabels
		if len(o.Spec.Selector.MatchExpressions) > 0 {
			s.unrecorded = fmt.Sprintf("the selector of %s %s has expressions, which are not followed", s.kind, s.target)
		}
		s.counts = append(s.counts, countSeen{e.At, wanted, o.Status.Replicas, o.Status.ReadyReplicas})
	})
	if err != nil {
		return err
	}
	err = seen(s.run, "Pod", "", func(e evidence.Event, o hpaPod) {
		for name, want := range s.selector {
			if o.Metadata.Labels[name] != want {
				return
			}
		}
		s.pods[e.Object.Name] = append(s.pods[e.Object.Name], podSeen{e.At, e.Object.Action == "deleted", o.pod()})
	})
	if err != nil {
		return err
	}
	happened := map[string]int{}
	return seen(s.run, "Event", "", func(e evidence.Event, o hpaEvent) {
		if o.InvolvedObject.Kind != "HorizontalPodAutoscaler" || o.InvolvedObject.Name != s.Name {
			return
		}
		uid := e.Object.UID + e.Object.Name
		more := o.times() - happened[uid]
		happened[uid] = o.times()
		to, ok := o.size()
		for range more {
			s.events++
			if ok {
				s.told = append(s.told, stepTold{e.At, to})
			}
		}
	})
}

// spec is what the autoscaler was told at a time.
func (s *scaling) spec(at time.Duration) autoscaler.Spec {
	i := sortedBefore(s.specs, at, func(v specSeen) time.Duration { return v.at })
	return s.specs[max(0, i)].spec
}

// count is the scaled object at a time.
func (s *scaling) count(at time.Duration) countSeen {
	i := sortedBefore(s.counts, at, func(v countSeen) time.Duration { return v.at })
	return s.counts[max(0, i)]
}

// sortedBefore is the index of the last of a list that is not after a time, or -1.
func sortedBefore[T any](list []T, at time.Duration, when func(T) time.Duration) int {
	i, _ := slices.BinarySearchFunc(list, at, func(v T, at time.Duration) int {
		if when(v) <= at {
			return -1
		}
		return 1
	})
	return i - 1
}

// podsAt are the Pods that its selector finds at a time.
func (s *scaling) podsAt(at time.Duration) (found []autoscaler.Pod) {
	for _, all := range s.pods {
		i := sortedBefore(all, at, func(v podSeen) time.Duration { return v.at })
		if i >= 0 && !all[i].gone {
			found = append(found, all[i].pod)
		}
	}
	return found
}

package oracle

import (
	"context"
	"errors"
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	klabels "k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"
	scalefake "k8s.io/client-go/scale/fake"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/client-go/tools/cache"
	"k8s.io/kubernetes/pkg/controller/podautoscaler"
	"k8s.io/kubernetes/pkg/controller/podautoscaler/metrics"

	"ordeal/runner/verdict/autoscaler"
)

// step is one synchronisation of the real controller: what it saw, and the
// replicas that it left.
type step struct {
	state autoscaler.State
	left  int32
}

// drive runs the real controller on a trace, in virtual time, and records its steps.
func drive(t *testing.T, tr *trace) (steps []step) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		client := fake.NewClientset(hpa(tr.spec))
		// What it writes is not looked at, and the tracker of the fake is slow.
		for _, resource := range []string{"events", "horizontalpodautoscalers"} {
			for _, verb := range []string{"create", "patch", "update"} {
				client.PrependReactor(verb, resource, func(a clienttesting.Action) (bool, runtime.Object, error) {
					o, _ := a.(interface{ GetObject() runtime.Object })
					if o == nil {
						return true, &v1.Event{}, nil
					}
					return true, o.GetObject(), nil
				})
			}
		}
		factory := informers.NewSharedInformerFactory(client, 0)
		pods := factory.Core().V1().Pods()
		scales := &scalefake.FakeScaleClient{}
		scales.AddReactor("get", "deployments", func(clienttesting.Action) (bool, runtime.Object, error) {
			tr.mu.Lock()
			defer tr.mu.Unlock()
			s := tr.state(time.Now())
			steps = append(steps, step{s, s.Wanted})
			return true, scale(s), nil
		})
		scales.AddReactor("update", "deployments", func(a clienttesting.Action) (bool, runtime.Object, error) {
			s := a.(clienttesting.UpdateAction).GetObject().(*autoscalingv1.Scale)
			tr.mu.Lock()
			defer tr.mu.Unlock()
			tr.wanted = s.Spec.Replicas
			steps[len(steps)-1].left = tr.wanted
			return true, s, nil
		})
		mapper := meta.NewDefaultRESTMapper([]schema.GroupVersion{appsv1.SchemeGroupVersion})
		mapper.Add(appsv1.SchemeGroupVersion.WithKind("Deployment"), meta.RESTScopeNamespace)
		c := podautoscaler.NewHorizontalController(ctx, client.CoreV1(), scales, client.AutoscalingV2(), mapper, values{tr},
			factory.Autoscaling().V2().HorizontalPodAutoscalers(), pods, tr.sync, tr.set.DownscaleStabilization, tr.set.Tolerance,
			tr.set.CPUInitializationPeriod, tr.set.InitialReadinessDelay)
		factory.Start(ctx.Done())
		factory.WaitForCacheSync(ctx.Done())
		show(t, tr, pods.Informer())
		go c.Run(ctx, 1)
		time.Sleep(tr.sync / 2) // so that the world changes between two synchronisations
		for range tr.syncs {
			show(t, tr, pods.Informer())
			time.Sleep(tr.sync)
			synctest.Wait()
		}
		cancel()
		factory.Shutdown()
		synctest.Wait()
	})
	return steps
}

// show lets the world go on, and the controller's cache see its Pods.
func show(t *testing.T, tr *trace, informer cache.SharedIndexInformer) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	now := time.Now()
	tr.advance(now)
	var all []any
	for _, p := range tr.pods {
		all = append(all, pod(p, now))
	}
	if err := informer.GetIndexer().Replace(all, ""); err != nil {
		t.Fatal(err)
	}
}

// state is a copy of the world.
func (t *trace) state(now time.Time) autoscaler.State {
	s := autoscaler.State{At: now, Wanted: t.wanted, Pods: slices.Clone(t.pods)}
	for _, p := range t.pods {
		if !p.Deleting && p.Phase != "Failed" {
			s.Replicas++
		}
	}
	for _, r := range t.reading {
		r.Pods = maps.Clone(r.Pods)
		s.Readings = append(s.Readings, r)
	}
	return s
}

func scale(s autoscaler.State) *autoscalingv1.Scale {
	return &autoscalingv1.Scale{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace},
		Spec:       autoscalingv1.ScaleSpec{Replicas: s.Wanted},
		Status:     autoscalingv1.ScaleStatus{Replicas: s.Replicas, Selector: "app=" + name},
	}
}

// values answers for the metrics APIs.
type values struct{ *trace }

func (v values) find(want func(autoscaler.Metric) bool) (autoscaler.Reading, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	i := slices.IndexFunc(v.spec.Metrics, want)
	if i < 0 {
		return autoscaler.Reading{}, errors.New("no such metric")
	}
	if r := v.reading[i]; r.Missing != "" {
		return r, errors.New(r.Missing)
	}
	return v.reading[i], nil
}

func (v values) ofPods(want func(autoscaler.Metric) bool) (metrics.PodMetricsInfo, time.Time, error) {
	r, err := v.find(want)
	info := metrics.PodMetricsInfo{}
	for name, s := range r.Pods {
		info[name] = metrics.PodMetric{Value: s.Value, Timestamp: s.At, Window: s.Window}
	}
	return info, time.Now(), err
}

func (v values) GetResourceMetric(_ context.Context, resource v1.ResourceName, _ string, _ klabels.Selector, container string) (metrics.PodMetricsInfo, time.Time, error) {
	return v.ofPods(func(m autoscaler.Metric) bool {
		return (m.Source == autoscaler.Resource || m.Source == autoscaler.ContainerResource) && m.Name == string(resource) && m.Container == container
	})
}

func (v values) GetRawMetric(metric, _ string, _, _ klabels.Selector) (metrics.PodMetricsInfo, time.Time, error) {
	return v.ofPods(func(m autoscaler.Metric) bool { return m.Source == autoscaler.Pods && m.Name == metric })
}

func (v values) GetObjectMetric(metric, _ string, _ *autoscalingv2.CrossVersionObjectReference, _ klabels.Selector) (int64, time.Time, error) {
	r, err := v.find(func(m autoscaler.Metric) bool { return m.Source == autoscaler.Object && m.Name == metric })
	return r.Value, time.Now(), err
}

func (v values) GetExternalMetric(metric, _ string, _ klabels.Selector) ([]int64, time.Time, error) {
	r, err := v.find(func(m autoscaler.Metric) bool { return m.Source == autoscaler.External && m.Name == metric })
	half := r.Value / 2
	return []int64{half, r.Value - half}, time.Now(), err
}

package podmetrics

import (
	"cmp"
	"fmt"
	"math"
	"net/http"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	customv1beta2 "k8s.io/metrics/pkg/apis/custom_metrics/v1beta2"
)

// getMetric answers with a metric of one Pod, or, for the name *, of those that the request selects.
func (a *api) getMetric(w http.ResponseWriter, r *http.Request) {
	namespace, name, metric := r.PathValue("namespace"), r.PathValue("name"), r.PathValue("metric")
	s, ok := selected(w, r)
	if !ok {
		return
	}
	series, err := labels.Parse(r.URL.Query().Get("metricLabelSelector"))
	if err != nil {
		fail(w, http.StatusBadRequest, "metricLabelSelector: "+err.Error())
		return
	}
	list := &customv1beta2.MetricValueList{TypeMeta: metav1.TypeMeta{Kind: "MetricValueList", APIVersion: customGroup + "/" + customVersion},
		Items: []customv1beta2.MetricValue{}}
	for _, p := range a.store.podsIn(namespace) {
		if name != customv1beta2.AllObjects && name != p.Name || !s.matches(p.ObjectMeta) {
			continue
		}
		if v, ok := a.store.metric(p, metric, series); ok {
			list.Items = append(list.Items, v)
		}
	}
	if len(list.Items) == 0 {
		fail(w, http.StatusNotFound, fmt.Sprintf("no Pod that was asked for has a metric %s", metric))
		return
	}
	slices.SortFunc(list.Items, func(a, b customv1beta2.MetricValue) int {
		return cmp.Compare(a.DescribedObject.Name, b.DescribedObject.Name)
	})
	write(w, list)
}

// metric is one metric of a Pod, if it has it and it is not too old.
func (s *store) metric(p *corev1.Pod, name string, series labels.Selector) (customv1beta2.MetricValue, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	had := s.scrapes[p.UID]
	if had == nil || s.old(had.at) {
		return customv1beta2.MetricValue{}, false
	}
	value, rate, ok := had.value(p, name, series)
	if !ok {
		return customv1beta2.MetricValue{}, false
	}
	v := customv1beta2.MetricValue{
		DescribedObject: corev1.ObjectReference{Kind: "Pod", APIVersion: "v1", Namespace: p.Namespace, Name: p.Name},
		Metric:          customv1beta2.MetricIdentifier{Name: name},
		Timestamp:       metav1.NewTime(had.at),
		Value:           *resource.NewMilliQuantity(int64(math.Round(value*1000)), resource.DecimalSI),
	}
	if !series.Empty() {
		v.Metric.Selector, _ = metav1.ParseToLabelSelector(series.String()) // it was parsed before
	}
	if rate {
		seconds := max(int64(math.Round(had.at.Sub(had.before).Seconds())), 1)
		v.WindowSeconds = &seconds
	}
	return v, true
}

// metricNames are the names of all custom metrics that some Pod has.
func (s *store) metricNames() map[string]bool {
	names := map[string]bool{}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.podsIn("") {
		if had := s.scrapes[p.UID]; had != nil {
			for _, name := range had.names(p) {
				names[name] = true
			}
		}
	}
	return names
}

package podmetrics

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
)

// The two APIs.
const (
	resourceGroup, resourceVersion = "metrics.k8s.io", "v1beta1"
	customGroup, customVersion     = "custom.metrics.k8s.io", "v1beta2"
)

// api answers the requests of both APIs.
type api struct{ store *store }

func (a *api) handler() http.Handler {
	mux := http.NewServeMux()
	resource, custom := "/apis/"+resourceGroup, "/apis/"+customGroup
	mux.HandleFunc("GET /apis", func(w http.ResponseWriter, _ *http.Request) {
		write(w, &metav1.APIGroupList{TypeMeta: metav1.TypeMeta{Kind: "APIGroupList", APIVersion: "v1"},
			Groups: []metav1.APIGroup{group(resourceGroup, resourceVersion), group(customGroup, customVersion)}})
	})
	for path, g := range map[string]metav1.APIGroup{resource: group(resourceGroup, resourceVersion), custom: group(customGroup, customVersion)} {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) { write(w, &g) })
	}
	resource, custom = resource+"/"+resourceVersion, custom+"/"+customVersion
	mux.HandleFunc("GET "+resource, func(w http.ResponseWriter, _ *http.Request) { write(w, resourceResources()) })
	mux.HandleFunc("GET "+resource+"/nodes", a.listNodes)
	mux.HandleFunc("GET "+resource+"/nodes/{name}", a.getNode)
	mux.HandleFunc("GET "+resource+"/pods", a.listPods)
	mux.HandleFunc("GET "+resource+"/namespaces/{namespace}/pods", a.listPods)
	mux.HandleFunc("GET "+resource+"/namespaces/{namespace}/pods/{name}", a.getPod)
	mux.HandleFunc("GET "+custom, func(w http.ResponseWriter, _ *http.Request) { write(w, a.customResources()) })
	mux.HandleFunc("GET "+custom+"/namespaces/{namespace}/pods/{name}/{metric}", a.getMetric)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		fail(w, http.StatusNotFound, r.URL.Path+" is not served")
	})
	return mux
}

func group(name, version string) metav1.APIGroup {
	v := metav1.GroupVersionForDiscovery{GroupVersion: name + "/" + version, Version: version}
	return metav1.APIGroup{TypeMeta: metav1.TypeMeta{Kind: "APIGroup", APIVersion: "v1"}, Name: name,
		Versions: []metav1.GroupVersionForDiscovery{v}, PreferredVersion: v}
}

func resourceResources() *metav1.APIResourceList {
	verbs := metav1.Verbs{"get", "list"}
	return &metav1.APIResourceList{TypeMeta: metav1.TypeMeta{Kind: "APIResourceList", APIVersion: "v1"},
		GroupVersion: resourceGroup + "/" + resourceVersion,
		APIResources: []metav1.APIResource{
			{Name: "nodes", Kind: "NodeMetrics", Verbs: verbs},
			{Name: "pods", Kind: "PodMetrics", Namespaced: true, Verbs: verbs},
		}}
}

func (a *api) customResources() *metav1.APIResourceList {
	list := &metav1.APIResourceList{TypeMeta: metav1.TypeMeta{Kind: "APIResourceList", APIVersion: "v1"},
		GroupVersion: customGroup + "/" + customVersion, APIResources: []metav1.APIResource{}}
	for _, name := range slices.Sorted(maps.Keys(a.store.metricNames())) {
		list.APIResources = append(list.APIResources,
			metav1.APIResource{Name: "pods/" + name, Kind: "MetricValueList", Namespaced: true, Verbs: metav1.Verbs{"get"}})
	}
	return list
}

// selection is which objects a request asks for.
type selection struct {
	labels labels.Selector
	fields fields.Selector
}

// selected reads the selectors of a request; it answers those that cannot be read.
func selected(w http.ResponseWriter, r *http.Request) (s selection, ok bool) {
	var err error
	if s.labels, err = labels.Parse(r.URL.Query().Get("labelSelector")); err != nil {
		fail(w, http.StatusBadRequest, "labelSelector: "+err.Error())
		return s, false
	}
	if s.fields, err = fields.ParseSelector(r.URL.Query().Get("fieldSelector")); err != nil {
		fail(w, http.StatusBadRequest, "fieldSelector: "+err.Error())
		return s, false
	}
	return s, true
}

func (s selection) matches(o metav1.ObjectMeta) bool {
	return s.labels.Matches(labels.Set(o.Labels)) &&
		s.fields.Matches(fields.Set{"metadata.name": o.Name, "metadata.namespace": o.Namespace})
}

func write(w http.ResponseWriter, answer any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer) // whoever asked has gone, if it fails
}

// fail answers with a Status, as API servers do.
func fail(w http.ResponseWriter, code int32, message string) {
	reasons := map[int32]metav1.StatusReason{http.StatusNotFound: metav1.StatusReasonNotFound, http.StatusBadRequest: metav1.StatusReasonBadRequest}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(int(code))
	_ = json.NewEncoder(w).Encode(&metav1.Status{TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"},
		Status: metav1.StatusFailure, Code: code, Reason: reasons[code], Message: message})
}

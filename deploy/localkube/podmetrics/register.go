package podmetrics

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
)

// The Service that the API server takes the APIs to be behind. Its name is in the certificate where caBundle is used.
const (
	serviceNamespace = metav1.NamespaceSystem
	serviceName      = "localkube-metrics"
)

// How long it is between two tries while the APIs are not available, and between two looks while they are.
const (
	registerEvery = 500 * time.Millisecond
	lookEvery     = time.Second
)

var apiServices = schema.GroupVersionResource{Group: "apiregistration.k8s.io", Version: "v1", Resource: "apiservices"}

// registration makes the API server pass the APIs on.
type registration struct {
	client  kubernetes.Interface
	dynamic dynamic.Interface
	via     string
	cert    tls.Certificate
	ca      []byte
	log     *slog.Logger
}

// register registers the APIs, and sees until ctx ends that the API server finds both available: by itself it would take
// up to half a minute to find that they are again.
func (r registration) register(ctx context.Context) {
	failed := 0 // tries in a row
	for try := 0; ; try++ {
		err := r.once(ctx, try)
		wait := lookEvery
		if err != nil {
			wait, failed = registerEvery, failed+1
			if failed%20 == 0 && ctx.Err() == nil {
				r.log.Warn("register the metrics APIs", "err", err)
			}
		} else {
			failed = 0
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

// once makes what is not there yet, and gives an error until the APIs are available. Each try touches what is not
// available: that makes the API server look again.
func (r registration) once(ctx context.Context, try int) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	host, text, err := net.SplitHostPort(r.via)
	if err != nil {
		return fmt.Errorf("address %q: %w", r.via, err)
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return fmt.Errorf("address %q: %w", r.via, err)
	}
	service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: serviceName, Namespace: serviceNamespace},
		Spec: corev1.ServiceSpec{Type: corev1.ServiceTypeExternalName, ExternalName: host}}
	_, err = r.client.CoreV1().Services(serviceNamespace).Create(ctx, service, metav1.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("make service %s: %w", serviceName, err)
	}
	var errs []error
	for _, g := range []string{"v1beta1.metrics.k8s.io", "v1beta2.custom.metrics.k8s.io"} {
		errs = append(errs, r.api(ctx, g, int64(port), try))
	}
	return errors.Join(errs...)
}

func (r registration) api(ctx context.Context, name string, port int64, try int) error {
	client := r.dynamic.Resource(apiServices)
	have, err := client.Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		if have, err = client.Create(ctx, r.apiService(name, port), metav1.CreateOptions{}); err != nil {
			return fmt.Errorf("make API service %s: %w", name, err)
		}
	}
	if err != nil {
		return fmt.Errorf("look at API service %s: %w", name, err)
	}
	conditions, _, _ := unstructured.NestedSlice(have.Object, "status", "conditions") // absent: none
	why := any("it was not looked at")
	for _, c := range conditions {
		if c, ok := c.(map[string]any); ok && c["type"] == "Available" {
			if c["status"] == "True" {
				return nil
			}
			why = c["message"]
		}
	}
	have.SetAnnotations(map[string]string{"localkube.ordeal/try": strconv.Itoa(try)})
	if _, err := client.Update(ctx, have, metav1.UpdateOptions{}); err != nil && !apierrors.IsConflict(err) {
		return fmt.Errorf("touch API service %s: %w", name, err)
	}
	return fmt.Errorf("API service %s is not available: %v", name, why)
}

// apiService is the registration of VERSION.GROUP.
func (r registration) apiService(name string, port int64) *unstructured.Unstructured {
	version, group, _ := strings.Cut(name, ".")
	spec := map[string]any{
		"group": group, "version": version, "groupPriorityMinimum": int64(100), "versionPriority": int64(100),
		"service": map[string]any{"name": serviceName, "namespace": serviceNamespace, "port": port},
	}
	if r.cert.Leaf.VerifyHostname(serviceName+"."+serviceNamespace+".svc") == nil {
		spec["caBundle"] = base64.StdEncoding.EncodeToString(r.ca)
	} else {
		spec["insecureSkipTLSVerify"] = true // all is on one machine
	}
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService",
		"metadata": map[string]any{"name": name}, "spec": spec,
	}}
}

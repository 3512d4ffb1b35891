package kubernetes

// The links of a control plane of the run's own.
const (
	// ControllersLink is the way from the controllers, the scheduler and the node to
	// the API server. What is asked from outside, as by Ordeal itself, takes another.
	ControllersLink = "controllers->kubernetes"
	// MetricsLink is the way from the API server to the metrics of Pods, by which an
	// autoscaler sees.
	MetricsLink = "kubernetes->metrics"
)

// Links lists the links of a control plane of the run's own.
func Links() []string { return []string{ControllersLink, MetricsLink} }

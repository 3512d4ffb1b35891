package controlplane

import (
	"net/netip"
	"path/filepath"
	"strconv"
	"strings"

	"ordeal/deploy/localkube/components"
)

// flags are the flags of every component. Paths are relative to the directory, where all of them run.
func flags(c Config, port int, services netip.Prefix) map[string][]string {
	return map[string][]string{
		components.Etcd:              nil,
		components.APIServer:         apiServerFlags(port, services),
		components.ControllerManager: managerFlags(c.HPA),
		components.Scheduler: {
			"--kubeconfig=" + schedulerConfig,
			"--leader-elect=false", "--secure-port=0", "--profiling=false",
			"--kube-api-qps=200", "--kube-api-burst=400",
		},
	}
}

func apiServerFlags(port int, services netip.Prefix) []string {
	pki := func(name string) string { return filepath.Join(pkiDir, name) }
	return []string{
		"--etcd-servers=" + components.EtcdURL,
		"--etcd-count-metric-poll-period=0", "--etcd-db-metric-poll-interval=0", // nobody reads them
		"--bind-address=127.0.0.1", "--advertise-address=127.0.0.1", "--external-hostname=localhost",
		"--secure-port=" + strconv.Itoa(port),
		"--cert-dir=" + pkiDir, "--tls-cert-file=" + pki("apiserver.crt"), "--tls-private-key-file=" + pki("apiserver.key"),
		"--client-ca-file=" + pki("ca.crt"),
		"--authorization-mode=RBAC",
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file=" + pki("service-accounts.key"),
		"--service-account-signing-key-file=" + pki("service-accounts.key"),
		"--service-cluster-ip-range=" + services.String(),
		"--endpoint-reconciler-type=none", // an Endpoints object cannot have a loopback address
		"--kubelet-client-certificate=" + pki("apiserver-kubelet.crt"),
		"--kubelet-client-key=" + pki("apiserver-kubelet.key"),
		"--kubelet-preferred-address-types=InternalIP",
		"--requestheader-client-ca-file=" + pki("front-proxy-ca.crt"),
		"--requestheader-allowed-names=front-proxy",
		"--requestheader-username-headers=X-Remote-User",
		"--requestheader-group-headers=X-Remote-Group",
		"--requestheader-extra-headers-prefix=X-Remote-Extra-",
		"--proxy-client-cert-file=" + pki("front-proxy.crt"),
		"--proxy-client-key-file=" + pki("front-proxy.key"),
		"--allow-privileged=true",              // as on most clusters, so that what is valid there is valid here
		"--enable-priority-and-fairness=false", // of users, of whom there is one
		"--profiling=false",
	}
}

// controllers are those that a node of processes can do something with: none for volumes, certificates, and addresses
// of Pods, and no Endpoints, which cannot hold loopback addresses.
var controllers = []string{
	"clusterrole-aggregation-controller",
	"cronjob-controller",
	"daemonset-controller",
	"deployment-controller",
	"disruption-controller",
	"garbage-collector-controller",
	"horizontal-pod-autoscaler-controller",
	"job-controller",
	"namespace-controller",
	"node-lifecycle-controller",
	"pod-garbage-collector-controller",
	"replicaset-controller",
	"resourcequota-controller",
	"root-ca-certificate-publisher-controller",
	"serviceaccount-controller",
	"serviceaccount-token-controller",
	"statefulset-controller",
	"taint-eviction-controller",
	"ttl-after-finished-controller",
}

func managerFlags(h HPA) []string {
	return []string{
		"--kubeconfig=" + managerConfig,
		"--use-service-account-credentials=true", // the rights of each controller are those of its own account
		"--leader-elect=false", "--secure-port=0", "--profiling=false",
		"--kube-api-qps=200", "--kube-api-burst=400",
		"--controllers=" + strings.Join(controllers, ","),
		"--root-ca-file=" + filepath.Join(pkiDir, "ca.crt"),
		"--service-account-private-key-file=" + filepath.Join(pkiDir, "service-accounts.key"),
		"--horizontal-pod-autoscaler-sync-period=" + h.SyncPeriod.String(),
		"--horizontal-pod-autoscaler-downscale-stabilization=" + h.DownscaleStabilization.String(),
		"--horizontal-pod-autoscaler-cpu-initialization-period=" + h.CPUInitializationPeriod.String(),
		"--horizontal-pod-autoscaler-initial-readiness-delay=" + h.InitialReadinessDelay.String(),
		"--horizontal-pod-autoscaler-tolerance=" + strconv.FormatFloat(h.Tolerance, 'f', -1, 64),
	}
}

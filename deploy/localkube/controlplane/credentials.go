package controlplane

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"

	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

// pkiDir has the keys and certificates, below the directory.
const pkiDir = "pki"

// credentials are what proves who is who in one control plane. All are made anew for every start.
type credentials struct {
	dir      string // the control plane's
	services netip.Prefix
	direct   string // URLs of the API server: its own,
	via      string // and the one for controllers, scheduler and node
}

// make writes them all: keys and certificates below pki, and the kubeconfigs.
func (c credentials) make() error {
	pki := filepath.Join(c.dir, pkiDir)
	if err := os.Mkdir(pki, 0o700); err != nil {
		return fmt.Errorf("make the directory of the certificates: %w", err)
	}
	ca, err := newAuthority("localkube")
	if err != nil {
		return err
	}
	front, err := newAuthority("localkube-front-proxy") // of the API server towards the metrics APIs
	if err != nil {
		return err
	}
	for name, authority := range map[string]*authority{"ca": ca, "front-proxy-ca": front} {
		if err := writeFile(filepath.Join(pki, name+".crt"), authority.pem); err != nil {
			return err
		}
	}
	if err := c.servers(pki, ca); err != nil {
		return err
	}
	proxy, err := front.client("front-proxy")
	if err != nil {
		return err
	}
	if err := proxy.write(pki, "front-proxy"); err != nil {
		return err
	}
	kubelet, err := ca.client("localkube:apiserver-kubelet", "system:masters")
	if err != nil {
		return err
	}
	if err := kubelet.write(pki, "apiserver-kubelet"); err != nil {
		return err
	}
	if err := serviceAccountKey(pki); err != nil {
		return err
	}
	return c.kubeconfigs(ca)
}

// servers makes the certificates of those who serve.
func (c credentials) servers(pki string, ca *authority) error {
	loopback := net.IPv4(127, 0, 0, 1)
	names := []string{"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"}
	server, err := ca.server("kube-apiserver", names, loopback, net.IP(c.services.Addr().Next().AsSlice()))
	if err != nil {
		return err
	}
	if err := server.write(pki, "apiserver"); err != nil {
		return err
	}
	metrics, err := ca.server("localkube-metrics", []string{"localhost", "localkube-metrics.kube-system.svc"}, loopback)
	if err != nil {
		return err
	}
	return metrics.write(pki, "metrics")
}

// serviceAccountKey makes the key that signs the tokens of service accounts.
func serviceAccountKey(pki string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("make the key of service accounts: %w", err)
	}
	text, err := encodeKey(key)
	if err != nil {
		return err
	}
	return writeFile(filepath.Join(pki, "service-accounts.key"), text)
}

// kubeconfigs makes the certificate of each user, and writes it into a kubeconfig.
func (c credentials) kubeconfigs(ca *authority) error {
	for _, u := range []struct {
		file, url, user string
		groups          []string
	}{
		{adminConfig, c.direct, "localkube-admin", []string{"system:masters"}},
		{nodeConfig, c.via, "localkube-node", []string{"system:masters"}}, // it is kubelet, proxy and more at once
		{managerConfig, c.via, "system:kube-controller-manager", nil},
		{schedulerConfig, c.via, "system:kube-scheduler", nil},
	} {
		p, err := ca.client(u.user, u.groups...)
		if err != nil {
			return err
		}
		k := api.NewConfig()
		k.Clusters["localkube"] = &api.Cluster{Server: u.url, CertificateAuthorityData: ca.pem}
		k.AuthInfos[u.user] = &api.AuthInfo{ClientCertificateData: p.cert, ClientKeyData: p.key}
		k.Contexts["localkube"] = &api.Context{Cluster: "localkube", AuthInfo: u.user}
		k.CurrentContext = "localkube"
		if err := clientcmd.WriteToFile(*k, filepath.Join(c.dir, u.file)); err != nil {
			return fmt.Errorf("write %s: %w", u.file, err)
		}
	}
	return nil
}

// The kubeconfigs, below the directory.
const (
	adminConfig     = "kubeconfig"
	nodeConfig      = pkiDir + "/node.kubeconfig"
	managerConfig   = pkiDir + "/kube-controller-manager.kubeconfig"
	schedulerConfig = pkiDir + "/kube-scheduler.kubeconfig"
)

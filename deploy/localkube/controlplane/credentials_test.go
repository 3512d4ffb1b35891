package controlplane

import (
	"crypto/x509"
	"encoding/pem"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"k8s.io/client-go/tools/clientcmd"
)

func TestCredentialsOfOneStart(t *testing.T) {
	c := credentials{dir: t.TempDir(), services: netip.MustParsePrefix("127.70.240.0/21"), direct: "https://127.0.0.1:1", via: "https://127.0.0.1:2"}
	if err := c.make(); err != nil {
		t.Fatal(err)
	}
	pki := filepath.Join(c.dir, pkiDir)
	roots := x509.NewCertPool()
	roots.AddCert(certificate(t, filepath.Join(pki, "ca.crt")))
	for _, test := range []struct {
		file, name string
		usage      x509.ExtKeyUsage
		ok         bool
	}{
		{"apiserver", "127.0.0.1", x509.ExtKeyUsageServerAuth, true},
		{"apiserver", "127.70.240.1", x509.ExtKeyUsageServerAuth, true},
		{"apiserver", "kubernetes.default.svc", x509.ExtKeyUsageServerAuth, true},
		{"apiserver", "127.0.0.2", x509.ExtKeyUsageServerAuth, false},
		{"apiserver", "127.0.0.1", x509.ExtKeyUsageClientAuth, false},
		{"metrics", "localkube-metrics.kube-system.svc", x509.ExtKeyUsageServerAuth, true},
		{"apiserver-kubelet", "", x509.ExtKeyUsageClientAuth, true},
		{"front-proxy", "", x509.ExtKeyUsageClientAuth, false}, // of another authority: it must not be a user
	} {
		cert := certificate(t, filepath.Join(pki, test.file+".crt"))
		_, err := cert.Verify(x509.VerifyOptions{Roots: roots, DNSName: test.name, KeyUsages: []x509.ExtKeyUsage{test.usage}})
		if (err == nil) != test.ok {
			t.Errorf("%s as %q for usage %v: %v, want ok %v", test.file, test.name, test.usage, err, test.ok)
		}
	}
	for file, want := range map[string]struct{ server, user string }{
		adminConfig:     {c.direct, "localkube-admin"},
		nodeConfig:      {c.via, "localkube-node"},
		managerConfig:   {c.via, "system:kube-controller-manager"},
		schedulerConfig: {c.via, "system:kube-scheduler"},
	} {
		config, err := clientcmd.BuildConfigFromFlags("", filepath.Join(c.dir, file))
		if err != nil {
			t.Fatal(err)
		}
		block, _ := pem.Decode(config.CertData)
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil || config.Host != want.server || cert.Subject.CommonName != want.user {
			t.Errorf("%s: %s for %s (%v), want %v", file, config.Host, cert.Subject.CommonName, err, want)
		}
	}
	err := filepath.WalkDir(c.dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if info, err := d.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v (%v), want 0600", path, info.Mode(), err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func certificate(t *testing.T, file string) *x509.Certificate {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

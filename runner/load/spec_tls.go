package load

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// TLS says how an HTTP load trusts its target.
type TLS struct {
	CA         string `yaml:"ca" doc:"a file of authorities (PEM) to trust instead of the system's"`
	ServerName string `yaml:"server_name" doc:"the name that the certificate must carry; the target's host when absent"`
	Insecure   bool   `yaml:"insecure" doc:"take any certificate"`
}

// Validate reports settings that contradict each other.
func (t *TLS) Validate(bad func(field, format string, args ...any)) {
	if t.Insecure && t.CA != "" {
		bad("ca", "insecure takes any certificate: an authority is not asked")
	}
}

// config reads the authorities; relative names are taken from dir. A nil TLS
// is that of the system.
func (t *TLS) config(dir string) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if t == nil {
		return config, nil
	}
	config.ServerName = t.ServerName
	config.InsecureSkipVerify = t.Insecure //nolint:gosec // asked for by the scenario
	if t.CA == "" {
		return config, nil
	}
	file := t.CA
	if !filepath.IsAbs(file) {
		file = filepath.Join(dir, file)
	}
	pem, err := os.ReadFile(file) //nolint:gosec // named by the scenario
	if err != nil {
		return nil, fmt.Errorf("read the authorities: %w", err)
	}
	config.RootCAs = x509.NewCertPool()
	if !config.RootCAs.AppendCertsFromPEM(pem) {
		return nil, errors.New("want certificates in PEM: " + t.CA + " has none")
	}
	return config, nil
}

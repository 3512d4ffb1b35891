package node

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"time"

	"k8s.io/client-go/rest"
)

// followEvery is how often a log that is followed is looked at.
const followEvery = 100 * time.Millisecond

// logServer serves the logs of the Pods of all Nodes, at a port of the address of each, to the API server alone.
type logServer struct {
	server    *http.Server
	listeners []net.Listener
	port      int32
}

// serveLogs serves logs, if there is an authority by which the API server can be known.
func (a *agent) serveLogs(ctx context.Context, client *rest.Config) (*logServer, error) {
	s := &logServer{}
	if client == nil {
		return s, nil
	}
	if err := rest.LoadTLSFiles(client); err != nil {
		return nil, fmt.Errorf("read the certificates of the kubeconfig: %w", err)
	}
	authority := x509.NewCertPool()
	if !authority.AppendCertsFromPEM(client.CAData) {
		return s, nil
	}
	cert, err := selfSigned()
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /containerLogs/{namespace}/{pod}/{container}", a.showLog)
	s.server = &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, BaseContext: func(net.Listener) context.Context { return ctx },
		ErrorLog: slog.NewLogLogger(a.log.Handler(), slog.LevelDebug)}
	config := &tls.Config{Certificates: []tls.Certificate{cert}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: authority}
	for n := range a.cfg.Names {
		l, err := net.Listen("tcp4", net.JoinHostPort(a.addresses.node(n).String(), strconv.Itoa(int(s.port))))
		if err != nil {
			return nil, errors.Join(fmt.Errorf("listen for requests of logs: %w", err), s.close())
		}
		s.listeners = append(s.listeners, l)
		s.port = int32(l.Addr().(*net.TCPAddr).Port)
		go func() { _ = s.server.Serve(tls.NewListener(l, config)) }() // until it is closed
	}
	return s, nil
}

func (s *logServer) close() error {
	if s.server == nil {
		return nil
	}
	for _, l := range s.listeners {
		_ = l.Close() // the server may not have begun with it
	}
	return s.server.Close()
}

// selfSigned makes a certificate. The API server does not look at it.
func selfSigned() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("make a key: %w", err)
	}
	t := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(1, 0, 0)}
	der, err := x509.CreateCertificate(rand.Reader, t, t, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("make a certificate: %w", err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}

// showLog answers with what a container wrote in all its lives: tailLines and limitBytes of it, and, with follow, what
// comes until the container has ended for good.
func (a *agent) showLog(w http.ResponseWriter, r *http.Request) {
	c := a.container(r.PathValue("namespace"), r.PathValue("pod"), r.PathValue("container"))
	if c == nil {
		http.Error(w, "there is no such container here", http.StatusNotFound)
		return
	}
	f, err := os.Open(c.logFile())
	if err != nil {
		http.Error(w, "it has written nothing yet", http.StatusNotFound)
		return
	}
	defer f.Close() //nolint:errcheck // it was only read
	query := r.URL.Query()
	if lines, err := strconv.Atoi(query.Get("tailLines")); err == nil {
		if err := seekLines(f, lines); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
	}
	var log io.Reader = f
	if limit, err := strconv.ParseInt(query.Get("limitBytes"), 10, 64); err == nil {
		log = io.LimitReader(f, limit)
	}
	follow, _ := strconv.ParseBool(query.Get("follow")) // anything else is no
	flush := http.NewResponseController(w)
	for {
		over := c.pod.isOver()
		if _, err := io.Copy(w, log); err != nil || !follow || over {
			return
		}
		if flush.Flush() != nil || !sleep(r.Context(), followEvery) {
			return
		}
	}
}

// seekLines goes to where the last lines of a file begin.
func seekLines(f *os.File, lines int) error {
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return fmt.Errorf("find the last lines: %w", err)
	}
	if lines <= 0 {
		return nil
	}
	block := make([]byte, 32<<10)
	for at := size; at > 0; {
		from := max(0, at-int64(len(block)))
		n, err := f.ReadAt(block[:at-from], from)
		if err != nil {
			return fmt.Errorf("find the last lines: %w", err)
		}
		for i := n - 1; i >= 0; i-- {
			if block[i] != '\n' || from+int64(i) == size-1 {
				continue
			}
			if lines--; lines <= 0 {
				_, err := f.Seek(from+int64(i)+1, io.SeekStart)
				return err
			}
		}
		at = from
	}
	_, err = f.Seek(0, io.SeekStart)
	return err
}

// container finds a container of the Pods that are there.
func (a *agent) container(namespace, name, container string) *container {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, p := range a.pods {
		if obj := p.latest(); obj.Namespace != namespace || obj.Name != name {
			continue
		}
		for _, c := range slices.Concat(p.regular, p.initial) {
			if c.name == container {
				return c
			}
		}
	}
	return nil
}

func (p *pod) isOver() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.over
}

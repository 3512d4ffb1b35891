package targets

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"time"
)

const (
	defaultReadyWithin = 15 * time.Second
	probeEvery         = 25 * time.Millisecond
	probeTimeout       = 2 * time.Second
)

var (
	errExited = errors.New("it does not run")
	errNoLine = errors.New("no line of its output matches")
)

func readyWithin(spec *Spec) time.Duration {
	if spec.Ready != nil {
		return spec.Ready.Within
	}
	return defaultReadyWithin
}

// waitsForLine reports whether readiness is told by a line of output.
func waitsForLine(spec *Spec) bool {
	return spec.Kind() == KindReference || spec.Ready != nil && spec.Ready.Line != ""
}

// readyLine is the line to wait for; a pattern that never matches where none is.
func readyLine(spec *Spec) *regexp.Regexp {
	switch {
	case spec.Kind() == KindReference:
		return referenceReady
	case waitsForLine(spec):
		return regexp.MustCompile(spec.Ready.Line) // compiled once in Validate
	default:
		return nil
	}
}

// waitReady probes until healthy says nil, the process exited, or within is over.
func waitReady(ctx context.Context, within time.Duration, healthy func(context.Context) error, exited <-chan struct{}) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	tick := time.NewTicker(probeEvery)
	defer tick.Stop()
	var why error
	for {
		err := healthy(ctx)
		if err == nil {
			return nil
		}
		if why == nil || !cutShort(ctx, err) {
			why = err
		}
		select {
		case <-exited:
			return errExited
		case <-ctx.Done():
			return notReady(ctx, within, why)
		case <-tick.C:
		}
	}
}

// notReady says why a wait has ended with ctx: in time, or because it was cut
// short.
func notReady(ctx context.Context, within time.Duration, why error) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return fmt.Errorf("the wait until it is ready was cut short: %w", context.Cause(ctx))
	}
	return fmt.Errorf("not ready within %v: %w", within, why)
}

// cutShort reports whether a probe failed only because the time for all of them
// was over, which says nothing of what is probed.
func cutShort(ctx context.Context, err error) bool {
	deadline, _ := ctx.Deadline()
	over := ctx.Err() != nil || !time.Now().Before(deadline) // a dial may see the deadline before ctx does
	var timeout net.Error
	return over && (errors.Is(err, context.Canceled) || errors.As(err, &timeout) && timeout.Timeout())
}

// probe asks a target that tells of itself as its spec says.
func probe(ctx context.Context, spec *Spec, addr string) error {
	if spec.Ready != nil && spec.Ready.HTTP != "" {
		return probeHTTP(ctx, spec.onAddr(addr, spec.Ready.HTTP))
	}
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	return conn.Close()
}

// probeHTTP wants a 200. It makes a connection of its own, without a proxy, so
// that it says something of the service as it is now. It follows no redirect: a
// probe goes to the hosts that the scenario names, and to no other.
func probeHTTP(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	client := http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close() //nolint:errcheck // read only
	body, err := io.ReadAll(io.LimitReader(resp.Body, 256))
	if err != nil {
		return fmt.Errorf("GET %s: %w", url, err)
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: %s: %s", url, resp.Status, strings.TrimSpace(string(body)))
	}
	return nil
}

// onAddr makes a URL of a path on an address; a whole URL stays as it is.
func (s *Spec) onAddr(addr, path string) string {
	if strings.Contains(path, "://") {
		return path
	}
	scheme := "http://"
	if s.Secure() {
		scheme = "https://"
	}
	return scheme + addr + "/" + strings.TrimPrefix(path, "/")
}

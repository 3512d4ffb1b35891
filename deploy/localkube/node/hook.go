package node

import (
	"context"
	"fmt"
	"net/http"
	"time"

	corev1 "k8s.io/api/core/v1"
	httpprobe "k8s.io/kubernetes/pkg/probe/http"
)

// hook does what a lifecycle hook says, until ctx ends. It is no error of a sleep that the process ends before it.
func (l *life) hook(ctx context.Context, h *corev1.LifecycleHandler) error {
	switch {
	case h.Sleep != nil:
		select {
		case <-l.process.done:
		case <-ctx.Done():
		case <-time.After(time.Duration(h.Sleep.Seconds) * time.Second):
		}
		return nil
	case h.Exec != nil:
		text, err := l.exec(ctx, h.Exec.Command)
		if err != nil && text != "" {
			err = fmt.Errorf("%w: %s", err, text)
		}
		return err
	case h.HTTPGet != nil:
		req, err := httpprobe.NewRequestForHTTPGetAction(h.HTTPGet, l.spec, l.container.pod.address(), "lifecycle")
		if err != nil {
			return err
		}
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		resp, err := client.Do(req.WithContext(ctx))
		if err != nil {
			return err
		}
		defer resp.Body.Close() //nolint:errcheck // nothing of it is read
		if resp.StatusCode >= http.StatusBadRequest {
			return fmt.Errorf("it was answered %s", resp.Status)
		}
		return nil
	default:
		return fmt.Errorf("the hook says neither exec, httpGet nor sleep")
	}
}

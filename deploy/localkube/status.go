package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"ordeal/deploy/localkube/controlplane"
)

// errDown says what status found.
var errDown = errors.New("it is not up")

// statusWithin bounds how long status asks.
const statusWithin = 5 * time.Second

func statusCommand() *cobra.Command {
	var dir string
	c := &cobra.Command{
		Use:   "status",
		Short: "tell whether it is up, and what of the machine it uses",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			path, err := filepath.Abs(dir)
			if err != nil {
				return fmt.Errorf("find the directory: %w", err)
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), statusWithin)
			defer cancel()
			return status(ctx, path, cmd.OutOrStdout())
		},
	}
	dirFlag(c, &dir)
	return c
}

func status(ctx context.Context, dir string, stdout io.Writer) error {
	up, err := controlplane.IsUp(dir)
	if err != nil {
		return err
	}
	s, err := controlplane.ReadState(dir)
	switch {
	case err != nil && up:
		return fmt.Errorf("%w: it starts, or goes down", errDown)
	case err != nil:
		return fmt.Errorf("%w: there is nothing in %s; start it with: localkube up%s", errDown, dir, dirArg(dir))
	case !up:
		return fmt.Errorf("%w: it was killed; take away what is left with: localkube down%s", errDown, dirArg(dir))
	}
	var b strings.Builder
	state := "up"
	if !s.Ready {
		state = "starting"
	}
	fmt.Fprintf(&b, "localkube is %s, since %s (%v)\n\n", state, s.Started.Local().Format(time.DateTime), time.Since(s.Started).Round(time.Second))
	fmt.Fprintf(&b, "  server      %s\n", s.Server)
	for _, line := range contents(ctx, dir) {
		fmt.Fprintf(&b, "  %s\n", line)
	}
	fmt.Fprintf(&b, "  addresses   %s\n  kubeconfig  %s\n\n", s.Subnet, s.Kubeconfig)
	fmt.Fprintf(&b, "  %-26s %8s %12s %10s\n", "PROCESS", "PID", "CPU SO FAR", "MEMORY")
	for _, c := range append([]controlplane.Component{{Name: "localkube (node, metrics)", PID: s.PID}}, s.Components...) {
		fmt.Fprintf(&b, "  %-26s %8d %s\n", c.Name, c.PID, usage(c.PID))
	}
	_, err = io.WriteString(stdout, b.String())
	return err
}

// contents is what the API server says is there.
func contents(ctx context.Context, dir string) []string {
	client, err := controlplane.Client(dir)
	if err == nil {
		err = controlplane.Answers(ctx, client)
	}
	if err != nil {
		return []string{"            it does not answer: " + err.Error()}
	}
	return []string{"nodes       " + nodes(ctx, client), "pods        " + pods(ctx, client)}
}

func nodes(ctx context.Context, client kubernetes.Interface) string {
	list, err := client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return err.Error()
	}
	var names []string
	for _, n := range list.Items {
		state := "not ready"
		if controlplane.IsReady(n) {
			state = "ready"
		}
		names = append(names, n.Name+" ("+state+")")
	}
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

func pods(ctx context.Context, client kubernetes.Interface) string {
	list, err := client.CoreV1().Pods(metav1.NamespaceAll).List(ctx, metav1.ListOptions{})
	if err != nil {
		return err.Error()
	}
	running := 0
	for _, p := range list.Items {
		if p.Status.Phase == corev1.PodRunning {
			running++
		}
	}
	return fmt.Sprintf("%d running, %d others", running, len(list.Items)-running)
}

package kubernetes

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/dynamic"
	client "k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
)

// Config is what Open needs to know of the run.
type Config struct {
	Spec       *Spec
	Images     map[string][]string // programs that stand for images, besides those of the Spec
	BaseDir    string              // what names in the Spec are relative to
	LogDir     string              // where logs of a control plane of the run's own are kept; "" keeps none
	Kubeconfig string              // instead of the usual one, where the Spec names none

	// Via gives the address by which a link leads to an upstream, "" where the run
	// has no such link. It is asked before a control plane is started, for each of
	// its links.
	Via func(ctx context.Context, link, upstream string) (string, error)
	// Lost is called when a control plane of the run's own has ended by itself.
	Lost func(error)
}

// quiet keeps what client-go has to say of connections off the terminal: errors
// come back from the calls that they concern. It has one log for the process.
var quiet = sync.OnceFunc(func() {
	klog.LogToStderr(false)
	klog.SetOutput(io.Discard)
})

// Open starts the control plane, or opens the context, applies what is to be
// applied and waits until its Deployments are available. When it fails, it has
// ended and deleted what it made.
func Open(ctx context.Context, cfg Config) (*Cluster, error) {
	quiet()
	var objects []*Manifest
	for _, entry := range cfg.Spec.Apply {
		more, err := Manifests(entry, cfg.BaseDir)
		if err != nil {
			return nil, err
		}
		objects = append(objects, more...)
	}
	c := &Cluster{namespace: cfg.Spec.Namespace, keep: cfg.Spec.Keep}
	err := c.connect(ctx, cfg)
	if err == nil {
		err = c.prepare(ctx, cfg.Spec.Within, objects)
	}
	if err != nil {
		return nil, errors.Join(err, c.Close(context.WithoutCancel(ctx)))
	}
	return c, nil
}

// connect finds the API server, which it starts where it is the run's own.
func (c *Cluster) connect(ctx context.Context, cfg Config) error {
	file, name := cfg.Spec.Kubeconfig, cfg.Spec.Context
	switch {
	case cfg.Spec.Local != nil:
		if err := c.startLocal(ctx, cfg); err != nil {
			return err
		}
		file, name = c.plane.kubeconfig, ""
	case file == "":
		file = cfg.Kubeconfig
	case !filepath.IsAbs(file):
		file = filepath.Join(cfg.BaseDir, file)
	}
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	if file != "" {
		rules.ExplicitPath = file
	}
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, &clientcmd.ConfigOverrides{CurrentContext: name}).ClientConfig()
	if err != nil {
		return fmt.Errorf("read the kubeconfig: %w", err)
	}
	config.QPS = -1 // a watch that waits for its turn is late
	config.UserAgent = manager
	return c.use(config)
}

// use makes the clients.
func (c *Cluster) use(config *rest.Config) (err error) {
	if c.client, err = client.NewForConfig(config); err == nil {
		c.objects, err = dynamic.NewForConfig(config)
	}
	if err != nil {
		return fmt.Errorf("make a client of the API server: %w", err)
	}
	c.rest = config
	return nil
}

// startLocal starts a control plane of the run's own, with its links.
func (c *Cluster) startLocal(ctx context.Context, cfg Config) error {
	program, err := FindLocal()
	if err != nil {
		return err
	}
	args, err := cfg.localArgs(ctx)
	if err != nil {
		return err
	}
	c.local = true
	c.plane, err = startPlane(ctx, program, args, cfg.LogDir, cfg.Lost)
	return err
}

// localArgs are the arguments of localkube up.
func (cfg Config) localArgs(ctx context.Context) ([]string, error) {
	var args []string
	local := cfg.Spec.Local
	for _, t := range local.times() {
		if t.value > 0 {
			args = append(args, "--"+t.flag+"="+t.value.String())
		}
	}
	if local.Tolerance != nil {
		args = append(args, "--tolerance="+strconv.FormatFloat(*local.Tolerance, 'f', -1, 64))
	}
	if local.Nodes > 1 {
		args = append(args, "--nodes="+strconv.Itoa(local.Nodes))
	}
	if !local.limitsCPU() {
		args = append(args, "--cpu-limits=false")
	}
	images := maps.Clone(cfg.Images)
	if images == nil {
		images = map[string][]string{}
	}
	for name, command := range local.Images {
		images[name] = command
		if program := command[0]; strings.Contains(program, "/") && !filepath.IsAbs(program) {
			absolute, err := filepath.Abs(filepath.Join(cfg.BaseDir, program))
			if err != nil {
				return nil, fmt.Errorf("find the program of image %s: %w", name, err)
			}
			images[name] = append([]string{absolute}, command[1:]...)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(images)) {
		command, err := json.Marshal(images[name])
		if err != nil {
			return nil, fmt.Errorf("write the program of image %s: %w", name, err)
		}
		args = append(args, "--image", name+"="+string(command))
	}
	for _, l := range []struct{ link, flag string }{{ControllersLink, "api"}, {MetricsLink, "metrics"}} {
		upstream, err := freeAddr()
		if err != nil {
			return nil, err
		}
		via, err := cfg.Via(ctx, l.link, upstream)
		if err != nil {
			return nil, err
		}
		if via != "" {
			_, port, _ := net.SplitHostPort(upstream)
			args = append(args, "--"+l.flag+"-port="+port, "--"+l.flag+"-via="+via)
		}
	}
	return args, nil
}

// freeAddr is a loopback address that nobody listens on.
func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port for the control plane: %w", err)
	}
	addr := l.Addr().String()
	if err := l.Close(); err != nil {
		return "", fmt.Errorf("find a free port for the control plane: %w", err)
	}
	return addr, nil
}

// prepare applies objects, and waits for the Deployments among them.
func (c *Cluster) prepare(ctx context.Context, within time.Duration, objects []*Manifest) error {
	version, err := c.client.Discovery().ServerVersion()
	if err != nil {
		return fmt.Errorf("reach the API server: %w", err)
	}
	c.version = version.GitVersion
	c.applied = &applier{objects: c.objects, kinds: c.client.Discovery(), namespace: c.namespace}
	if c.local {
		if err := c.makeNamespace(ctx); err != nil {
			return err
		}
		if c.cpuLimits, err = c.readCPULimits(ctx); err != nil {
			return err
		}
	}
	if err := c.follow(ctx); err != nil {
		return err
	}
	if len(objects) == 0 {
		return nil
	}
	if err := c.applied.apply(ctx, objects); err != nil {
		return err
	}
	var deployments []string
	for _, o := range objects {
		if o.GetKind() == "Deployment" && (o.GetNamespace() == "" || o.GetNamespace() == c.namespace) {
			deployments = append(deployments, o.GetName())
		}
	}
	return c.awaitAvailable(ctx, within, deployments)
}

// makeNamespace makes the namespace of the run on a control plane that has none.
func (c *Cluster) makeNamespace(ctx context.Context) error {
	_, err := c.client.CoreV1().Namespaces().Create(ctx, &core.Namespace{ObjectMeta: meta.ObjectMeta{Name: c.namespace}}, meta.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("make namespace %s: %w", c.namespace, err)
	}
	return nil
}

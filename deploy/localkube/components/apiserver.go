package components

import (
	"errors"
	"fmt"
	"net"
	"os"

	"github.com/spf13/pflag"
	genericapiserver "k8s.io/apiserver/pkg/server"
	"k8s.io/client-go/rest"
	"k8s.io/component-base/logs"
	logsapi "k8s.io/component-base/logs/api/v1"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
	"k8s.io/kubernetes/cmd/kube-apiserver/app/options"

	utilfeature "k8s.io/apiserver/pkg/util/feature"
)

// ListenerFD is the file descriptor of the listener that the API server inherits: whoever starts it has chosen the port
// and holds it, so nobody else can take it in between.
const ListenerFD = 3

// runAPIServer is kube-apiserver's command, but for the listener.
func runAPIServer(args []string) error {
	s := options.NewServerRunOptions()
	flags := pflag.NewFlagSet(APIServer, pflag.ContinueOnError)
	named := s.Flags()
	for _, set := range named.FlagSets {
		flags.AddFlagSet(set)
	}
	if err := flags.Parse(args); err != nil {
		return err
	}
	if err := s.GenericServerRunOptions.ComponentGlobalsRegistry.Set(); err != nil {
		return fmt.Errorf("set the feature gates: %w", err)
	}
	rest.SetDefaultWarningHandler(rest.NoWarnings{}) // of requests that it makes of itself
	logs.InitLogs()
	defer logs.FlushLogs()
	if err := logsapi.ValidateAndApply(s.Logs, utilfeature.DefaultFeatureGate); err != nil {
		return fmt.Errorf("set up its log: %w", err)
	}
	inherited := os.NewFile(ListenerFD, "listener")
	listener, err := net.FileListener(inherited)
	if err != nil {
		return fmt.Errorf("take over the listener: %w", err)
	}
	if err := inherited.Close(); err != nil { // the listener has a copy of its own
		return fmt.Errorf("take over the listener: %w", err)
	}
	s.SecureServing.Listener = listener
	ctx := genericapiserver.SetupSignalContext()
	completed, err := s.Complete(ctx)
	if err != nil {
		return fmt.Errorf("complete its options: %w", err)
	}
	if errs := completed.Validate(); len(errs) > 0 {
		return fmt.Errorf("its options: %w", errors.Join(errs...))
	}
	return app.Run(ctx, completed)
}

package users

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
)

// Exit codes of Main.
const (
	exitOK      = 0
	exitFailed  = 1
	exitUsage   = 2
	exitStopped = 130 // by a second signal
)

// Main is the program. It prints one line to stdout once it answers calls, logs JSON to stderr, and returns the
// exit code. A first SIGTERM or SIGINT, or the end of ctx, stops it gracefully; a second signal at once.
func Main(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	cfg, err := configure(args, os.LookupEnv, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return exitOK
	case err != nil:
		_, _ = fmt.Fprintln(stderr, "users:", err)
		return exitUsage
	}
	cfg.Log = slog.New(slog.NewJSONHandler(stderr, &slog.HandlerOptions{Level: cfg.LogLevel})).
		With("service", "users", "instance", cfg.Instance)
	server, err := New(*cfg)
	if err != nil {
		cfg.Log.Error("cannot start", "error", err)
		return exitFailed
	}
	err = serve(ctx, server, stdout)
	switch {
	case errors.Is(err, ErrStopped):
		cfg.Log.Warn("stopped by a second signal")
		return exitStopped
	case err != nil:
		cfg.Log.Error("failed", "error", err)
		return exitFailed
	}
	cfg.Log.Info("stopped")
	return exitOK
}

// configure reads the environment, and flags over it.
func configure(args []string, lookup func(string) (string, bool), stderr io.Writer) (*Config, error) {
	cfg := new(Config)
	flags := NewFlagSet(cfg)
	if err := applyEnvironment(flags, lookup); err != nil {
		return nil, err
	}
	flags.SetOutput(io.Discard) // the error is reported once, by Main
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		flags.SetOutput(stderr)
		flags.Usage()
		return nil, err
	case err != nil:
		return nil, err
	case flags.NArg() > 0:
		return nil, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	return cfg, nil
}

// serve runs the server under the signals.
func serve(ctx context.Context, server *Server, stdout io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	defer signal.Stop(signals)

	result := make(chan error, 1)
	go func() { result <- server.Serve(ctx) }()
	ready := server.Ready()
	for seen := 0; ; {
		select {
		case err := <-result:
			return err
		case <-ready:
			ready = nil // once
			if err := printReady(stdout, server); err != nil {
				server.Stop()
				return errors.Join(err, ignoreStopped(<-result))
			}
		case <-signals:
			if seen++; seen == 1 {
				cancel()
			} else {
				server.Stop()
			}
		}
	}
}

func printReady(stdout io.Writer, server *Server) error {
	admin := server.AdminAddr()
	if admin == "" {
		admin = "none"
	}
	if _, err := fmt.Fprintf(stdout, "ready service=users addr=%s admin=%s\n", server.Addr(), admin); err != nil {
		return fmt.Errorf("print the ready line: %w", err)
	}
	return nil
}

func ignoreStopped(err error) error {
	if errors.Is(err, ErrStopped) {
		return nil
	}
	return err
}

package gateway

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

	"github.com/gin-gonic/gin"

	"ordeal/targets/tuning"
)

// Main runs the gateway as a program: flags from args and GATEWAY_ variables, the token key from JWT_KEY, one ready
// line on stdout, the log on stderr. It stops gracefully when ctx is done or on the first SIGTERM or SIGINT, and at
// once on the second. It returns the exit status: 0 stopped cleanly, 1 failed or cut requests off after
// shutdown-timeout, 2 wrong usage, 130 stopped at once by a second signal.
func Main(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var cfg Config
	fs := NewFlagSet(&cfg)
	switch err := parse(fs, args); {
	case errors.Is(err, flag.ErrHelp):
		fs.SetOutput(stdout)
		fs.Usage()
		return 0
	case err != nil:
		complain(stderr, err)
		return 2
	}
	cfg.JWTKey = []byte(os.Getenv("JWT_KEY"))

	level := slog.LevelInfo
	gin.SetMode(gin.ReleaseMode)
	if !cfg.ReleaseMode {
		level = slog.LevelDebug
		gin.SetMode(gin.DebugMode)
		gin.DefaultWriter = stderr // stdout has the ready line only
	}
	log := slog.New(slog.NewJSONHandler(stderr, &slog.HandlerOptions{Level: level}))
	if len(cfg.JWTKey) == 0 {
		log.Warn("JWT_KEY is not set: the writing routes answer 401", slog.String("service", "gateway"))
	}
	err := serve(ctx, cfg, log, stdout)
	if err == nil {
		return 0
	}
	complain(stderr, err)
	if errors.Is(err, errAborted) {
		return 130
	}
	return 1
}

func complain(stderr io.Writer, err error) { _, _ = fmt.Fprintf(stderr, "gateway: %v\n", err) }

// parse reads the environment, then args, which win.
func parse(fs *flag.FlagSet, args []string) error {
	fs.SetOutput(io.Discard) // Main reports errors, once
	if err := tuning.Environment(fs, Prefix, os.LookupEnv); err != nil {
		return err
	}
	if err := fs.Parse(args); err != nil {
		return err
	}
	if fs.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q: every setting is written --name=value", fs.Arg(0))
	}
	return nil
}

func serve(ctx context.Context, cfg Config, log *slog.Logger, stdout io.Writer) (err error) {
	s, err := New(cfg, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()

	ctx, stop := context.WithCancel(ctx)
	defer stop()
	abort, stopAtOnce := context.WithCancel(context.WithoutCancel(ctx))
	defer stopAtOnce()
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, os.Interrupt)
	defer signal.Stop(signals)
	go func() {
		for _, act := range []func(){stop, stopAtOnce} {
			select {
			case <-signals:
				act()
			case <-abort.Done():
				return
			}
		}
	}()
	return s.Run(ctx, abort, func(addr, admin string) {
		_, _ = fmt.Fprintf(stdout, "ready service=gateway addr=%s admin=%s\n", addr, admin)
	})
}

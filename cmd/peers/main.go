// Command peers builds the load generators that Ordeal is compared with, and
// runs them beside it.
//
//	go run ./cmd/peers build [NAME...]   builds them into bin/peers
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"ordeal/cmd/peers/peer"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		stop()
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 0 || args[0] != "build" {
		return errors.New("want: peers build [NAME...]")
	}
	return peer.Build(ctx, os.Stdout, args[1:]...)
}

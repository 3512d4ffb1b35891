// Command peers builds the load generators that Ordeal is compared with, and
// runs them beside it.
//
//	go run ./cmd/peers build [NAME...]   builds them into bin/peers
//	go run ./cmd/peers speed [flags]     compares rate, cost and memory
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"ordeal/cmd/peers/peer"
	"ordeal/cmd/peers/speed"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		stop()
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	verb := ""
	if len(args) > 0 {
		verb, args = args[0], args[1:]
	}
	switch verb {
	case "build":
		return peer.Build(ctx, os.Stdout, args...)
	case "speed":
		return compare(ctx, args)
	case "serve": // what speed starts
		if len(args) != 1 {
			return fmt.Errorf("want one kind of server, not %q", args)
		}
		return speed.Serve(args[0], os.Stdin, os.Stdout, os.NewFile(3, "counters"))
	case "engine": // what speed starts
		return speed.Engine(ctx, args, os.Stdout)
	}
	return errors.New("want: peers build [NAME...] or peers speed [flags]")
}

// compare is the verb speed.
func compare(ctx context.Context, args []string) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find the program itself, to start servers with: %w", err)
	}
	o := speed.Options{Self: self}
	var doc, readme, only, cases string
	flags := flag.NewFlagSet("speed", flag.ContinueOnError)
	flags.IntVar(&o.Rounds, "rounds", 5, "rounds through all tools")
	flags.DurationVar(&o.For, "for", 5*time.Second, "what is measured of each run of a tool")
	flags.DurationVar(&o.Warm, "warm", 2*time.Second, "what is run before that")
	flags.StringVar(&only, "only", "", "tools, comma-separated: "+strings.Join(peer.Names(), ", ")+", ordeal, engine (all)")
	flags.StringVar(&cases, "cases", "", "comparisons, comma-separated: "+strings.Join(speed.Cases(), ", ")+" (all)")
	flags.IntVar(&o.Clients, "clients", 64, "clients of the HTTP comparisons")
	flags.IntVar(&o.Rate, "rate", 5000, "calls a second where the rate is fixed")
	flags.BoolVar(&o.Pin, "pin", true, "pin the server to one processor and the tool to another, where there are two")
	flags.BoolVar(&o.Profile, "profile", false, "profile Ordeal as well; the documents have the table")
	flags.StringVar(&o.Ordeal, "ordeal", "", "the binary of Ordeal (built from the source)")
	flags.StringVar(&doc, "doc", "", "write the page to this file")
	flags.StringVar(&readme, "readme", "", "put the ratios into this README")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("want flags only, not %q", flags.Args())
	}
	o.Only, o.Cases = list(only), list(cases)
	study, err := speed.Run(ctx, os.Stderr, o)
	if err != nil {
		return err
	}
	return errors.Join(study.Table(os.Stdout), write(study, doc, readme), study.Failed())
}

func list(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' })
}

// write puts the study into the files that are named.
func write(study *speed.Study, doc, readme string) error {
	if doc != "" {
		var b strings.Builder
		if err := study.Document(&b); err != nil {
			return err
		}
		if err := os.WriteFile(doc, []byte(b.String()), 0o644); err != nil {
			return fmt.Errorf("write the page: %w", err)
		}
	}
	if readme == "" {
		return nil
	}
	old, err := os.ReadFile(readme)
	if err != nil {
		return fmt.Errorf("read the README: %w", err)
	}
	text, err := study.Readme(string(old))
	if err != nil {
		return fmt.Errorf("put the ratios into %s: %w", readme, err)
	}
	if err := os.WriteFile(readme, []byte(text), 0o644); err != nil {
		return fmt.Errorf("write the README: %w", err)
	}
	return nil
}

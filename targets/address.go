package targets

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"
	"time"
)

const (
	// freeWithin bounds the wait for an address that is in use: what a killed
	// process held is given back a moment after its death.
	freeWithin = time.Second
	// settle is how long a command must go on to run after it was found ready.
	settle = 50 * time.Millisecond
)

// listenAddr picks the address of a command: there is no way to hand an open
// listener to a program in general, so a port that is free now is chosen.
func listenAddr(spec *Spec) (string, error) {
	if spec.Listen != "" {
		return spec.Listen, nil
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port for target %s: %w", spec.Name, err)
	}
	addr := l.Addr().String()
	if err := l.Close(); err != nil {
		return "", fmt.Errorf("find a free port for target %s: %w", spec.Name, err)
	}
	return addr, nil
}

// awaitFree waits until nobody listens on the address of a command that is about
// to be started: what listens there would be taken for it.
func awaitFree(ctx context.Context, addr string) error {
	ctx, cancel := context.WithTimeout(ctx, freeWithin)
	defer cancel()
	for {
		l, err := net.Listen("tcp", addr)
		if err == nil {
			return l.Close()
		}
		if !errors.Is(err, syscall.EADDRINUSE) {
			return nil // the command may be able to, and says why if it is not
		}
		select {
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.Canceled) {
				return context.Cause(ctx)
			}
			return fmt.Errorf("address %s is in use by another program", addr)
		case <-time.After(probeEvery):
		}
	}
}

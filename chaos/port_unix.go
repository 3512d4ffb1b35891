//go:build unix

package chaos

import (
	"fmt"
	"net"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// portHold keeps a loopback port for a link while nothing listens on it, so
// that neither another program nor the kernel, in search of a port for an
// outgoing connection, takes it. A socket that is bound and does not listen
// refuses connections like a port that is free.
type portHold struct {
	fd   int
	addr string
}

// holdPort takes a free port.
func holdPort() (*portHold, error) {
	syscall.ForkLock.RLock() // no child is to inherit the descriptor
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err == nil {
		unix.CloseOnExec(fd)
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, fmt.Errorf("make a socket: %w", err)
	}
	h := &portHold{fd: fd}
	if err := h.bind(); err != nil {
		_ = unix.Close(fd) // the first error says more
		return nil, err
	}
	return h, nil
}

func (h *portHold) bind() error {
	if err := unix.SetsockoptInt(h.fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1); err != nil {
		return fmt.Errorf("share the port: %w", err)
	}
	if err := unix.Bind(h.fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return fmt.Errorf("bind to loopback: %w", err)
	}
	name, err := unix.Getsockname(h.fd)
	if err != nil {
		return fmt.Errorf("read the port: %w", err)
	}
	h.addr = net.JoinHostPort("127.0.0.1", strconv.Itoa(name.(*unix.SockaddrInet4).Port))
	return nil
}

func (h *portHold) release() error { return unix.Close(h.fd) }

// sharePort lets a listener bind to a port that is held.
func sharePort(_, _ string, c syscall.RawConn) error {
	var err error
	if e := c.Control(func(fd uintptr) {
		err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
	}); e != nil {
		return e
	}
	return err
}

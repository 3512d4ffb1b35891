//go:build unix

package load

import (
	"errors"
	"syscall"
)

// idle looks at a connection that nothing is expected of.
type idle struct {
	look func(fd uintptr)
	byte [1]byte
	gone bool
}

func (i *idle) init() { i.look = i.peek } // once, so that a look allocates nothing

// ended reports whether the connection is closed, broken, or has something to
// read. It does not wait.
func (i *idle) ended(raw syscall.RawConn) bool {
	return raw.Control(i.look) != nil || i.gone
}

func (i *idle) peek(fd uintptr) {
	_, _, err := syscall.Recvfrom(int(fd), i.byte[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
	i.gone = !errors.Is(err, syscall.EAGAIN) && !errors.Is(err, syscall.EINTR)
}

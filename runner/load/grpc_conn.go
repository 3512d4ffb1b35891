package load

import (
	"context"
	"net"
	"runtime"
	"sync/atomic"

	"google.golang.org/grpc/credentials"
)

// The reader of a connection reads some answers at once, each with frames around
// its message.
const (
	answersAtOnce   = 5
	bytesAroundEach = 64
)

// alternating are credentials whose connections let calls go on between two reads.
//
// gRPC's reader hands out all the answers that it has read, and whoever waited for
// one of them makes the next call; these gRPC writes together. With one connection
// and 32 KiB at a time, which is what gRPC reads else, all clients are answered
// before one of them calls again: target and generator wait for each other by
// turns. In small portions both have something to do.
type alternating struct {
	credentials.TransportCredentials
	answer *atomic.Int64 // bytes of an answer's message, about
}

func (a alternating) ClientHandshake(ctx context.Context, authority string, raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	conn, info, err := a.TransportCredentials.ClientHandshake(ctx, authority, raw)
	if err != nil {
		return nil, nil, err //nolint:wrapcheck // gRPC tells kinds of them apart
	}
	return &alternatingConn{Conn: conn, answer: a.answer}, info, nil
}

func (a alternating) Clone() credentials.TransportCredentials {
	return alternating{a.TransportCredentials.Clone(), a.answer}
}

// alternatingConn lets other goroutines run before it reads on where it left
// something to be read. It has one reader.
type alternatingConn struct {
	net.Conn
	answer *atomic.Int64
	more   bool
}

func (c *alternatingConn) Read(p []byte) (int, error) {
	if c.more {
		runtime.Gosched()
	}
	p = p[:min(int64(len(p)), answersAtOnce*(bytesAroundEach+c.answer.Load()))]
	n, err := c.Conn.Read(p)
	c.more = n == len(p)
	return n, err //nolint:wrapcheck // as a connection has it
}

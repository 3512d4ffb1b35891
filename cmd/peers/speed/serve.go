package speed

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"

	"github.com/valyala/fasthttp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/reflection"

	userv1 "ordeal/targets/api/user/v1"
)

// The kinds of servers that tools are run against.
const (
	plainServer = "net/http" // a net/http server
	lightServer = "fasthttp" // one that costs a fraction of that, so that it is not the limit
	grpcServer  = "grpc-go"  // the user service's GetUser, from memory
	muteServer  = "mute"     // accepts connections and says nothing; to test with
)

// answer is what an HTTP call is answered: a hundred bytes.
var answer = []byte(strings.Repeat("0123456789", 10))

// Serve is the server in a process of its own: it listens on a port of
// loopback, writes its address to out and serves until in ends, as it does with
// the process that started this one. Counters are kept in shared.
func Serve(kind string, in io.Reader, out io.Writer, shared *os.File) error {
	count, err := openCounters(shared)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	serve, ok := map[string]func(net.Listener, *counters) error{
		plainServer: servePlain, lightServer: serveLight, grpcServer: serveGRPC, muteServer: serveMute,
	}[kind]
	if !ok {
		return fmt.Errorf("no server is a %q", kind)
	}
	failed := make(chan error, 1)
	go func() { failed <- serve(&countingListener{listener, count}, count) }()
	if _, err := fmt.Fprintln(out, listener.Addr()); err != nil {
		return fmt.Errorf("tell the address: %w", err)
	}
	gone := make(chan error, 1)
	go func() { _, err := io.Copy(io.Discard, in); gone <- err }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve %s: %w", kind, err)
	case err := <-gone:
		return errors.Join(err, listener.Close()) // the process ends, and its connections with it
	}
}

func servePlain(l net.Listener, count *counters) error {
	return http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		count.arrived()
		w.Header().Set("Content-Type", "text/plain")
		w.Write(answer) //nolint:errcheck // the caller may be gone
	}))
}

func serveLight(l net.Listener, count *counters) error {
	server := fasthttp.Server{Handler: func(ctx *fasthttp.RequestCtx) {
		count.arrived()
		ctx.SetBody(answer)
	}}
	return server.Serve(l)
}

// oneUser answers every GetUser alike.
type oneUser struct {
	userv1.UnimplementedUserServiceServer
	count *counters
	user  *userv1.User
}

func (s *oneUser) GetUser(context.Context, *userv1.GetUserRequest) (*userv1.User, error) {
	s.count.arrived()
	return s.user, nil
}

func serveGRPC(l net.Listener, count *counters) error {
	server := grpc.NewServer()
	userv1.RegisterUserServiceServer(server, &oneUser{
		count: count, user: &userv1.User{Id: "42", Name: "Ada Lovelace", Age: 36, Email: "ada@example.com"},
	})
	reflection.Register(server) // the tools ask it what GetUser takes
	return server.Serve(l)
}

func serveMute(l net.Listener, _ *counters) error {
	for {
		conn, err := l.Accept()
		if err != nil {
			return err
		}
		go io.Copy(io.Discard, conn) //nolint:errcheck // to the end of the connection, whatever it is
	}
}

// countingListener counts the connections that are open.
type countingListener struct {
	net.Listener
	count *counters
}

// Accept implements net.Listener.
func (l *countingListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.count.conns.Add(1)
	return &countedConn{Conn: conn, count: l.count}, nil
}

type countedConn struct {
	net.Conn
	count *counters
	once  sync.Once
}

// Close implements net.Conn.
func (c *countedConn) Close() error {
	c.once.Do(func() { c.count.conns.Add(-1) })
	return c.Conn.Close()
}

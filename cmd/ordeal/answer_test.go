package main

import (
	"bytes"
	"fmt"
	"net"
	"os"
)

// answer serves HTTP on an address until it is killed, and does as little for it
// as can be done: a load generator has its limit long before this has.
func answer(addr string) int {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	for {
		conn, err := l.Accept()
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		go func() {
			defer conn.Close()
			in := make([]byte, 4096)
			for {
				n, err := conn.Read(in)
				// Requests without a body that come in one piece: all that is asked of it.
				if err != nil || !bytes.HasSuffix(in[:n], []byte("\r\n\r\n")) {
					return
				}
				if _, err := conn.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")); err != nil {
					return
				}
			}
		}()
	}
}

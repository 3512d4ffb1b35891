// Command ordeal runs load-testing and chaos scenarios, judges what they left
// behind and reports it.
package main

import (
	"context"
	"os"
)

func main() {
	os.Exit(run(context.Background(), os.Stdout, os.Stderr, os.Args[1:]))
}

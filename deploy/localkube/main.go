// Command localkube is a Kubernetes control plane on one machine.
package main

import (
	"os"

	"ordeal/deploy/localkube/controlplane"
)

func main() { os.Exit(controlplane.Run(os.Args[1])) }

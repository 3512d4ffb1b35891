package controlplane

import "ordeal/deploy/localkube/components"

// limits are the environment variables that keep a component small: the machine is the system's under test. Memory is
// a soft limit, below which the collector is at ease.
func limits(name string) []string {
	memory := map[string]string{
		components.Etcd:              "96MiB",
		components.APIServer:         "400MiB",
		components.ControllerManager: "160MiB",
		components.Scheduler:         "96MiB",
	}
	return []string{"GOMAXPROCS=2", "GOMEMLIMIT=" + memory[name]}
}

//go:build !linux

package load

// machineMemory is known on Linux only.
func machineMemory() uint64 { return 0 }

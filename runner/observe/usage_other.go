//go:build !linux

package observe

// usage is known on Linux only: elsewhere the series are absent.
func usage(int) (cpu, resident float64, ok bool) { return 0, 0, false }

func residentBytes(int) (bytes float64, ok bool) { return 0, false }

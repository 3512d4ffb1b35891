//go:build !linux

package observe

// machine is known on Linux only: elsewhere the series are absent.
func machine() (machineTimes, bool) { return machineTimes{}, false }

func pressure() (waited float64, ok bool) { return 0, false }

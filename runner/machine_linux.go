package runner

import "golang.org/x/sys/unix"

// machine gives the kernel's release and the bytes of memory.
func machine() (kernel string, memory int64) {
	var uts unix.Utsname
	if unix.Uname(&uts) == nil {
		kernel = unix.ByteSliceToString(uts.Sysname[:]) + " " + unix.ByteSliceToString(uts.Release[:])
	}
	var info unix.Sysinfo_t
	if unix.Sysinfo(&info) == nil {
		memory = int64(info.Totalram) * int64(info.Unit)
	}
	return kernel, memory
}

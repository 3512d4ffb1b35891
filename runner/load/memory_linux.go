package load

import "github.com/prometheus/procfs"

// machineMemory gives the bytes of memory that the machine has, 0 where that is
// not known.
func machineMemory() uint64 {
	fs, err := procfs.NewDefaultFS()
	if err != nil {
		return 0
	}
	info, err := fs.Meminfo()
	if err != nil || info.MemTotalBytes == nil {
		return 0
	}
	return *info.MemTotalBytes
}

package targets

import (
	"errors"
	"fmt"
	"os/exec"
	"time"

	"golang.org/x/sys/unix"
)

// awaitEnd waits until the process is dead and leaves it unreaped: until then
// its id, and that of its group, are nobody else's.
func awaitEnd(cmd *exec.Cmd) error {
	for {
		err := unix.Waitid(unix.P_PID, cmd.Process.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		switch {
		case err == nil:
			return nil
		case !errors.Is(err, unix.EINTR):
			return cmd.Wait()
		}
	}
}

// dyingWithin bounds the wait for the last threads of a process whose first
// thread has ended. Where that is not because all of it ends, they go on.
const dyingWithin = 100 * time.Millisecond

// hasEnded reports whether a process of ours that was not reaped yet is dead.
func hasEnded(pid int) bool {
	for deadline := time.Now().Add(dyingWithin); ; time.Sleep(time.Millisecond) {
		var info unix.Siginfo
		err := unix.Waitid(unix.P_PID, pid, &info, unix.WEXITED|unix.WNOWAIT|unix.WNOHANG, nil)
		if err == nil && info.Signo != 0 {
			return true
		}
		if time.Now().After(deadline) || taskState(fmt.Sprintf("/proc/%d/stat", pid)) != 'Z' {
			return false
		}
	}
}

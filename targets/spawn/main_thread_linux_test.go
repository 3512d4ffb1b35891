package spawn

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"
)

// onMainThread, set for the test binary, makes it serve a spawner on its main thread and tell how a child ended.
const onMainThread = "SPAWN_ON_MAIN_THREAD"

// Only while packages are initialized is the main goroutine sure to be on the main thread.
func init() {
	if os.Getenv(onMainThread) == "" {
		return
	}
	s := &Spawner{requests: make(chan request), quit: make(chan struct{}), done: make(chan struct{})}
	go func() {
		child := exec.Command("/bin/sleep", "1000")
		if err := s.Start(child); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		s.Close()
		fmt.Println(child.Wait())
		os.Exit(0)
	}()
	s.run()
	runtime.LockOSThread() // as run leaves any other thread
	runtime.Goexit()
}

func TestCloseEndsWhatRunsThoughBegunOnTheMainThread(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), onMainThread+"=1")
	out, err := cmd.CombinedOutput()
	if err != nil || strings.TrimSpace(string(out)) != "signal: killed" {
		t.Errorf("the child ended with %q, %v: want that it was killed", out, err)
	}
}

package speed

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// hear finds the noise on a processor, in so much time, while another one is kept
// busy; below 0 is for any.
func hear(cpu, other int, lasts time.Duration) (n noise, err error) {
	var over atomic.Bool
	beside := make(chan error, 1)
	go func() {
		beside <- onProcessor(other, func() error {
			for !over.Load() {
			}
			return nil
		})
	}()
	defer func() {
		over.Store(true)
		err = errors.Join(err, <-beside)
	}()
	page := os.Getpagesize()
	memory, err := unix.Mmap(-1, 0, probePages*page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return noise{}, fmt.Errorf("ask for memory: %w", err)
	}
	defer unix.Munmap(memory) //nolint:errcheck // it is ours
	touch := func() time.Duration {
		began := time.Now()
		for i := 0; i < len(memory); i += page {
			memory[i]++
		}
		return time.Since(began) / probePages
	}
	err = onProcessor(cpu, func() error {
		touch()
		began := time.Now()
		var held time.Duration
		late := make([]time.Duration, 0, lasts/probeEvery+1)
		for last, due, busy := began, began, began; last.Sub(began) < lasts; {
			now := time.Now()
			if now.After(due) && now.After(busy) {
				late = append(late, now.Sub(due))
				due, busy = due.Add(probeEvery), now.Add(probeWork)
			}
			if gap := now.Sub(last); gap >= heldFrom {
				held += gap
				n.longest = max(n.longest, gap)
			}
			last = now
		}
		n.idle = time.Since(began).Round(time.Second / 10)
		slices.Sort(late)
		n.late = late[len(late)*99/100]
		n.held = held.Seconds() / time.Since(began).Seconds()
		n.cold, n.warm = touch(), touch()
		return nil
	})
	return n, err
}

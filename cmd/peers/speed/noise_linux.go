package speed

import (
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// hear finds the noise on a processor, below 0 on any, in so much time.
func hear(cpu int, lasts time.Duration) (n noise, err error) {
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
		for last := began; last.Sub(began) < lasts; {
			now := time.Now()
			if gap := now.Sub(last); gap >= heldFrom {
				held += gap
				n.longest = max(n.longest, gap)
			}
			last = now
		}
		n.idle = time.Since(began).Round(time.Second / 10)
		n.held = held.Seconds() / time.Since(began).Seconds()
		n.cold, n.warm = touch(), touch()
		return nil
	})
	return n, err
}

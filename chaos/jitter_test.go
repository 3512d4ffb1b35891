package chaos

import (
	"slices"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2/stream"
)

// delays gives the due times of chunks that all came at once, each sent as if
// the one before had left, so that keeping the order changes none.
func delays(seed, conn uint64, n int) (all []time.Duration) {
	l := &Latency{Delay: 100 * time.Millisecond, Jitter: 40 * time.Millisecond}
	a := &acting{seed: faultSeed(seed, "latency")}
	f := &flow{conn: &connection{index: conn}, way: down}
	s := l.begin(a)(f)
	at := time.Now()
	for range n {
		at = at.Add(time.Second)
		s.arrive(piece{chunk: &stream.StreamChunk{Data: []byte("x"), Timestamp: at}}, func(p piece) {
			all = append(all, p.due.Sub(at))
		})
	}
	return all
}

func TestJitterIsDrawnBySeed(t *testing.T) {
	first := delays(1, 0, 200)
	if !slices.Equal(first, delays(1, 0, 200)) {
		t.Error("the same seed draws other delays")
	}
	if slices.Equal(first, delays(2, 0, 200)) || slices.Equal(first, delays(1, 1, 200)) {
		t.Error("another seed, or connection, draws the same delays")
	}
	low, high := slices.Min(first), slices.Max(first)
	if low < 60*time.Millisecond || low > 70*time.Millisecond || high > 140*time.Millisecond || high < 130*time.Millisecond {
		t.Errorf("delays from %s to %s, want them all over 100ms ± 40ms", low, high)
	}
}

func TestLatencyKeepsTheOrder(t *testing.T) {
	l := &Latency{Delay: 100 * time.Millisecond, Jitter: 100 * time.Millisecond}
	f := &flow{conn: &connection{}, way: down}
	s := l.begin(&acting{seed: 3})(f)
	var last time.Time
	next := func(p piece) {
		if p.due.Before(last) {
			t.Errorf("due %s before the piece ahead of it", last.Sub(p.due))
		}
		last = p.due
	}
	at := time.Now()
	for range 100 {
		s.arrive(piece{chunk: &stream.StreamChunk{Data: []byte("x"), Timestamp: at}}, next)
	}
	s.arrive(piece{}, next) // the end of the stream overtakes nothing either
}

package evidence

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

func TestCallsInFlightAndWaitingAreAveragedOverTicks(t *testing.T) {
	const start, length = 2 * time.Second, 2 * time.Second
	r := rand.New(rand.NewPCG(3, 3))
	var samples []Sample
	for i := range 4000 {
		s := Sample{Seq: uint64(i), Intended: start + time.Duration(i)*length/4000}
		s.Sent = s.Intended + time.Duration(r.ExpFloat64()*2e7)
		s.Done = s.Sent + time.Duration(r.ExpFloat64()*3e8) // some are done long after the run
		samples = append(samples, s)
	}
	run := phased(t, start, []string{"a", "idle"}, []string{"one", "two"}, samples)
	sum := mustSum(t, run)
	l := sum.Load("a")
	if len(l.InFlight) != 20 || len(l.Waiting) != 20 || len(l.Ticks) != 20 {
		t.Fatalf("%d, %d of %d ticks", len(l.InFlight), len(l.Waiting), len(l.Ticks))
	}
	over := func(from, to, tick time.Duration) float64 {
		return max(0, float64(min(to, tick+sum.Tick)-max(from, tick))) / float64(sum.Tick)
	}
	for k := range l.Ticks {
		tick := start + time.Duration(k)*sum.Tick
		var busy, waiting float64
		for _, s := range samples {
			busy += over(s.Sent, s.Done, tick)
			waiting += over(s.Intended, s.Sent, tick)
		}
		if math.Abs(l.InFlight[k]-busy) > 1e-6*busy || math.Abs(l.Waiting[k]-waiting) > 1e-6*waiting {
			t.Errorf("tick %d: %v in flight, want %v; %v waiting, want %v", k, l.InFlight[k], busy, l.Waiting[k], waiting)
		}
	}
	for k, n := range sum.Load("idle").InFlight {
		if n != 0 {
			t.Errorf("the idle load has %v in flight at tick %d", n, k)
		}
	}
}

func TestAbsurdTimesTakeNoMemory(t *testing.T) {
	var o occupancy
	o.add(-math.MaxFloat64, math.MaxFloat64, 100)
	o.add(5, 2, 100) // ends before it begins
	o.add(math.NaN(), 3, 100)
	o.add(1e300, math.Inf(1), 100)
	if n := len(o.part); n > 200 {
		t.Errorf("%d ticks", n)
	}
	for k, n := range o.settle(100) {
		if n != 1 {
			t.Errorf("tick %d holds %v", k, n)
		}
	}
}

package load

import (
	"math"
	"time"
)

// piece is a part of a curve over which the rate is a straight line, or a
// wave. Its integral is the number of calls that are due; the inverse of the
// integral is when a call is due. Times are seconds from the piece's start.
type piece struct {
	span  float64 // length in seconds
	rate  float64 // at the start, without the wave
	slope float64 // change of the rate in a second

	amplitude float64 // of the wave; 0 for a straight line
	omega     float64 // of the wave, radians a second
	phase     float64 // of the wave at the start, radians
}

func flat(span time.Duration, rate Rate) piece {
	return piece{span: span.Seconds(), rate: float64(rate)}
}

func linear(span time.Duration, from, to Rate) piece {
	p := piece{span: span.Seconds(), rate: float64(from)}
	if p.span > 0 {
		p.slope = float64(to-from) / p.span
	}
	return p
}

func wave(span time.Duration, mean, amplitude Rate, period time.Duration) piece {
	return piece{span: span.Seconds(), rate: float64(mean), amplitude: float64(amplitude), omega: 2 * math.Pi / period.Seconds()}
}

// from is the rest of the piece after its first t seconds.
func (p piece) from(t float64) piece {
	p.span -= t
	p.rate += p.slope * t
	p.phase = math.Mod(p.phase+p.omega*t, 2*math.Pi)
	return p
}

// rateAt is the rate t seconds into the piece.
func (p *piece) rateAt(t float64) float64 {
	r := p.rate + p.slope*t
	if p.amplitude != 0 {
		r += p.amplitude * math.Sin(p.phase+p.omega*t)
	}
	return max(r, 0)
}

// due is how many calls are due in the first t seconds.
func (p *piece) due(t float64) float64 {
	n := t * (p.rate + p.slope*t/2)
	if p.amplitude != 0 {
		n += p.amplitude / p.omega * (math.Cos(p.phase) - math.Cos(p.phase+p.omega*t))
	}
	return max(n, 0)
}

// when is the inverse of due: the time at which n calls are due.
func (p *piece) when(n float64) float64 {
	if n <= 0 {
		return 0
	}
	if p.amplitude != 0 {
		return p.search(n)
	}
	// The root of slope/2·t² + rate·t = n, in the form that does not cancel.
	root := math.Sqrt(max(p.rate*p.rate+2*p.slope*n, 0))
	if p.rate+root == 0 {
		return p.span
	}
	return min(2*n/(p.rate+root), p.span)
}

// search inverts due by Newton's method, kept inside a shrinking bracket: due
// never falls, but its slope may be zero at the bottom of a wave.
func (p *piece) search(n float64) float64 {
	low, high := 0.0, p.span
	t := min(n/p.rate, p.span)
	for range 100 {
		d := p.due(t) - n
		if d > 0 {
			high = t
		} else {
			low = t
		}
		if high-low <= 1e-10 {
			break
		}
		next := t - d/p.rateAt(t)
		if !(next > low && next < high) { // also where the rate is zero: not a number
			next = low + (high-low)/2
		}
		if math.Abs(next-t) <= 1e-11*max(1, t) {
			return next
		}
		t = next
	}
	return t
}

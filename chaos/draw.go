package chaos

import "hash/fnv"

// draw gives a number that depends on its arguments alone, evenly spread: the
// finalizer of SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom
// number generators, 2014) over each argument in turn.
func draw(seed uint64, keys ...uint64) uint64 {
	x := seed
	for _, k := range keys {
		x = mix(x ^ mix(k+0x9e3779b97f4a7c15))
	}
	return mix(x)
}

func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// unit maps a drawn number to [0, 1).
func unit(x uint64) float64 { return float64(x>>11) / (1 << 53) }

// spread maps a drawn number to [-1, 1).
func spread(x uint64) float64 { return 2*unit(x) - 1 }

// faultSeed makes the draws of different faults of a run independent.
func faultSeed(seed uint64, fault string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(fault)) // a hash takes everything
	return draw(seed, h.Sum64())
}

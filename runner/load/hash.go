package load

import "math"

// mix hashes two words into one, so that a decision depends on (seed, index)
// alone and never on a generator that is shared or on the order of questions.
// The finalizer is that of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
func mix(a, b uint64) uint64 {
	z := a + 0x9e3779b97f4a7c15*(b+1)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// hashString is FNV-1a.
func hashString(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}

// uniform maps a word to (0, 1].
func uniform(word uint64) float64 { return (float64(word>>11) + 1) / (1 << 53) }

// exponential maps a word to an exponentially distributed value with mean 1.
func exponential(word uint64) float64 { return -math.Log(uniform(word)) }

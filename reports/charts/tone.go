package charts

import (
	"image/color"
	"strings"
)

// Tone is a colour by its meaning. A chart is drawn with a stand-in for every
// tone, which becomes the CSS variable of the tone's name in the SVG, so that
// the page decides on the colours: one drawing serves light, dark and print.
type Tone uint8

// The tones. What each is for is said in tones below.
const (
	Ink Tone = iota
	Muted
	Grid
	Edge
	Band
	BandEdge
	P50
	P90
	P99
	Max
	Attained
	AttainedFill
	Planned
	PhaseFill
	WarmupFill
	Closed
	Open
	HalfOpen
	ClosedFill
	OpenFill
	HalfOpenFill
	FaultFill
	Degraded
	Cat1
	Cat2
	Cat3
	Cat4
	Cat5
	Cat6
	Cat7
	Cat8
	numTones
)

var tones = [numTones]string{
	Ink: "ink", Muted: "muted", Grid: "grid", Edge: "edge",
	Band: "band", BandEdge: "band-edge",
	P50: "p50", P90: "p90", P99: "p99", Max: "max",
	Attained: "attained", AttainedFill: "attained-fill", Planned: "planned",
	PhaseFill: "phase", WarmupFill: "warmup",
	Closed: "closed", Open: "open", HalfOpen: "half-open",
	ClosedFill: "closed-fill", OpenFill: "open-fill", HalfOpenFill: "half-open-fill", FaultFill: "fault", Degraded: "degraded",
	Cat1: "cat1", Cat2: "cat2", Cat3: "cat3", Cat4: "cat4",
	Cat5: "cat5", Cat6: "cat6", Cat7: "cat7", Cat8: "cat8",
}

// Var is the name of the tone's CSS variable, "--c-ink".
func (t Tone) Var() string {
	if t >= numTones {
		t = Ink
	}
	return "--c-" + tones[t]
}

// Category gives the i-th of the tones that tell kinds apart; it wraps round.
func Category(i int) Tone { return Cat1 + Tone(i%8) }

// standIn is the colour a tone is drawn with before it becomes a variable.
func (t Tone) standIn() color.Color {
	return color.NRGBA{R: 0xD0, G: 0x0D, B: 0x10 + uint8(t), A: 0xFF}
}

// toneNames turns stand-ins, as the SVG canvas writes them in style
// attributes, into variables.
func toneNames() *strings.Replacer {
	const hex = "0123456789ABCDEF"
	var pairs []string
	for t := Tone(0); t < numTones; t++ {
		b := 0x10 + uint8(t)
		code := "#D00D" + string([]byte{hex[b>>4], hex[b&15]})
		for _, property := range []string{"fill:", "stroke:"} {
			pairs = append(pairs, property+code, property+"var("+t.Var()+")")
		}
	}
	return strings.NewReplacer(pairs...)
}

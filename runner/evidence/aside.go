package evidence

import (
	"time"

	"github.com/parquet-go/parquet-go/compress"
)

const (
	// To write a group of rows takes milliseconds. After so long a piece of that,
	pieceTime = 100 * time.Microsecond
	// whoever else wants the processor has it for so long.
	asideTime = time.Millisecond
)

// aside lets the calls under way go before the writing of those that have ended.
// A goroutine with work to do holds its processor for up to 10 ms. To yield is not
// enough: what comes in over the network is looked for only where a processor has
// nothing else to run.
type aside struct {
	piece   time.Duration
	hurried func() bool // there is no time for it
	pause   func(time.Duration)
	since   time.Time // when the piece of work was begun
}

func newAside(hurried func() bool) *aside {
	return &aside{piece: pieceTime, hurried: hurried, pause: time.Sleep}
}

// begin is called when work begins.
func (a *aside) begin() { a.since = time.Now() }

// step is called between two pieces of work.
func (a *aside) step() {
	if time.Since(a.since) < a.piece || a.hurried() {
		return
	}
	a.pause(asideTime)
	a.begin()
}

// steppingCodec steps aside between the columns of a group.
type steppingCodec struct {
	compress.Codec
	aside *aside
}

// Encode implements compress.Codec.
func (c steppingCodec) Encode(dst, src []byte) ([]byte, error) {
	c.aside.step()
	return c.Codec.Encode(dst, src)
}

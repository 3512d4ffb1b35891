package evidence

import (
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
)

const (
	batchRows  = 256 // rows a batch
	maxBatches = 128 // batches of one intake, full and being filled
)

// intake takes rows from many goroutines and hands them on in batches, without
// allocating a row and without waiting for whoever takes the batches, as long
// as its bound on batches is not reached. Then callers wait for a batch to come
// back, which is counted; no row is dropped before close.
type intake[T any] struct {
	shards []shard[T]
	full   chan *batch[T] // never blocks: it has room for every batch there is
	free   chan *batch[T]
	made   atomic.Int64
	waits  atomic.Int64
	late   atomic.Int64 // rows that came after close
}

type batch[T any] struct{ rows []T }

type shard[T any] struct {
	mu     sync.Mutex
	b      *batch[T] // being filled; nil where none is
	closed bool
	_      [64]byte // keeps neighbours out of one cache line
}

func newIntake[T any](shards int) *intake[T] {
	return &intake[T]{
		shards: make([]shard[T], shards),
		full:   make(chan *batch[T], maxBatches),
		free:   make(chan *batch[T], maxBatches),
	}
}

// perCPU is a number of shards that keeps callers out of each other's way.
func perCPU() int {
	n := 1
	for n < 2*runtime.GOMAXPROCS(0) && n < maxBatches/4 {
		n *= 2
	}
	return n
}

// put takes one row.
func (in *intake[T]) put(row *T) {
	s := &in.shards[0]
	if len(in.shards) > 1 {
		s = &in.shards[rand.Uint32()%uint32(len(in.shards))]
	}
	var spare *batch[T]
	for {
		s.mu.Lock()
		if s.closed {
			s.mu.Unlock()
			in.late.Add(1)
			break
		}
		if s.b == nil {
			if spare == nil {
				spare = in.take()
			}
			s.b, spare = spare, nil
		}
		if s.b != nil {
			s.b.rows = append(s.b.rows, *row)
			if len(s.b.rows) == batchRows {
				in.full <- s.b
				s.b = nil
			}
			s.mu.Unlock()
			break
		}
		s.mu.Unlock()
		// Wait without the lock, so that the rows in the shard can be collected.
		in.waits.Add(1)
		spare = <-in.free
	}
	if spare != nil {
		in.free <- spare
	}
}

// take gets an empty batch, or nil where the bound is reached.
func (in *intake[T]) take() *batch[T] {
	select {
	case b := <-in.free:
		return b
	default:
	}
	if in.made.Add(1) > maxBatches {
		in.made.Add(-1)
		return nil
	}
	return &batch[T]{rows: make([]T, 0, batchRows)}
}

// give brings a batch back whose rows have been taken out.
func (in *intake[T]) give(b *batch[T]) {
	clear(b.rows) // let go of the strings
	b.rows = b.rows[:0]
	in.free <- b
}

// collect takes what has been put so far, also from batches that are not full.
func (in *intake[T]) collect(closing bool, with func(*batch[T])) {
	for i := range in.shards {
		s := &in.shards[i]
		s.mu.Lock()
		b := s.b
		s.b = nil
		s.closed = s.closed || closing
		s.mu.Unlock()
		if b != nil {
			with(b)
		}
	}
	for {
		select {
		case b := <-in.full:
			with(b)
		default:
			return
		}
	}
}

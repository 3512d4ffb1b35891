package load

import (
	"context"
	"strconv"
	"sync/atomic"

	"github.com/jhump/protoreflect/dynamic"
	"google.golang.org/grpc/metadata"
)

// grpcWorker makes one call after the other, so what a call needs is kept here from
// one to the next. Of streams it is our side of one of ghz's workers.
type grpcWorker struct {
	run   *grpcRun
	n     int                      // its number
	key   []string                 // under callKey
	input []*dynamic.Message       // of a call with one message, as ghz wants it
	call  atomic.Pointer[grpcCall] // that is under way, or was the last
	taken uint64                   // ghz's number for it, from 1
	free  *freeWorker              // between two calls of an open model
	over  bool                     // ghz asked for another call when the time for calls was over

	md    metadata.MD     // of the last call, where the next one has the same but for a token
	token string          // that is in md
	ctx   context.Context // with md, of a unary call
}

func newGRPCWorker(run *grpcRun, n int) *grpcWorker {
	w := &grpcWorker{run: run, n: n, key: []string{strconv.Itoa(n)}, free: newFreeWorker()}
	if run.engine != nil && !run.engine.method.IsClientStreaming() {
		w.input = []*dynamic.Message{run.engine.messages[0].ready}
	}
	return w
}

// take gives the call that ghz counts as the given number; nil where the time
// for calls is over.
func (w *grpcWorker) take(number uint64) *grpcCall {
	if w.taken != number+1 { // else a stream's interceptor has asked before
		w.taken = number + 1
		seq, ok := w.run.number()
		if w.over = !ok; ok {
			w.next(seq)
		}
	}
	if w.over {
		return nil
	}
	return w.call.Load()
}

// next makes room for call seq. The one before has returned from gRPC.
func (w *grpcWorker) next(seq uint64) *grpcCall {
	c := w.call.Load()
	if c == nil || !c.again(seq) {
		c = newGRPCCall(w.run, seq)
		w.call.Store(c)
	}
	return c
}

// noCall is metadata that gRPC refuses: ghz is through with its call at once. An
// error would be kept by ghz until the end.
func noCall() *metadata.MD { return &metadata.MD{"": nil} }

// begin gives the metadata of a call, the last thing that ghz asks for before it
// makes the call.
func (w *grpcWorker) begin(number uint64) *metadata.MD {
	c := w.take(number)
	if c == nil {
		return noCall()
	}
	err := w.request(c.seq)
	c.begin()
	if err != nil {
		c.unmade()
		return noCall()
	}
	return &w.md
}

// request makes what is sent.
func (w *grpcWorker) request(seq uint64) error {
	e := w.run.engine
	v := e.vars(seq)
	token, err := e.authorization()
	if err != nil {
		return err
	}
	if w.md == nil || token != w.token || !e.metadata.fixed() {
		key := w.key
		if w.run.direct != nil {
			key = nil
		}
		if w.md, err = e.makeMetadata(key, v, token); err != nil {
			return err
		}
		w.token = token
		if w.run.direct != nil {
			w.ctx = w.withCall(w.md)
		}
	}
	if w.input != nil && e.messages[0].ready == nil {
		m, err := e.messages[0].render(v)
		if err != nil {
			return err
		}
		w.input[0] = m
	}
	return nil
}

package gateway

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/gin-gonic/gin"
)

// envelope is the one shape of every answer.
type envelope struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	Data    any    `json:"data"`
}

// responder writes answers. Without a pool it makes a buffer and an encoder for each.
type responder struct {
	pool *sync.Pool
	log  *slog.Logger
}

// responseBuffer is an encoder with what it writes to and what it writes, so that one reuse saves all three.
type responseBuffer struct {
	bytes.Buffer
	encoder *json.Encoder
	body    envelope
}

const (
	responseBufferSize = 1 << 10  // what a usual answer fits in
	keepBufferUpTo     = 64 << 10 // a rare huge answer's buffer is left to the collector
)

var jsonType = []string{"application/json; charset=utf-8"}

func newResponseBuffer() *responseBuffer {
	b := new(responseBuffer)
	b.Grow(responseBufferSize)
	b.encoder = json.NewEncoder(&b.Buffer)
	return b
}

func newResponder(pooled bool, log *slog.Logger) *responder {
	r := &responder{log: log}
	if pooled {
		r.pool = &sync.Pool{New: func() any { return newResponseBuffer() }}
	}
	return r
}

func (r *responder) get() *responseBuffer {
	if r.pool == nil {
		return newResponseBuffer()
	}
	return r.pool.Get().(*responseBuffer)
}

func (r *responder) put(b *responseBuffer) {
	if r.pool == nil || b.Cap() > keepBufferUpTo {
		return
	}
	b.Reset()
	b.body = envelope{} // must not keep the answer's data alive
	r.pool.Put(b)
}

// ok answers with data.
func (r *responder) ok(c *gin.Context, status int, data any) {
	r.write(c, status, envelope{codeOK, "ok", data})
}

// fail answers with what went wrong, and ends the chain.
func (r *responder) fail(c *gin.Context, f failure) {
	c.Abort()
	if f.retryAfter > 0 {
		seconds := (f.retryAfter + time.Second - 1) / time.Second
		c.Header("Retry-After", strconv.Itoa(int(seconds)))
	}
	r.write(c, f.status, envelope{f.code, f.message, f.data})
}

func (r *responder) write(c *gin.Context, status int, body envelope) {
	b := r.get()
	defer r.put(b)
	b.body = body
	if err := b.encoder.Encode(&b.body); err != nil {
		r.log.LogAttrs(c.Request.Context(), slog.LevelError, "encode answer", slog.Any("error", err))
		b.Reset()
		status = http.StatusInternalServerError
		_, _ = b.WriteString(`{"code":50000,"message":"internal error","data":null}`)
	}
	h := c.Writer.Header()
	h["Content-Type"] = jsonType
	h["Content-Length"] = []string{strconv.Itoa(b.Len())}
	c.Writer.WriteHeader(status)
	_, _ = c.Writer.Write(b.Bytes()) // it fails when the client is gone, which the access log shows
}

package gateway

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"

	"github.com/gin-gonic/gin"
)

// recovery answers for a handler that panicked. Once part of an answer is out, only the connection can be ended.
func recovery(answer *responder, m *metrics, log *slog.Logger) gin.HandlerFunc {
	return func(c *gin.Context) {
		defer func() {
			cause := recover()
			if cause == nil {
				return
			}
			if err, ok := cause.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(cause) // the way to end a connection: the server knows what to do
			}
			m.panics.Inc()
			x := exchangeOf(c.Request.Context())
			log.LogAttrs(c.Request.Context(), slog.LevelError, "panic",
				slog.String("trace_id", x.trace.traceID), slog.String("request_id", x.requestID),
				slog.String("route", routeOf(c)), slog.String("cause", fmt.Sprint(cause)), slog.String("stack", string(debug.Stack())))
			if c.Writer.Written() {
				panic(http.ErrAbortHandler)
			}
			answer.fail(c, failure{status: http.StatusInternalServerError, code: codePanic, message: "internal error"})
		}()
		c.Next()
	}
}

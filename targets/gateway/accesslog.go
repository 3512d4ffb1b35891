package gateway

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
)

// accessLog writes one line per request, at its end.
func accessLog(log *slog.Logger) gin.HandlerFunc {
	return func(c *gin.Context) {
		start, panicked := time.Now(), true
		defer func() {
			x := exchangeOf(c.Request.Context())
			attrs := [12]slog.Attr{
				slog.String("trace_id", x.trace.traceID), slog.String("span_id", x.trace.spanID),
				slog.String("request_id", x.requestID),
				slog.String("method", c.Request.Method), slog.String("route", routeOf(c)),
				slog.String("path", c.Request.URL.Path),
				slog.Int("status", statusOf(c, panicked)), slog.Float64("duration_ms", float64(time.Since(start).Microseconds())/1000),
				slog.Int("bytes", max(0, c.Writer.Size())), slog.String("remote", c.Request.RemoteAddr),
			}
			n := 10
			if x.degraded != "" {
				attrs[n] = slog.String("degraded", x.degraded)
				n++
			}
			if x.subject != "" {
				attrs[n] = slog.String("subject", x.subject)
				n++
			}
			log.LogAttrs(c.Request.Context(), slog.LevelInfo, "request", attrs[:n]...)
		}()
		c.Next()
		panicked = false
	}
}

// routeOf is the pattern that matched, never the raw path: it is safe as a label.
func routeOf(c *gin.Context) string {
	if route := c.FullPath(); route != "" {
		return route
	}
	return "unmatched"
}

// statusOf is the status that the client sees. While a panic passes by, recovery has not yet written it.
func statusOf(c *gin.Context, panicked bool) int {
	if panicked && !c.Writer.Written() {
		return http.StatusInternalServerError
	}
	return c.Writer.Status()
}

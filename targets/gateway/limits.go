package gateway

import (
	"context"
	"errors"
	"math"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
	"golang.org/x/time/rate"
)

// deadline gives the request its budget. Handlers and calls to the user service see it through the context;
// a handler that gives up on it without an answer is answered for.
func deadline(budget time.Duration, answer *responder) gin.HandlerFunc {
	return func(c *gin.Context) {
		ctx, cancel := context.WithTimeout(c.Request.Context(), budget)
		defer cancel()
		c.Request = c.Request.WithContext(ctx)
		c.Next()
		if errors.Is(ctx.Err(), context.DeadlineExceeded) && !c.Writer.Written() {
			answer.fail(c, failure{status: http.StatusGatewayTimeout, code: codeTimeout, message: "the request took too long"})
		}
	}
}

// rateLimit lets through perSecond requests on average and burst at once, and refuses the rest.
func rateLimit(perSecond float64, burst int, answer *responder, m *metrics) gin.HandlerFunc {
	bucket := rate.NewLimiter(rate.Limit(perSecond), burst)
	token := time.Duration(math.Min(1/perSecond, 3600) * float64(time.Second)) // until the next one is there
	refusal := failure{
		status: http.StatusTooManyRequests, code: codeTooMany, message: "too many requests",
		retryAfter: max(time.Second, token),
	}
	return func(c *gin.Context) {
		if !bucket.Allow() {
			m.rateLimited.Inc()
			answer.fail(c, refusal)
			return
		}
		c.Next()
	}
}

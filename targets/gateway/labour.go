package gateway

import (
	"context"
	"errors"

	"github.com/gin-gonic/gin"

	"ordeal/targets/work"
)

// labour makes each request pay the cost before it is handled. A request whose budget ends meanwhile is left for
// deadline to answer.
func labour(cost work.Cost, answer *responder) gin.HandlerFunc {
	worker := work.Measure()
	return func(c *gin.Context) {
		switch err := worker.Pay(c.Request.Context(), cost); {
		case err == nil:
			c.Next()
		case errors.Is(err, context.DeadlineExceeded):
			c.Abort()
		default:
			answer.fail(c, failure{status: statusClientGone, code: codeClientGone, message: "the client went away"})
		}
	}
}

package gateway

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"ordeal/targets/work"
)

// routes puts the middleware in order. What every request needs is global; the rest is where it is needed.
func (s *Server) routes() *gin.Engine {
	t := &s.cfg.Tuning
	answer := newResponder(t.Pool, s.log)

	e := gin.New()
	e.HandleMethodNotAllowed = true
	e.RedirectTrailingSlash = false // a redirect would be an answer of another shape
	e.ForwardedByClientIP = false
	e.Use(recovery(answer, s.metrics, s.log), identify(s.cfg.Instance, s.cfg.Version), s.partWhenDraining)
	if t.AccessLog {
		e.Use(accessLog(s.log))
	}
	e.Use(s.metrics.observe)
	e.NoRoute(func(c *gin.Context) {
		answer.fail(c, failure{status: http.StatusNotFound, code: codeNoRoute, message: "there is nothing here"})
	})
	e.NoMethod(func(c *gin.Context) {
		answer.fail(c, failure{status: http.StatusMethodNotAllowed, code: codeNoMethod, message: "not with this method"})
	})

	api := e.Group("/api/v1", deadline(t.RequestTimeout, answer))
	if t.RateLimit > 0 {
		api.Use(rateLimit(t.RateLimit, t.Burst(), answer, s.metrics))
	}
	if s.cfg.Work != (work.Cost{}) {
		api.Use(labour(s.cfg.Work, answer))
	}
	validate := newValidator()
	h := &userHandlers{
		upstream: s.upstream, answer: answer, fallback: t.Fallback,
		body: strictJSON{validate}, query: queryBinding{validate},
	}
	api.GET("/users", h.list)
	api.GET("/users/:id", h.get)
	writing := api.Group("", authenticate(s.cfg.JWTKey, answer))
	writing.POST("/users", h.create)
	writing.PUT("/users/:id", h.update)
	writing.DELETE("/users/:id", h.delete)
	return e
}

// partWhenDraining closes each connection after its answer while the instance is about to stop. Unlike
// http.Server.SetKeepAlivesEnabled(false) it leaves idle connections alone, on which a request may be under way.
func (s *Server) partWhenDraining(c *gin.Context) {
	if s.draining.Load() {
		c.Header("Connection", "close")
	}
	c.Next()
}

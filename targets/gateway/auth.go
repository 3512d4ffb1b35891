package gateway

import (
	"errors"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"
	"github.com/golang-jwt/jwt/v5"
)

// authenticate lets only bearers of a valid token through: signed with HS256 and key, with an expiry that has not
// come. Who they are goes on in the exchange. Without a key nobody passes.
func authenticate(key []byte, answer *responder) gin.HandlerFunc {
	parser := jwt.NewParser(jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}), jwt.WithExpirationRequired())
	keyOf := func(*jwt.Token) (any, error) { return key, nil }
	return func(c *gin.Context) {
		refuse := func(code int, challenge, message string) {
			c.Header("WWW-Authenticate", challenge)
			answer.fail(c, failure{status: http.StatusUnauthorized, code: code, message: message})
		}
		if len(key) == 0 {
			refuse(codeNoKey, "Bearer", "this instance has no key to check tokens with")
			return
		}
		header := c.GetHeader("Authorization")
		scheme, text, _ := strings.Cut(header, " ")
		if !strings.EqualFold(scheme, "Bearer") || text == "" {
			refuse(codeNoToken, "Bearer", "this needs a bearer token")
			return
		}
		var claims jwt.RegisteredClaims
		switch _, err := parser.ParseWithClaims(strings.TrimSpace(text), &claims, keyOf); {
		case errors.Is(err, jwt.ErrTokenExpired):
			refuse(codeExpiredToken, `Bearer error="invalid_token", error_description="expired"`, "the token has expired")
			return
		case err != nil:
			refuse(codeBadToken, `Bearer error="invalid_token"`, "the token is not valid")
			return
		}
		x := exchangeOf(c.Request.Context())
		x.subject, x.authorization = claims.Subject, header
		c.Next()
	}
}

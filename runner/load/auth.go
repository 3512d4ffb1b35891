package load

import (
	"encoding/base64"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Auth says who the caller is: the Authorization header, or the authorization
// metadata of gRPC.
type Auth struct {
	Basic  *Basic  `yaml:"basic" oneof:"kind" doc:"user and password"`
	Bearer *string `yaml:"bearer" oneof:"kind" doc:"a token that exists already; may be a template"`
	JWT    *JWT    `yaml:"jwt" oneof:"kind" doc:"a token signed with a shared key (HS256)"`
}

// Basic is user and password.
type Basic struct {
	User     string `yaml:"user" required:"true" doc:"the name of the user"`
	Password string `yaml:"password" doc:"the password"`
}

// JWT is a signed token. It is made once and again before it expires, never
// for each call.
type JWT struct {
	Key     string         `yaml:"key" required:"true" doc:"the shared key of HS256"`
	Subject string         `yaml:"subject" doc:"the sub claim"`
	Claims  map[string]any `yaml:"claims" doc:"further claims"`
	Expires time.Duration  `yaml:"expires" default:"1h" doc:"how long a token is good for; below zero for one that has expired already"`
}

// Validate reports a token that cannot be made.
func (j *JWT) Validate(bad func(field, format string, args ...any)) {
	if e := j.Expires; e > 0 && e < time.Second {
		bad("expires", "a token counts in whole seconds: want at least 1s, not %v", e)
	}
}

// Validate reports a bearer template that cannot be parsed.
func (a *Auth) Validate(bad func(field, format string, args ...any)) {
	if a.Bearer == nil {
		return
	}
	if _, err := parseText("bearer", *a.Bearer); err != nil {
		bad("bearer", "%v", err)
	}
}

// authorization gives the value of the Authorization header now. It is safe
// for many goroutines.
type authorization struct {
	fixed string
	jwt   *JWT
	now   func() time.Time

	token atomic.Pointer[token]
	mu    sync.Mutex // held to make a token
	made  int
}

// token is one that was made.
type token struct {
	value string
	until time.Time // another is made from here on
}

// authorize prepares the header; nil for no auth, and for a bearer token that
// is a template, which is a header like the others.
func (a *Auth) authorize() (*authorization, error) {
	switch {
	case a == nil || a.Bearer != nil:
		return nil, nil
	case a.Basic != nil:
		pair := a.Basic.User + ":" + a.Basic.Password
		return &authorization{fixed: "Basic " + base64.StdEncoding.EncodeToString([]byte(pair))}, nil
	case a.JWT != nil:
		auth := &authorization{jwt: a.JWT, now: time.Now}
		_, err := auth.value()
		return auth, err
	}
	return nil, nil
}

// value is the header's value.
func (a *authorization) value() (string, error) {
	if a.jwt == nil {
		return a.fixed, nil
	}
	now := a.now()
	if t := a.token.Load(); t != nil && now.Before(t.until) {
		return t.value, nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if t := a.token.Load(); t != nil && now.Before(t.until) {
		return t.value, nil // made while this one waited
	}
	expires := a.jwt.Expires
	if expires == 0 {
		expires = time.Hour
	}
	claims := jwt.MapClaims{"iat": now.Unix(), "exp": now.Add(expires).Unix()}
	if a.jwt.Subject != "" {
		claims["sub"] = a.jwt.Subject
	}
	maps.Copy(claims, a.jwt.Claims)
	signed, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString([]byte(a.jwt.Key))
	if err != nil {
		return "", fmt.Errorf("sign the token: %w", err)
	}
	t := &token{"Bearer " + signed, now.Add(max(expires, -expires) / 2)}
	a.token.Store(t)
	a.made++
	return t.value, nil
}

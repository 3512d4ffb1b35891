package gateway

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"google.golang.org/grpc/metadata"
)

func TestWritingNeedsAValidToken(t *testing.T) {
	users := startUsers(t, "127.0.0.1:0")
	in := start(t, users.addr)
	sign := func(method jwt.SigningMethod, key any, claims jwt.MapClaims) string {
		text, err := jwt.NewWithClaims(method, claims).SignedString(key)
		if err != nil {
			t.Fatal(err)
		}
		return "Bearer " + text
	}
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	later, key := time.Now().Add(time.Hour).Unix(), []byte(testKey)
	good := sign(jwt.SigningMethodHS256, key, jwt.MapClaims{"exp": later})
	for _, c := range []struct {
		name, header string
		code         int
	}{
		{"none", "", codeNoToken},
		{"no scheme", strings.TrimPrefix(good, "Bearer "), codeNoToken},
		{"other scheme", "Basic dTpw", codeNoToken},
		{"no token after the scheme", "Bearer ", codeNoToken},
		{"not a token", "Bearer a.b.c", codeBadToken},
		{"other key", sign(jwt.SigningMethodHS256, []byte("another key"), jwt.MapClaims{"exp": later}), codeBadToken},
		{"empty key", sign(jwt.SigningMethodHS256, []byte{}, jwt.MapClaims{"exp": later}), codeBadToken},
		{"alg none", sign(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, jwt.MapClaims{"exp": later}), codeBadToken},
		{"HS512", sign(jwt.SigningMethodHS512, key, jwt.MapClaims{"exp": later}), codeBadToken},
		{"RS256", sign(jwt.SigningMethodRS256, private, jwt.MapClaims{"exp": later}), codeBadToken},
		{"expired", sign(jwt.SigningMethodHS256, key, jwt.MapClaims{"exp": time.Now().Add(-time.Minute).Unix()}), codeExpiredToken},
		{"never expires", sign(jwt.SigningMethodHS256, key, jwt.MapClaims{"sub": "x"}), codeBadToken},
		{"not yet valid", sign(jwt.SigningMethodHS256, key, jwt.MapClaims{"exp": later, "nbf": later}), codeBadToken},
		{"changed", good[:len(good)-4] + "AAAA", codeBadToken},
	} {
		for _, route := range [][2]string{{"POST", "/api/v1/users"}, {"PUT", "/api/v1/users/42"}, {"DELETE", "/api/v1/users/42"}} {
			a := in.do(route[0], route[1], `{"name":"a"}`, "Authorization", c.header)
			if a.StatusCode != 401 || a.Code != c.code || !strings.HasPrefix(a.Header.Get("WWW-Authenticate"), "Bearer") {
				t.Errorf("%s, %s: %d, WWW-Authenticate %q, %s; want 401 with code %d",
					c.name, route[0], a.StatusCode, a.Header.Get("WWW-Authenticate"), a.raw, c.code)
			}
		}
	}
	if n := users.arrivals.Load(); n != 0 {
		t.Errorf("%d calls reached the user service without a valid token", n)
	}
	if a := in.do("PUT", "/api/v1/users/42", `{"name":"a"}`, "Authorization", good); a.StatusCode != 200 {
		t.Errorf("a valid token: %d %s", a.StatusCode, a.raw)
	}
	if a := in.get("/api/v1/users/42"); a.StatusCode != 200 {
		t.Errorf("reading without a token: %d %s", a.StatusCode, a.raw)
	}
}

func TestWithoutAKeyNobodyWrites(t *testing.T) {
	in := startWith(t, startUsers(t, "127.0.0.1:0").addr, func(s *Server) {
		s.cfg.JWTKey = nil
		s.engine = s.routes()
	})
	empty, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{"exp": time.Now().Add(time.Hour).Unix()}).SignedString([]byte{})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"", token(t, time.Minute), empty} {
		a := in.do("DELETE", "/api/v1/users/42", "", "Authorization", "Bearer "+text)
		if a.StatusCode != 401 || a.Code != codeNoKey {
			t.Errorf("token %q: %d %s, want 401 with code %d", text, a.StatusCode, a.raw, codeNoKey)
		}
	}
}

// The token travels on with its subject, but only once it was found valid.
func TestIdentityTravelsToTheUserService(t *testing.T) {
	users := startUsers(t, "127.0.0.1:0")
	in := start(t, users.addr)
	seen := make(chan metadata.MD, 1)
	users.on(func(ctx context.Context, _ string) error {
		md, _ := metadata.FromIncomingContext(ctx)
		seen <- md
		return nil
	})
	in.write("PUT", "/api/v1/users/42", `{"name":"a"}`)
	if md := <-seen; len(md["authorization"]) != 1 || !strings.HasPrefix(md["authorization"][0], "Bearer ") || md["x-user-id"][0] != "tester" {
		t.Errorf("metadata %v: want authorization and x-user-id", md)
	}
	in.get("/api/v1/users/42", "Authorization", "Bearer unchecked")
	if md := <-seen; len(md["authorization"]) != 0 {
		t.Errorf("an unchecked token went on: %v", md["authorization"])
	}
}

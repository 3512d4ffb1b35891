package scenarios

import (
	"strings"
	"testing"
)

// A command may take the address of what it calls among its arguments or from
// its environment; a link to it can then be put in place.
func TestLinkOfACommandThatTakesTheAddressFromItsEnvironment(t *testing.T) {
	const text = `ordeal: v1
name: shop
targets:
  users: {reference: users}
  shop:  {command: [./shop, "${addr}"], calls: {users: users}, env: {USERS: "ENV"}}
load:
  browse: {http: {target: shop, get: /}, rate: 10/s}
timeline:
  - {phase: steady, for: 1s}
  - {phase: slow, for: 1s, faults: [{link: shop->users, latency: {delay: 10ms}}]}
expect:
  - errors: {load: browse, during: slow, ratio: "< 1%"}
`
	if _, err := Parse("shop.yaml", strings.NewReader(strings.Replace(text, "ENV", "${calls.users}", 1))); err != nil {
		t.Errorf("it is told the address: %v", err)
	}
	if _, err := Parse("shop.yaml", strings.NewReader(strings.Replace(text, "ENV", "elsewhere", 1))); err == nil || !strings.Contains(err.Error(), "shop->users") {
		t.Errorf("it is not told the address: %v, want an error that names the link", err)
	}
}

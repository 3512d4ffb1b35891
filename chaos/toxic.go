package chaos

import (
	"fmt"
	"strings"
	"sync"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/Shopify/toxiproxy/v2/toxics"
)

// toxicType is the name under which Toxiproxy knows the programmable toxic.
const toxicType = "ordeal"

// Toxiproxy's registry of toxics is one for the process and takes a type, not
// a value, so registering says nothing about any link.
var register = sync.OnceFunc(func() { toxics.Register(toxicType, new(programmable)) })

// programmable is the one toxic of every proxy, in each direction. It is put
// in before the first connection and never changed or removed, for Toxiproxy
// deadlocks when the toxics of a live proxy change; what it does follows the
// program of its link.
//
// Toxiproxy makes a toxic from JSON, but hands back the value that it made: so
// the endpoint is set on it directly, and no table of links is needed.
type programmable struct {
	endpoint *endpoint
	way      string
}

// NewState gives the direction of the connection that is just being started.
func (p *programmable) NewState() interface{} {
	if p.way == up {
		return p.endpoint.starting.up
	}
	return p.endpoint.starting.down
}

// GetBufferSize lets Toxiproxy's reader run ahead a little.
func (p *programmable) GetBufferSize() int { return 1 }

// Pipe carries one direction of one connection until it is over. Toxiproxy
// interrupts a toxic only to change the chain, which never happens here.
func (p *programmable) Pipe(stub *toxics.ToxicStub) { stub.State.(*flow).run(stub) }

// install puts the programmable toxic into a proxy that has not started.
func install(proxy *toxiproxy.Proxy, e *endpoint) error {
	register()
	for way, name := range map[string]string{up: "upstream", down: "downstream"} {
		w, err := proxy.Toxics.AddToxicJson(strings.NewReader(
			`{"type": "` + toxicType + `", "stream": "` + name + `", "toxicity": 1, "attributes": {}}`))
		if err != nil {
			return fmt.Errorf("install the %s toxic: %w", name, err)
		}
		t := w.Toxic.(*programmable)
		t.endpoint, t.way = e, way
	}
	return nil
}

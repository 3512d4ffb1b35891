package load

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// GRPC is a load of gRPC calls. Which of the four kinds a call is, its
// description says: the target's reflection service, or a file. Strings in
// data, messages and metadata may be templates, as in HTTP.
type GRPC struct {
	Target string `yaml:"target" required:"true" ref:"target" doc:"the target that is called"`
	Call   string `yaml:"call" required:"true" doc:"the method, as package.Service/Method"`

	Data     any               `yaml:"data" doc:"the request of a unary call or a server stream; the only message of another stream"`
	Messages []any             `yaml:"messages" doc:"the messages that a client stream or a bidirectional stream sends"`
	Repeat   int               `yaml:"repeat" doc:"how many times the messages are sent, 1 when absent"`
	Interval time.Duration     `yaml:"interval" doc:"the time between two messages: message n is due n intervals after the first one, and its latency counts from there, so a stream that holds messages up is seen; none when absent, each message goes when there is room for it"`
	For      time.Duration     `yaml:"for" doc:"how long a stream is kept: sending stops, or receiving, after this time; without repeat, messages are sent over and over until then"`
	Count    int               `yaml:"count" doc:"how many messages are received before the stream is ended; all when absent"`
	Metadata map[string]string `yaml:"metadata" doc:"metadata of each call"`
	Auth     *Auth             `yaml:"auth" doc:"who the caller says to be"`
	Rows     *Data             `yaml:"rows" doc:"a file whose rows the templates use, one row a call"`

	Protoset    string `yaml:"protoset" doc:"a FileDescriptorSet, for a target without reflection (protoc --include_imports --descriptor_set_out)"`
	Connections int    `yaml:"connections" doc:"connections to each replica that calls are spread over evenly; 1 when absent, which costs the least a call: more help where the target limits the streams of a connection, or serves each with one thread"`
}

// Validate reports a call that cannot be made.
func (g *GRPC) Validate(bad func(field, format string, args ...any)) {
	service, method, found := strings.Cut(g.Call, "/")
	if g.Call != "" && (!found || service == "" || method == "" || strings.Contains(method, "/")) {
		bad("call", "want package.Service/Method, not %q", g.Call)
	}
	if g.Data != nil && len(g.Messages) > 0 {
		bad("messages", "a call has data (one message) or messages (a stream), not both")
	}
	number := func(field string, v int) {
		if v < 0 {
			bad(field, "want a number of at least 1, not %d", v)
		}
	}
	number("repeat", g.Repeat)
	number("count", g.Count)
	number("connections", g.Connections)
	if g.Connections > maxConnections {
		bad("connections", "want at most %d, not %d", maxConnections, g.Connections)
	}
	checkTime(bad, "interval", g.Interval)
	checkTime(bad, "for", g.For)
	if _, err := parseJSON(g.Data); err != nil {
		bad("data", "%v", err)
	}
	for i, m := range g.Messages {
		if _, err := parseJSON(m); err != nil {
			bad("messages", "message %d: %v", i+1, err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(g.Metadata)) {
		if _, err := parseText("metadata "+name, g.Metadata[name]); err != nil {
			bad("metadata", "%v", err)
		}
	}
}

// maxConnections bounds the connections of one load.
const maxConnections = 1000

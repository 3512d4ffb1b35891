package load

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jhump/protoreflect/desc"
	"google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// TestPrepare: what could be known to be wrong before anything is started is
// known, at its field.
func TestPrepare(t *testing.T) {
	dir := t.TempDir()
	file, err := desc.WrapFile(grpc_testing.File_grpc_testing_test_proto)
	if err != nil {
		t.Fatal(err)
	}
	set, err := proto.Marshal(protoadapt.MessageV2Of(desc.ToFileDescriptorSet(file)))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"d.csv": "id,name\n1,Ada\n", "d.json": `[{"id": 1, "name": "Ada"}, {"id": 2}]`, "set.pb": string(set), "text.pb": "no protobuf",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const unary, stream = "grpc.testing.TestService/UnaryCall", "grpc.testing.TestService/StreamingInputCall"
	http := func(change func(*HTTP)) Spec {
		h := &HTTP{Get: "/x"}
		change(h)
		return Spec{HTTP: h}
	}
	grpc := func(call string, change func(*GRPC)) Spec {
		g := &GRPC{Call: call, Protoset: "set.pb"}
		change(g)
		return Spec{GRPC: g}
	}
	for _, c := range []struct {
		spec  Spec
		field string
		says  string // "" where nothing is wrong
	}{
		{http(func(*HTTP) {}), "", ""},
		{http(func(h *HTTP) { h.Get = "/{{.Row.id}}?{{.Int 1 6}}"; h.Data = &Data{CSV: "d.csv"} }), "", ""},
		{http(func(h *HTTP) { h.Get = "/{{.file}}" }), "get", "a template knows no .file: want .Seq"},
		{http(func(h *HTTP) { h.Get = "/%zz" }), "get", "invalid URL escape"},
		{http(func(h *HTTP) { h.Get = "/{{.Int 6 1}}" }), "get", "fails at .Int: error calling Int: no number lies from 6 to 1"},
		{http(func(h *HTTP) { h.Get = "/{{.Row.id}}" }), "get", "asks for .Row.id, and the load has no data file"},
		{http(func(h *HTTP) { h.Get = "/{{.Row.age}}"; h.Data = &Data{CSV: "d.csv"} }), "get", "its data has the columns id, name only"},
		{http(func(h *HTTP) { h.Get = "/{{.Row.name}}"; h.Data = &Data{JSON: "d.json"} }), "get", "row 2 of its data has the columns id only"},
		{http(func(h *HTTP) { h.Data = &Data{CSV: "none.csv"} }), "csv", "no such file"},
		{http(func(h *HTTP) { h.Data = &Data{JSON: "d.csv"} }), "json", "invalid character"},
		{http(func(h *HTTP) { h.Headers = map[string]string{"x-a": "{{.Sequence}}"} }), "headers.x-a", ".Sequence"},
		{http(func(h *HTTP) { h.Headers = map[string]string{"x a": "b"} }), "headers.x a", "invalid header field name"},
		{http(func(h *HTTP) { h.Headers = map[string]string{"x-a": "b\nc"} }), "headers.x-a", "invalid header field value"},
		{http(func(h *HTTP) { h.Get, h.Post, h.Body = "", "/", map[string]any{"tags": []any{"a", "{{.b}}"}} }), "body.tags.1", ".b"},
		{http(func(h *HTTP) { h.Get, h.Post, h.Body = "", "/", "{{.b}}" }), "body", ".b"},
		{http(func(h *HTTP) { h.Auth = &Auth{Bearer: ptr("{{.Token}}")} }), "bearer", ".Token"},
		{http(func(h *HTTP) { h.Auth = &Auth{Bearer: ptr("a\nb")} }), "bearer", "invalid header field value"},
		{http(func(h *HTTP) { h.Auth = &Auth{JWT: &JWT{Key: "k", Claims: map[string]any{"a": func() {}}}} }), "auth", "sign the token"},
		{http(func(h *HTTP) { h.Auth = &Auth{JWT: &JWT{Key: "k", Expires: time.Minute}} }), "", ""},

		{grpc(unary, func(*GRPC) {}), "", ""},
		{grpc(unary, func(g *GRPC) { g.Protoset, g.Data = "", map[string]any{"what": "ever"} }), "", ""},
		{grpc(unary, func(g *GRPC) { g.Protoset = "none.pb" }), "protoset", "no such file"},
		{grpc(unary, func(g *GRPC) { g.Protoset = "text.pb" }), "protoset", "text.pb"},
		{grpc("grpc.testing.TestService/Nope", func(*GRPC) {}), "call", "Nope"},
		{grpc(unary, func(g *GRPC) { g.Data = map[string]any{"nope": 1} }), "data", "nope"},
		{grpc(unary, func(g *GRPC) { g.Data = map[string]any{"response_size": "{{.Hex 3}}x"} }), "data", "SimpleRequest"},
		{grpc(unary, func(g *GRPC) { g.Data = map[string]any{"payload": map[string]any{"body": "{{.nope}}"}} }), "data.payload.body", ".nope"},
		{grpc(unary, func(g *GRPC) { g.Messages = []any{nil, nil} }), "messages", "takes one message"},
		{grpc(unary, func(g *GRPC) { g.For = time.Second }), "for", "is no stream"},
		{grpc(stream, func(g *GRPC) { g.Messages = []any{nil, map[string]any{"nope": 1}} }), "messages.1", "nope"},
		{grpc(unary, func(g *GRPC) { g.Metadata = map[string]string{"id": "{{.Row.id}}"}; g.Rows = &Data{CSV: "d.csv"} }), "", ""},
		{grpc(unary, func(g *GRPC) { g.Metadata = map[string]string{"id": "{{.Row.age}}"}; g.Rows = &Data{CSV: "d.csv"} }), "metadata.id", ".Row.age"},
		{grpc(unary, func(g *GRPC) { g.Metadata = map[string]string{"i d": "1"} }), "metadata.i d", "key of metadata"},

		{Spec{Trickle: &Trickle{}}, "", ""},
		{Spec{Trickle: &Trickle{Path: "/a b"}}, "path", "%20"},
	} {
		got := c.spec.Prepare(dir, 1, nil)
		switch {
		case c.says == "" && len(got) == 0:
		case len(got) != 1 || c.says == "" || got[0].Field != c.field || !strings.Contains(got[0].Err.Error(), c.says):
			t.Errorf("%+v %+v: %+v, want %q: %q", c.spec.HTTP, c.spec.GRPC, got, c.field, c.says)
		}
	}
}

// TestPrepareKnowsTheServices: what the services of the target are said to be is
// held against the call, as a protoset is.
func TestPrepareKnowsTheServices(t *testing.T) {
	served := func(name string) (protoreflect.FileDescriptor, error) {
		if name != "grpc.testing.TestService" {
			return nil, errors.New("not served")
		}
		return grpc_testing.File_grpc_testing_test_proto, nil
	}
	for _, c := range []struct {
		spec        GRPC
		field, says string
	}{
		{GRPC{Call: "grpc.testing.TestService/UnaryCall", Data: map[string]any{"response_size": 1}}, "", ""},
		{GRPC{Call: "grpc.testing.TestService/UnaryCal"}, "call", "has no method UnaryCal; it has EmptyCall, UnaryCall"},
		{GRPC{Call: "grpc.testing.Other/UnaryCall"}, "call", "find the service grpc.testing.Other: not served"},
		{GRPC{Call: "grpc.testing.TestService/UnaryCall", Data: map[string]any{"size": 1}}, "data", "size"},
		{GRPC{Call: "grpc.testing.TestService/UnaryCall", Repeat: 2}, "repeat", "is no stream"},
	} {
		got := (&Spec{GRPC: &c.spec}).Prepare("", 1, served)
		if (len(got) == 0) != (c.says == "") || len(got) > 0 && (got[0].Field != c.field || !strings.Contains(got[0].Err.Error(), c.says)) {
			t.Errorf("%+v: %+v, want %q: %q", c.spec, got, c.field, c.says)
		}
	}
}

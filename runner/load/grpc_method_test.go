package load

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jhump/protoreflect/desc"
	"google.golang.org/grpc"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/protoadapt"

	"ordeal/runner/evidence"
)

// protoset writes the description of the test service to a file.
func protoset(t testing.TB) string {
	t.Helper()
	file, err := desc.LoadFileDescriptor(testpb.File_grpc_testing_test_proto.Path())
	if err != nil {
		t.Fatal(err)
	}
	b, err := proto.Marshal(protoadapt.MessageV2Of(desc.ToFileDescriptorSet(file)))
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "test.protoset")
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestDescribe(t *testing.T) {
	t.Parallel()
	with := newGRPCTarget(t)
	lis := listen(t)
	srv := grpc.NewServer() // no reflection
	go func() { _ = srv.Serve(lis) }()
	defer srv.Stop()
	without, set := lis.Addr().String(), protoset(t)
	for _, c := range []struct{ addr, call, protoset, want string }{
		{with.addr, testService + "UnaryCall", "", ""},
		{without, testService + "UnaryCall", set, ""},
		{without, testService + "UnaryCall", "", "no reflection service; register one, or name a protoset"},
		{with.addr, testService + "UnaryCal", "", "has no method UnaryCal; it has EmptyCall, UnaryCall"},
		{with.addr, "grpc.testing.Nope/UnaryCall", "", "grpc.testing.Nope"},
		{without, testService + "UnaryCall", set + "x", "no such file"},
		{without, testService + "Nope", set, "Nope"},
		{"127.0.0.1:1", testService + "UnaryCall", "", "connection refused"},
	} {
		spec := Spec{Name: "l", GRPC: &GRPC{Call: c.call, Protoset: c.protoset}}
		_, err := spec.Engine(Env{Addrs: []string{c.addr}, Clock: evidence.NewClock()})
		if (err == nil) != (c.want == "") || (err != nil && !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", c.call, err, c.want)
		}
	}
	for call, want := range map[string]string{"UnaryCall": "is no stream", "StreamingOutputCall": "takes one message"} {
		spec := Spec{GRPC: &GRPC{Call: testService + call, Repeat: 2}}
		if _, err := spec.Engine(Env{Addrs: []string{with.addr}, Clock: evidence.NewClock()}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s repeated: %v", call, err)
		}
	}
	spec := unary()
	spec.GRPC.Data = map[string]any{"no_such_field": 1}
	if _, err := spec.Engine(Env{Addrs: []string{with.addr}, Clock: evidence.NewClock()}); err == nil || !strings.Contains(err.Error(), "no_such_field") {
		t.Errorf("a message with an unknown field: %v", err)
	}
}

package load

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/bojand/ghz/protodesc"
	"github.com/jhump/protoreflect/desc"
	"github.com/jhump/protoreflect/grpcreflect"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"
)

// describeWithin bounds the question to the target's reflection service.
const describeWithin = 5 * time.Second

// describe finds the method's description. ghz would ask the target itself, for
// as long as it takes to dial, and with the options meant for the calls; so it
// is given the answer instead.
func describe(g *GRPC, env Env, addr string, secure bool) (*desc.MethodDescriptor, error) {
	call := strings.TrimPrefix(g.Call, "/")
	if g.Protoset != "" {
		set, err := g.readProtoset(env.Dir)
		if err != nil {
			return nil, err
		}
		method, err := protodesc.GetMethodDescFromProtoSetBinary(call, set)
		if err != nil {
			return nil, fmt.Errorf("find %s in %s: %w", call, g.Protoset, err)
		}
		return method, nil
	}
	creds := insecure.NewCredentials()
	if secure {
		creds = credentials.NewTLS(nil)
	}
	conn, err := grpc.NewClient("passthrough:///"+addr, grpc.WithTransportCredentials(creds))
	if err != nil {
		return nil, fmt.Errorf("dial %s: %w", addr, err)
	}
	defer func() { _ = conn.Close() }()
	ctx, cancel := context.WithTimeout(context.Background(), describeWithin)
	defer cancel()
	client := grpcreflect.NewClientAuto(ctx, conn)
	defer client.Reset()
	service, _, _ := strings.Cut(call, "/")
	file, err := client.FileContainingSymbol(service)
	if err != nil {
		return nil, fmt.Errorf("ask %s for the description of %s: %w", addr, call, explain(err))
	}
	return findMethod(file, call)
}

// readProtoset reads the file of descriptions; a relative name is taken from dir.
func (g *GRPC) readProtoset(dir string) ([]byte, error) {
	name := g.Protoset
	if !filepath.IsAbs(name) {
		name = filepath.Join(dir, name)
	}
	set, err := os.ReadFile(name)
	if err == nil {
		err = proto.Unmarshal(set, &descriptorpb.FileDescriptorSet{})
	}
	if err != nil {
		return nil, fmt.Errorf("read the protoset %s: %w", name, err)
	}
	return set, nil
}

// explain says what to do about a target without reflection.
func explain(err error) error {
	if status.Code(err) == codes.Unimplemented {
		return errors.New("it has no reflection service; register one, or name a protoset file")
	}
	return err
}

func findMethod(file *desc.FileDescriptor, call string) (*desc.MethodDescriptor, error) {
	name, method, _ := strings.Cut(call, "/")
	service := file.FindService(name)
	if service == nil {
		return nil, fmt.Errorf("%s is not a service", name)
	}
	if m := service.FindMethodByName(method); m != nil {
		return m, nil
	}
	var known []string
	for _, m := range service.GetMethods() {
		known = append(known, m.GetName())
	}
	return nil, fmt.Errorf("%s has no method %s; it has %s", name, method, strings.Join(known, ", "))
}

// values are the messages of a call as they are written.
func (g *GRPC) values() []any {
	if len(g.Messages) > 0 {
		return g.Messages
	}
	return []any{g.Data}
}

// fits looks whether the load asks of a method what it can do; else it names
// the field that asks for more.
func (g *GRPC) fits(method *desc.MethodDescriptor) (field string, err error) {
	field = g.streamField()
	switch {
	case len(g.Messages) > 1 && !method.IsClientStreaming():
		return "messages", fmt.Errorf("%s takes one message, not %d", g.Call, len(g.Messages))
	case field != "" && !method.IsClientStreaming() && !method.IsServerStreaming():
		return field, fmt.Errorf("%s is no stream: repeat, interval, for and count mean nothing to it", g.Call)
	case (g.Repeat > 0 || g.Interval > 0) && !method.IsClientStreaming():
		return field, fmt.Errorf("%s takes one message: repeat and interval mean nothing to it", g.Call)
	}
	return "", nil
}

// streamField is the first field given that speaks of a stream, or "".
func (g *GRPC) streamField() string {
	switch {
	case g.Repeat > 0:
		return "repeat"
	case g.Interval > 0:
		return "interval"
	case g.For > 0:
		return "for"
	case g.Count > 0:
		return "count"
	}
	return ""
}

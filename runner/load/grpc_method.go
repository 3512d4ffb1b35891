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
)

// describeWithin bounds the question to the target's reflection service.
const describeWithin = 5 * time.Second

// describe finds the method's description. ghz would ask the target itself, for
// as long as it takes to dial, and with the options meant for the calls; so it
// is given the answer instead.
func describe(g *GRPC, env Env, addr string, secure bool) (*desc.MethodDescriptor, error) {
	call := strings.TrimPrefix(g.Call, "/")
	if g.Protoset != "" {
		name := g.Protoset
		if !filepath.IsAbs(name) {
			name = filepath.Join(env.Dir, name)
		}
		set, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("read the protoset: %w", err)
		}
		method, err := protodesc.GetMethodDescFromProtoSetBinary(call, set)
		if err != nil {
			return nil, fmt.Errorf("find %s in %s: %w", call, name, err)
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

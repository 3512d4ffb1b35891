package load

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/jhump/protoreflect/desc"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Services finds the file that describes a gRPC service by the service's name.
type Services func(name string) (protoreflect.FileDescriptor, error)

// metadataName is what gRPC takes for a key of metadata, in any case.
var metadataName = regexp.MustCompile(`^[0-9A-Za-z_.-]+$`)

func (t *trial) grpc(g *GRPC, dir string) {
	method := t.method(g, dir)
	for name, value := range g.Metadata {
		t.text(g, "metadata."+name, value)
		if !metadataName.MatchString(name) {
			t.bad(g, "metadata."+name, fmt.Errorf("a key of metadata has letters, digits, _, - and . only, unlike %q", name))
		}
	}
	t.auth(g, g.Auth)
	for i, value := range g.values() {
		field := "data"
		if len(g.Messages) > 0 {
			field = "messages." + strconv.Itoa(i)
		}
		before := len(t.found)
		c, err := parseJSON(value)
		t.content(g, field, c, err)
		if method == nil || len(t.found) > before {
			continue
		}
		m, err := newMessage(value, method.GetInputType())
		if err == nil {
			_, err = m.render(t.vars)
		}
		t.bad(g, field, err)
	}
}

// method is the description of what is called, where that is known without the
// target.
func (t *trial) method(g *GRPC, dir string) *desc.MethodDescriptor {
	var method *desc.MethodDescriptor
	var err error
	switch {
	case g.Protoset != "":
		if _, err := g.readProtoset(dir); err != nil {
			t.bad(g, "protoset", err)
			return nil
		}
		method, err = describe(g, Env{Dir: dir}, "", false)
	case t.served != nil:
		method, err = t.served.find(strings.TrimPrefix(g.Call, "/"))
	default:
		return nil
	}
	if err != nil {
		t.bad(g, "call", err)
		return nil
	}
	field, err := g.fits(method)
	t.bad(g, field, err)
	return method
}

func (s Services) find(call string) (*desc.MethodDescriptor, error) {
	service, _, _ := strings.Cut(call, "/")
	described, err := s(service)
	if err != nil {
		return nil, fmt.Errorf("find the service %s: %w", service, err)
	}
	file, err := desc.WrapFile(described)
	if err != nil {
		return nil, fmt.Errorf("read the description of %s: %w", service, err)
	}
	return findMethod(file, call)
}

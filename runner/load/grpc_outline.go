package load

import (
	"fmt"

	"github.com/jhump/protoreflect/desc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/descriptorpb"
)

// outline is the description of the method that ghz is given: the target's own,
// but for the type of the answers, which is an empty message. ghz makes a message
// of that type for each answer, which nobody reads, and shows an interceptor no
// answer of one of protobuf's well-known types.
func outline(method *desc.MethodDescriptor) ([]byte, error) {
	set := &descriptorpb.FileDescriptorSet{}
	b, err := proto.Marshal(protoadapt.MessageV2Of(desc.ToFileDescriptorSet(method.GetFile())))
	if err == nil {
		err = proto.Unmarshal(b, set) // a copy, that may be changed
	}
	if err != nil {
		return nil, fmt.Errorf("copy the description: %w", err)
	}
	answer := &descriptorpb.FileDescriptorProto{
		Name: proto.String("ordeal/answer.proto"), Package: proto.String("ordeal"), Syntax: proto.String("proto3"),
		MessageType: []*descriptorpb.DescriptorProto{{Name: proto.String("Answer")}},
	}
	for _, file := range set.File {
		if file.GetName() != method.GetFile().GetName() {
			continue
		}
		file.Dependency = append(file.Dependency, answer.GetName())
		for _, service := range file.Service {
			for _, m := range service.Method {
				if service.GetName() == method.GetService().GetName() && m.GetName() == method.GetName() {
					m.OutputType = proto.String(".ordeal.Answer")
				}
			}
		}
	}
	set.File = append([]*descriptorpb.FileDescriptorProto{answer}, set.File...)
	if b, err = proto.Marshal(set); err != nil {
		return nil, fmt.Errorf("marshal the description: %w", err)
	}
	return b, nil
}

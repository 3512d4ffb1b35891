// Package api_test holds the contracts to their promise: what was once published stays as it was.
package api_test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	userv1 "ordeal/targets/api/user/v1"
)

const published = "testdata/user.v1.txt"

var publish = flag.Bool("publish", false, "write what the contract is now to testdata, after an addition")

// contract says in one line each what clients rely on: methods with their kinds, fields with their numbers
// and types, enum values, and what is reserved.
func contract(file protoreflect.FileDescriptor) []string {
	var lines []string
	for i := range file.Services().Len() {
		s := file.Services().Get(i)
		for j := range s.Methods().Len() {
			m := s.Methods().Get(j)
			lines = append(lines, fmt.Sprintf("method %s(%s%s) %s%s", m.FullName(),
				streams(m.IsStreamingClient()), m.Input().FullName(), streams(m.IsStreamingServer()), m.Output().FullName()))
		}
	}
	lines = messages(lines, file.Messages())
	slices.Sort(lines)
	return lines
}

func streams(yes bool) string {
	if yes {
		return "stream "
	}
	return ""
}

func messages(lines []string, list protoreflect.MessageDescriptors) []string {
	for i := range list.Len() {
		m := list.Get(i)
		for j := range m.Fields().Len() {
			f := m.Fields().Get(j)
			kind := f.Kind().String()
			if f.Message() != nil {
				kind = string(f.Message().FullName())
			}
			line := fmt.Sprintf("field %s=%d %v %s", f.FullName(), f.Number(), f.Cardinality(), kind)
			if o := f.ContainingOneof(); o != nil {
				line += " in " + string(o.Name())
			}
			lines = append(lines, line)
		}
		for j := range m.ReservedRanges().Len() {
			r := m.ReservedRanges().Get(j)
			lines = append(lines, fmt.Sprintf("reserved %s %d to %d", m.FullName(), r[0], r[1]-1))
		}
		for j := range m.ReservedNames().Len() {
			lines = append(lines, fmt.Sprintf("reserved %s %q", m.FullName(), m.ReservedNames().Get(j)))
		}
		for j := range m.Enums().Len() {
			for k := range m.Enums().Get(j).Values().Len() {
				v := m.Enums().Get(j).Values().Get(k)
				lines = append(lines, fmt.Sprintf("value %s=%d", v.FullName(), v.Number()))
			}
		}
		lines = messages(lines, m.Messages())
	}
	return lines
}

// broken lists what was published and no longer holds.
func broken(published, now []string) []string {
	return slices.DeleteFunc(slices.Clone(published), func(line string) bool { return slices.Contains(now, line) })
}

func TestPublishedContractStillHolds(t *testing.T) {
	now := contract(userv1.File_user_v1_user_proto)
	if *publish {
		if err := os.WriteFile(published, []byte(strings.Join(now, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(published)
	if err != nil {
		t.Fatal(err)
	}
	before := strings.Split(strings.TrimSpace(string(text)), "\n")
	for _, line := range broken(before, now) {
		t.Errorf("published and gone or changed: %s", line)
	}
	for _, line := range broken(now, before) {
		t.Errorf("new and not published (go test ./targets/api -publish): %s", line)
	}
}

// TestBrokenContractIsNoticed breaks the contract in the ways that people do.
func TestBrokenContractIsNoticed(t *testing.T) {
	before := contract(userv1.File_user_v1_user_proto)
	for want, breakIt := range map[string]func(*descriptorpb.FileDescriptorProto){
		"field user.v1.User.age=3 optional int32": func(f *descriptorpb.FileDescriptorProto) {
			f.MessageType[0].Field[2].Number = new(int32(33))
		},
		"field user.v1.User.name=2 optional string": func(f *descriptorpb.FileDescriptorProto) {
			f.MessageType[0].Field[1].Type = descriptorpb.FieldDescriptorProto_TYPE_BYTES.Enum()
		},
		"reserved user.v1.User 4 to 4": func(f *descriptorpb.FileDescriptorProto) {
			f.MessageType[0].ReservedRange = nil
		},
		"method user.v1.UserService.WatchUsers(user.v1.WatchUsersRequest) stream user.v1.UserEvent": func(f *descriptorpb.FileDescriptorProto) {
			f.Service[0].Method[5].ServerStreaming = nil
		},
		"value user.v1.UserEvent.KIND_DELETED=4": func(f *descriptorpb.FileDescriptorProto) {
			event := f.MessageType[slices.IndexFunc(f.MessageType, func(m *descriptorpb.DescriptorProto) bool { return m.GetName() == "UserEvent" })]
			event.EnumType[0].Value = event.EnumType[0].Value[:4]
		},
	} {
		file := protodesc.ToFileDescriptorProto(userv1.File_user_v1_user_proto)
		breakIt(file)
		changed, err := protodesc.NewFile(file, protoregistry.GlobalFiles)
		if err != nil {
			t.Fatalf("%s: %v", want, err)
		}
		if got := broken(before, contract(changed)); len(got) != 1 || got[0] != want {
			t.Errorf("broken are %q, want %q", got, want)
		}
	}
}

// TestGeneratedCodeIsCurrent generates the code again. It downloads the pinned generators, so it has to be asked for.
func TestGeneratedCodeIsCurrent(t *testing.T) {
	if os.Getenv("ORDEAL_CHECK_GENERATED") == "" {
		t.Skip("set ORDEAL_CHECK_GENERATED=1 to generate the code and compare")
	}
	out, err := exec.Command("go", "-C", "../../.ci/tools/proto", "run", ".", "-check").CombinedOutput()
	if err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

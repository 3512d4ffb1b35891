// The proto command generates the Go code of the project's .proto files, with no protoc needed: the compiler
// is a Go library and the two generators are pinned beside it in go.mod.
//
//	go -C .ci/tools/proto run .          writes the generated files
//	go -C .ci/tools/proto run . -check   fails when a committed file is not what would be generated
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/bufbuild/protocompile"
	"github.com/bufbuild/protocompile/protoutil"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"
)

// generators are the pinned tools of go.mod, as `go tool` knows them.
var generators = []string{
	"google.golang.org/protobuf/cmd/protoc-gen-go",
	"google.golang.org/grpc/cmd/protoc-gen-go-grpc",
}

func main() {
	root := flag.String("root", "../../../targets/api", "the folder that import paths start from")
	check := flag.Bool("check", false, "write nothing; fail when a file is not current")
	flag.Parse()
	if err := run(context.Background(), *root, *check); err != nil {
		fmt.Fprintln(os.Stderr, "proto:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, root string, check bool) error {
	request, err := compile(ctx, root)
	if err != nil {
		return err
	}
	for _, tool := range generators {
		files, err := generate(ctx, tool, request)
		if err != nil {
			return fmt.Errorf("%s: %w", tool, err)
		}
		for _, f := range files {
			if err := put(filepath.Join(root, f.GetName()), f.GetContent(), check); err != nil {
				return err
			}
		}
	}
	return nil
}

// compile reads every .proto file below root and makes of them what protoc would hand to a generator.
func compile(ctx context.Context, root string) (*pluginpb.CodeGeneratorRequest, error) {
	names, err := protoFiles(root)
	if err != nil {
		return nil, err
	}
	compiler := protocompile.Compiler{
		Resolver:       protocompile.WithStandardImports(&protocompile.SourceResolver{ImportPaths: []string{root}}),
		SourceInfoMode: protocompile.SourceInfoStandard, // comments travel into the Go code
	}
	compiled, err := compiler.Compile(ctx, names...)
	if err != nil {
		return nil, fmt.Errorf("compile %s: %w", root, err)
	}
	request := &pluginpb.CodeGeneratorRequest{
		FileToGenerate: names,
		Parameter:      proto.String("paths=source_relative"),
	}
	seen := make(map[string]bool)
	for _, f := range compiled {
		request.ProtoFile = withImports(request.ProtoFile, f, seen)
	}
	return request, nil
}

func protoFiles(root string) ([]string, error) {
	var names []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".proto" {
			return err
		}
		rel, err := filepath.Rel(root, path)
		names = append(names, filepath.ToSlash(rel))
		return err
	})
	if err == nil && len(names) == 0 {
		err = fmt.Errorf("no .proto file below %s", root)
	}
	return names, err
}

// withImports appends f after everything that it imports, each file once.
func withImports(out []*descriptorpb.FileDescriptorProto, f protoreflect.FileDescriptor, seen map[string]bool) []*descriptorpb.FileDescriptorProto {
	if seen[f.Path()] {
		return out
	}
	seen[f.Path()] = true
	for i := range f.Imports().Len() {
		out = withImports(out, f.Imports().Get(i).FileDescriptor, seen)
	}
	return append(out, protoutil.ProtoFromFileDescriptor(f))
}

// generate runs one generator in its plugin protocol: a request on stdin, a response on stdout.
func generate(ctx context.Context, tool string, request *pluginpb.CodeGeneratorRequest) ([]*pluginpb.CodeGeneratorResponse_File, error) {
	in, err := proto.Marshal(request)
	if err != nil {
		return nil, err
	}
	var out, complaints bytes.Buffer
	cmd := exec.CommandContext(ctx, "go", "tool", tool)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(in), &out, &complaints
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, strings.TrimSpace(complaints.String()))
	}
	var response pluginpb.CodeGeneratorResponse
	if err := proto.Unmarshal(out.Bytes(), &response); err != nil {
		return nil, fmt.Errorf("read its answer: %w", err)
	}
	if response.Error != nil {
		return nil, errors.New(response.GetError())
	}
	return response.File, nil
}

func put(path, content string, check bool) error {
	old, err := os.ReadFile(path)
	if err == nil && string(old) == content {
		return nil
	}
	if check {
		return fmt.Errorf("%s is not what the .proto files say: run make generate", path)
	}
	fmt.Println("writing", path)
	return os.WriteFile(path, []byte(content), 0o644)
}

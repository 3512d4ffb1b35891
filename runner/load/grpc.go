package load

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/bojand/ghz/load"
	"github.com/bojand/ghz/runner"
	"github.com/jhump/protoreflect/desc"
	"github.com/jhump/protoreflect/dynamic"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/protoadapt"

	"ordeal/runner/evidence"
)

// grpcEngine makes gRPC calls of all four kinds through ghz's requester, in its
// asynchronous mode: the other one waits for an answer before it starts the
// next call, and leaves the wait out of every figure.
//
// ghz makes the calls. When they start is the pacer's matter, and how they went
// is seen by the balancer of the run's channels (see channelBalancer), because
// ghz's results carry no number and are kept, with their error texts, up to a
// million. runner.Run is not used: it sets GOMAXPROCS and leaves a signal
// handler behind that panics.
type grpcEngine struct {
	spec     *Spec
	env      Env
	addrs    []string
	secure   bool
	method   *desc.MethodDescriptor
	messages []message
	codec    *codec
	metadata bindings
	auth     *authorization
	rows     []Row
	fixed    bool // no template anywhere
}

func newGRPCEngine(spec *Spec, env Env) (*grpcEngine, error) {
	g := spec.GRPC
	e := &grpcEngine{spec: spec, env: env}
	for _, addr := range env.Addrs {
		u, err := baseURL(addr)
		if err != nil {
			return nil, err
		}
		e.addrs = append(e.addrs, u.Host)
		e.secure = e.secure || u.Scheme == "https"
	}
	var err error
	if g.Rows != nil {
		if e.rows, err = g.Rows.Rows(env.Dir); err != nil {
			return nil, err
		}
	}
	if e.auth, err = g.Auth.authorize(); err != nil {
		return nil, err
	}
	if e.metadata, err = parseBindings(g.withAuth()); err != nil {
		return nil, fmt.Errorf("metadata: %w", err)
	}
	if e.method, err = describe(g, env, e.addrs[0], e.secure); err != nil {
		return nil, err
	}
	if err := e.prepare(); err != nil {
		return nil, err
	}
	return e, nil
}

// withAuth is the metadata, with a bearer template as a part of it.
func (g *GRPC) withAuth() map[string]string {
	all := make(map[string]string, len(g.Metadata)+1)
	for name, value := range g.Metadata {
		all[name] = value
	}
	if g.Auth != nil && g.Auth.Bearer != nil {
		all["authorization"] = "Bearer " + *g.Auth.Bearer
	}
	return all
}

// prepare makes the messages, and tries all templates out once.
func (e *grpcEngine) prepare() error {
	g := e.spec.GRPC
	if _, err := g.fits(e.method); err != nil {
		return err
	}
	e.fixed = e.metadata.fixed()
	for i, value := range g.values() {
		m, err := newMessage(value, e.method.GetInputType())
		if err != nil {
			return fmt.Errorf("message %d: %w", i+1, err)
		}
		if m.ready == nil {
			e.fixed = false
			if _, err := m.render(e.vars(0)); err != nil {
				return fmt.Errorf("message %d: %w", i+1, err)
			}
		}
		e.messages = append(e.messages, m)
	}
	if _, err := e.makeMetadata(0, e.vars(0)); err != nil {
		return fmt.Errorf("metadata: %w", err)
	}
	var err error
	e.codec, err = newCodec(e.messages)
	return err
}

// vars is what the templates of call seq see; nil where there are none.
func (e *grpcEngine) vars(seq uint64) *vars {
	if e.fixed {
		return nil
	}
	return newVars(e.env.Seed, seq, e.spec.Name, e.rows)
}

func (e *grpcEngine) makeMetadata(seq uint64, v *vars) (metadata.MD, error) {
	md := make(metadata.MD, len(e.metadata)+2)
	for _, b := range e.metadata {
		value, err := b.value.render(v)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", b.name, err)
		}
		md.Set(b.name, value)
	}
	if e.auth != nil {
		value, err := e.auth.value()
		if err != nil {
			return nil, err
		}
		md["authorization"] = []string{value}
	}
	md[callKey] = []string{strconv.FormatUint(seq, 10)}
	return md, nil
}

// errNotMade keeps ghz from making a call whose request could not be made. The
// call is recorded as class other.
var errNotMade = errors.New("the request could not be made")

// Run implements Engine.
func (e *grpcEngine) Run(ctx context.Context, start time.Duration, s Schedule, out evidence.Sink) error {
	run := e.newRun(ctx, start, s, out)
	defer run.pacer.close()
	address, leave := run.enter()
	defer leave()
	config, err := e.config(run, address)
	if err != nil {
		return fmt.Errorf("set ghz up: %w", err)
	}
	requester, err := runner.NewRequester(config)
	if err != nil {
		return fmt.Errorf("set ghz up: %w", err)
	}
	// Run ends when the pacer stops and every call has returned. Requester.Stop
	// is not used: it blocks when Run has ended meanwhile. Now and then Run takes
	// 10 s more: ghz waits for a connection that it closes to change its state,
	// and may look an instant after it has. That is waited for, because ghz closes
	// its connections one by one and the others are open until then.
	_, err = requester.Run()
	run.sweep()
	if err != nil && !errors.Is(err, errNotMade) {
		return fmt.Errorf("make the calls: %w", err)
	}
	return nil
}

func (e *grpcEngine) newRun(ctx context.Context, start time.Duration, s Schedule, out evidence.Sink) *grpcRun {
	run := &grpcRun{
		env: e.env, addrs: e.addrs, out: out, pacer: newPacer(ctx, e.spec, e.env, start, s),
		timeout: e.spec.timeout(), stream: e.spec.GRPC.bounds(e.method), backends: newLabels(),
		calls: make(map[uint64]*grpcCall),
	}
	if run.stream.deadline {
		run.timeout = e.spec.GRPC.For
	}
	return run
}

// config is ghz's configuration of the run.
func (e *grpcEngine) config(run *grpcRun, address string) (*runner.RunConfig, error) {
	set, err := proto.Marshal(protoadapt.MessageV2Of(desc.ToFileDescriptorSet(e.method.GetFile())))
	if err != nil {
		return nil, fmt.Errorf("marshal the description: %w", err)
	}
	connections := uint(max(1, e.spec.GRPC.Connections))
	crew := &crew{run: run, workers: int(connections), ticks: make(chan load.TickValue), ready: make(chan struct{})}
	config, err := runner.NewConfig(e.spec.GRPC.Call, address,
		runner.WithProtosetBinary(set),
		runner.WithInsecure(!e.secure),
		runner.WithAuthority(e.addrs[0]),
		runner.WithClientLoadBalancing(channelName),
		runner.WithDefaultCallOptions([]grpc.CallOption{
			grpc.ForceCodec(e.codec), grpc.MaxCallRecvMsgSize(math.MaxInt32), grpc.MaxCallSendMsgSize(math.MaxInt32),
		}),
		runner.WithAsync(true),
		runner.WithConcurrency(connections), // one worker a connection: it only starts calls
		runner.WithConnections(connections),
		runner.WithPacer(crew),
		runner.WithWorkerTicker(crew),
		runner.WithTimeout(run.timeout),
		runner.WithDurationStopAction("wait"),
		runner.WithDisableTemplateFuncs(true), // 129 µs a call, 43 µs without
		runner.WithDisableTemplateData(true),
		runner.WithMetadataProvider(func(d *runner.CallData) (*metadata.MD, error) { return e.begin(run, d) }),
		runner.WithDataProvider(func(d *runner.CallData) ([]*dynamic.Message, error) { return e.request(run, d) }),
		runner.WithStreamInterceptorProviderFunc(func(d *runner.CallData) runner.StreamInterceptor {
			return &stream{call: run.call(uint64(d.RequestNumber)), messages: e.messages, vars: e.vars}
		}),
	)
	if err != nil {
		return nil, err
	}
	// ghz keeps the details of up to a million calls, and a count for every
	// distinct error text. It keeps nothing of the calls that it is told to skip.
	// NewConfig wants no more skipped than there are calls, and a buffer of as
	// many details is made; an option that is applied afterwards has neither.
	return config, runner.WithSkipFirst(math.MaxInt)(config)
}

// begin gives the metadata of a call, the last thing that ghz asks for before
// it makes the call.
func (e *grpcEngine) begin(run *grpcRun, d *runner.CallData) (*metadata.MD, error) {
	seq := uint64(d.RequestNumber)
	c := run.call(seq)
	v := e.vars(seq)
	md, err := e.makeMetadata(seq, v)
	if err == nil && !e.method.IsClientStreaming() {
		c.message, err = e.messages[0].render(v)
	}
	c.begin()
	if err != nil {
		c.unmade()
		return nil, errNotMade
	}
	return &md, nil
}

// request gives the message of a call that has one.
func (e *grpcEngine) request(run *grpcRun, d *runner.CallData) ([]*dynamic.Message, error) {
	if e.method.IsClientStreaming() {
		return nil, nil
	}
	return []*dynamic.Message{run.call(uint64(d.RequestNumber)).message}, nil
}

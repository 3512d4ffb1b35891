package load

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/bojand/ghz/runner"
	"github.com/jhump/protoreflect/desc"
	"github.com/jhump/protoreflect/dynamic"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"ordeal/runner/evidence"
)

// grpcEngine makes gRPC calls of all four kinds through ghz's requester. Each
// worker makes one call after the other, and there are as many as there are calls
// in flight, so that none is held up by another.
//
// ghz makes the calls that are streams (see crew), and says when to make the
// others (see direct). When they start is the pacer's matter, and how they went is seen by
// the balancer of the run's channels (see channelBalancer), because ghz's results
// carry no number and are kept, with their error texts, up to a million. runner.Run is not used: it sets GOMAXPROCS and leaves a signal
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
	fixed    bool   // no template anywhere
	outline  []byte // of the method, for ghz
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
	if _, err := e.makeMetadata(nil, e.vars(0), ""); err != nil {
		return fmt.Errorf("metadata: %w", err)
	}
	var err error
	if e.codec, err = newCodec(e.messages); err != nil {
		return err
	}
	e.outline, err = outline(e.method)
	return err
}

// vars is what the templates of call seq see; nil where there are none.
func (e *grpcEngine) vars(seq uint64) *vars {
	if e.fixed {
		return nil
	}
	return newVars(e.env.Seed, seq, e.spec.Name, e.rows)
}

// makeMetadata makes the metadata of a call; key, if there is one, leads the picker
// to it.
func (e *grpcEngine) makeMetadata(key []string, v *vars, authorization string) (metadata.MD, error) {
	md := make(metadata.MD, len(e.metadata)+2)
	for _, b := range e.metadata {
		value, err := b.value.render(v)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", b.name, err)
		}
		md.Set(b.name, value)
	}
	if authorization != "" {
		md["authorization"] = []string{authorization}
	}
	if key != nil {
		md[callKey] = key
	}
	return md, nil
}

// authorization is the value of the header of that name, "" for none.
func (e *grpcEngine) authorization() (string, error) {
	if e.auth == nil {
		return "", nil
	}
	return e.auth.value()
}

// Messages says what the latency of a message is, in a sentence; "" where calls
// are no streams. Which kind they are, the target's own description may have
// told.
func (e *grpcEngine) Messages() string { return kindOf(e.method).messages() }

// Run implements Engine.
func (e *grpcEngine) Run(ctx context.Context, start time.Duration, s Schedule, out evidence.Sink) error {
	return e.make(ctx, e.newRun(ctx, start, s, out))
}

// make makes the calls of the run.
func (e *grpcEngine) make(ctx context.Context, run *grpcRun) error {
	defer run.pacer.close()
	requester, crew, leave, err := e.requester(ctx, run)
	if err != nil {
		return fmt.Errorf("set ghz up: %w", err)
	}
	defer leave()
	if e.env.Members != nil {
		defer e.env.Members.Follow(run.follow)()
	}
	defer run.watch()()
	defer crew.guard()()
	// Run ends when the pacer stops and every call has returned. Now and then Run
	// takes 10 s more: ghz waits for a connection that it closes to change its
	// state, and may look an instant after it has. That is waited for, because ghz
	// closes its connections one by one and the others are open until then.
	_, err = requester.Run()
	run.sweep()
	if err != nil {
		return fmt.Errorf("make the calls: %w", err)
	}
	return nil
}

// requester sets ghz up for the run; leave is called when it has ended.
func (e *grpcEngine) requester(ctx context.Context, run *grpcRun) (r *runner.Requester, c *crew, leave func(), err error) {
	address, leave := run.enter(e.addrs[0])
	if run.stream.kind == noStream {
		if run.direct, err = e.dial(address, run.timeout); err != nil {
			leave()
			return nil, nil, nil, err
		}
		address = channelName + "://" + noRun + "/" + e.addrs[0]
		gone := leave
		leave = func() { run.direct.close(); gone() }
	}
	c = newCrew(ctx, run, max(1, e.spec.GRPC.Connections), e.spec.inFlight())
	config, err := e.config(run, c, address)
	if err == nil {
		r, err = runner.NewRequester(config)
	}
	if err != nil {
		leave()
		return nil, nil, nil, err
	}
	c.cut = func() {
		if run.direct != nil {
			run.direct.close()
		}
		r.Stop(runner.ReasonCancel)
	}
	return r, c, leave, nil
}

func (e *grpcEngine) newRun(ctx context.Context, start time.Duration, s Schedule, out evidence.Sink) *grpcRun {
	paced := e.env
	paced.Issued = nil // what Pace lets go may find no worker any more; see number
	run := &grpcRun{
		engine: e, env: e.env, out: out, pacer: newPacer(ctx, e.spec, paced, start, s),
		timeout: e.spec.timeout(), stream: e.spec.GRPC.bounds(e.method), backends: newLabels(),
	}
	members := membersAt(e.addrs)
	run.members.Store(&members)
	if run.stream.deadline {
		run.timeout = e.spec.GRPC.For
	}
	return run
}

// callOptions are those of every call.
func (e *grpcEngine) callOptions() []grpc.CallOption {
	return []grpc.CallOption{
		grpc.ForceCodecV2(e.codec), grpc.MaxCallRecvMsgSize(math.MaxInt32), grpc.MaxCallSendMsgSize(math.MaxInt32),
	}
}

// config is ghz's configuration of the run.
func (e *grpcEngine) config(run *grpcRun, crew *crew, address string) (*runner.RunConfig, error) {
	connections := uint(crew.step)
	config, err := runner.NewConfig(e.spec.GRPC.Call, address,
		runner.WithProtosetBinary(e.outline),
		runner.WithInsecure(!e.secure),
		runner.WithAuthority(e.addrs[0]),
		runner.WithClientLoadBalancing(channelName),
		runner.WithDefaultCallOptions(e.callOptions()),
		runner.WithConcurrency(connections), // the crew says how many workers there are
		runner.WithConnections(connections),
		runner.WithPacer(crew),
		runner.WithWorkerTicker(crew),
		runner.WithTimeout(run.timeout),
		runner.WithDurationStopAction("close"), // what Requester.Stop does, besides
		runner.WithDisableTemplateFuncs(true),  // docs/peers.md has what they cost ghz
		runner.WithDisableTemplateData(true),
		runner.WithMetadataProvider(func(d *runner.CallData) (*metadata.MD, error) {
			if run.direct != nil {
				return run.ticket(), nil
			}
			return run.worker(d.WorkerID).begin(uint64(d.RequestNumber)), nil
		}),
		runner.WithDataProvider(func(d *runner.CallData) ([]*dynamic.Message, error) {
			if run.direct != nil {
				return run.direct.input, nil
			}
			return run.worker(d.WorkerID).input, nil
		}),
		runner.WithStreamInterceptorProviderFunc(func(d *runner.CallData) runner.StreamInterceptor {
			return &stream{call: run.worker(d.WorkerID).take(uint64(d.RequestNumber)), messages: e.messages, vars: e.vars}
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

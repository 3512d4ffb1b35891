package speed

import "slices"

// comparison is one table: tools that do the same job against one server.
type comparison struct {
	key     string // on the command line
	title   string
	short   string // the title in the README; "" where it is not there
	server  string
	job     job
	tools   []*tool
	targets []target
}

// comparisons are all of them. Clients and rate are of the HTTP ones; gRPC has
// the 50 clients that are ghz's own choice.
func comparisons(clients, perSecond int) []comparison {
	return append(httpComparisons(clients, perSecond), grpcComparisons(50, perSecond)...)
}

func httpComparisons(clients, perSecond int) []comparison {
	tools := []*tool{vegeta(), fortio(), k6(), wrk(), ordeal("ordeal"), discarding()}
	targets := []target{
		{name: "rate to vegeta", of: "ordeal", to: "vegeta", figure: rate, want: 1.8},
		{name: "rate to fortio", of: "ordeal", to: "fortio", figure: rate, want: 1},
		{name: "rate to k6", of: "ordeal", to: "k6", figure: rate, want: 3},
		{name: "rate to wrk", of: "ordeal", to: "wrk", figure: rate, want: 0.75},
		{name: "CPU per call to vegeta", of: "ordeal", to: "vegeta", figure: cost, ofCost: true, want: 0.55, atMost: true},
		{name: "rate, recording everything", of: "ordeal", to: "ordeal, engine alone", figure: rate, want: 0.9},
		{name: "CPU per call, recording everything", of: "ordeal", to: "ordeal, engine alone", figure: cost, ofCost: true, unjudged: true},
	}
	return []comparison{
		{
			key: "http", short: "HTTP", title: "HTTP/1.1, as fast as it goes", server: plainServer,
			job: job{clients: clients}, tools: tools, targets: targets,
		},
		{
			key: "http-light", title: "HTTP/1.1, as fast as it goes, a server that costs less", server: lightServer,
			job: job{clients: clients}, tools: tools, targets: targets,
		},
		{
			key: "http-fixed", title: "HTTP/1.1, at a fixed rate", server: plainServer,
			job: job{clients: clients, rate: perSecond}, tools: []*tool{vegeta(), fortio(), k6(), ordeal("ordeal")},
			targets: []target{
				{name: "CPU per call to vegeta", of: "ordeal", to: "vegeta", figure: cost, ofCost: true, unjudged: true},
				{name: "CPU per call to fortio", of: "ordeal", to: "fortio", figure: cost, ofCost: true, unjudged: true},
				{name: "CPU per call to k6", of: "ordeal", to: "k6", figure: cost, ofCost: true, unjudged: true},
			},
		},
		{
			key: "http-lag", short: "HTTP", title: "HTTP/1.1, send lag", server: lightServer,
			job: job{paced: true}, tools: onTime(), targets: lags(),
		},
	}
}

// lags is what is wanted of how late calls are sent.
func lags() []target {
	return []target{{name: "send lag p99 at half, in ms", of: halved, figure: lag, ofCost: true, want: 1, atMost: true}}
}

func grpcComparisons(clients, perSecond int) []comparison {
	tools := []*tool{
		ghz("ghz"),
		ghz("ghz, templates off", "--disable-template-functions", "--disable-template-data"),
		ordeal("ordeal"), discarding(),
	}
	costs := []target{
		{name: "CPU per call to ghz as it comes", of: "ordeal", to: "ghz", figure: cost, ofCost: true, unjudged: true},
		{name: "CPU per call to ghz, templates off", of: "ordeal", to: "ghz, templates off", figure: cost, ofCost: true, unjudged: true},
	}
	targets := slices.Concat([]target{
		{name: "rate to ghz as it comes", of: "ordeal", to: "ghz", figure: rate, want: 2},
		{name: "rate to ghz, templates off", of: "ordeal", to: "ghz, templates off", figure: rate, want: 1.2},
	}, costs, []target{
		{name: "rate, recording everything", of: "ordeal", to: "ordeal, engine alone", figure: rate, want: 0.9},
	})
	return []comparison{
		{
			key: "grpc-1", short: "gRPC", title: "gRPC unary, as fast as it goes, 1 connection", server: grpcServer,
			job: job{clients: clients, conns: 1}, tools: tools, targets: targets,
		},
		{
			key: "grpc-4", title: "gRPC unary, as fast as it goes, 4 connections", server: grpcServer,
			job: job{clients: clients, conns: 4}, tools: tools, targets: targets,
		},
		{
			key: "grpc-fixed", title: "gRPC unary, at a fixed rate, 1 connection", server: grpcServer,
			job: job{clients: clients, conns: 1, rate: perSecond}, tools: tools[:3], targets: costs,
		},
		{
			key: "grpc-lag", short: "gRPC", title: "gRPC unary, send lag, 1 connection", server: grpcServer,
			job: job{conns: 1, paced: true}, tools: onTime(), targets: lags(),
		},
	}
}

// binaryOf is the binary of the tool with the name; "" where there is none.
func (c comparison) binaryOf(name string) string {
	for _, t := range c.tools {
		if t.name == name {
			return t.peer
		}
	}
	return ""
}

// Cases lists the comparisons by key.
func Cases() []string {
	var keys []string
	for _, c := range comparisons(1, 1) {
		keys = append(keys, c.key)
	}
	return keys
}

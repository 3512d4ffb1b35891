package users

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	userv1 "ordeal/targets/api/user/v1"
	"ordeal/targets/work"
)

// Work is the cost of each method, by its name; "*" stands for those that are not named. A streaming method
// pays for each message: received by ImportUsers and Sync, sent by WatchUsers.
type Work map[string]work.Cost

// String gives the form that Set reads, methods sorted.
func (w *Work) String() string {
	if w == nil {
		return ""
	}
	var parts []string
	for _, method := range slices.Sorted(maps.Keys(*w)) {
		c := (*w)[method]
		parts = append(parts, fmt.Sprintf("%s=cpu:%v,sleep:%v", method, c.CPU, c.Sleep))
	}
	return strings.Join(parts, ";")
}

// Set reads "GetUser=cpu:200us,sleep:1ms;*=sleep:0s" and replaces what was set before.
func (w *Work) Set(text string) error {
	read := make(Work)
	for part := range strings.SplitSeq(text, ";") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		method, costs, found := strings.Cut(part, "=")
		method = strings.TrimSpace(method)
		switch _, twice := read[method]; {
		case !found || strings.TrimSpace(costs) == "":
			return fmt.Errorf("%q: want METHOD=cpu:DURATION,sleep:DURATION", part)
		case twice:
			return fmt.Errorf("%s is named twice", method)
		case method != "*" && !slices.Contains(methods(), method):
			return fmt.Errorf("there is no method %q: want * or one of %s", method, strings.Join(methods(), ", "))
		}
		var cost work.Cost
		if err := cost.Set(costs); err != nil {
			return fmt.Errorf("%s: %w", method, err)
		}
		read[method] = cost
	}
	*w = read
	return nil
}

// methods are the names of the service's methods, in the order of the contract.
func methods() []string {
	var names []string
	list := userv1.File_user_v1_user_proto.Services().ByName("UserService").Methods()
	for i := range list.Len() {
		names = append(names, string(list.Get(i).Name()))
	}
	return names
}

// labour does the work: the costs by full method name, and a measured worker.
type labour struct {
	costs  map[string]work.Cost
	worker work.Worker
}

func newLabour(w Work) *labour {
	l := &labour{costs: make(map[string]work.Cost)}
	anyCPU := false
	for _, method := range methods() {
		cost, named := w[method]
		if !named {
			cost = w["*"]
		}
		if cost != (work.Cost{}) {
			l.costs["/"+userv1.UserService_ServiceDesc.ServiceName+"/"+method] = cost
			anyCPU = anyCPU || cost.CPU > 0
		}
	}
	if anyCPU {
		l.worker = work.Measure()
	}
	return l
}

// do pays for one call, or one message, of the method. The error is the context's.
func (l *labour) do(ctx context.Context, fullMethod string) error {
	if len(l.costs) == 0 {
		return nil
	}
	return l.worker.Pay(ctx, l.costs[fullMethod])
}

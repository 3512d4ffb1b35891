package users

import (
	"context"
	"errors"
	"io"
	"math"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	userv1 "ordeal/targets/api/user/v1"
)

// maxFailures is how many refused users an import names.
const maxFailures = 100

// errStopping ends streams that would go on for ever.
var errStopping = status.Error(codes.Unavailable, "the service is stopping: ask another")

func (s *service) WatchUsers(r *userv1.WatchUsersRequest, stream grpc.ServerStreamingServer[userv1.UserEvent]) error {
	options, left, err := s.watchOptions(r)
	if err != nil {
		return err
	}
	existing, watcher, err := s.store.Watch(options)
	if err != nil {
		return storeError(err)
	}
	defer watcher.Close()
	s.metrics.watchers.Inc()
	defer s.metrics.watchers.Dec()

	for _, user := range existing {
		event := &userv1.UserEvent{Kind: userv1.UserEvent_KIND_EXISTING, User: user, Revision: user.GetRevision()}
		if err := stream.Send(event); err != nil {
			return err
		}
		left--
	}
	for ; left > 0; left-- {
		event, err := s.next(stream.Context(), watcher)
		if err != nil {
			return err
		}
		if err := stream.Send(event); err != nil {
			return err
		}
	}
	return nil
}

func (s *service) watchOptions(r *userv1.WatchUsersRequest) (o WatchOptions, events int, err error) {
	var v violations
	if r.GetMaxEvents() < 0 {
		v.add("max_events", "must not be negative")
	}
	for _, id := range r.GetUserIds() {
		v.id("user_ids", id)
		if o.IDs == nil {
			o.IDs = make(map[string]bool)
		}
		o.IDs[id] = true
	}
	if events = int(r.GetMaxEvents()); events == 0 {
		events = math.MaxInt
	}
	if r.GetReplay() {
		o.Replay = events
	}
	o.Buffer = s.watchBuffer
	return o, events, v.err()
}

// next waits for the next change, the end of the call, or of the service.
func (s *service) next(ctx context.Context, w *Watcher) (*userv1.UserEvent, error) {
	select {
	case event, ok := <-w.Events():
		if !ok {
			s.metrics.watchersDropped.Inc()
			return nil, status.Errorf(codes.ResourceExhausted, "too slow: more than %d changes were waiting", s.watchBuffer)
		}
		return event, nil
	case <-ctx.Done():
		return nil, status.FromContextError(ctx.Err()).Err()
	case <-s.draining.Done():
		return nil, errStopping
	}
}

func (s *service) ImportUsers(stream grpc.ClientStreamingServer[userv1.ImportUsersRequest, userv1.ImportUsersResponse]) error {
	var sum userv1.ImportUsersResponse
	for {
		r, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return stream.SendAndClose(&sum)
		}
		if err != nil {
			return err
		}
		event, err := s.put(r.GetUser())
		switch {
		case err != nil:
			sum.Failed++
			if len(sum.Failures) < maxFailures {
				st := status.Convert(err)
				sum.Failures = append(sum.Failures, &userv1.ImportUsersResponse_Failure{
					Index: sum.Received, UserId: r.GetUser().GetId(), Code: int32(st.Code()), Message: st.Message(),
				})
			}
		case event.GetKind() == userv1.UserEvent_KIND_CREATED:
			sum.Created++
		default:
			sum.Updated++
		}
		sum.Received++
	}
}

// put creates the user or replaces what a client may set of it.
func (s *service) put(user *userv1.User) (*userv1.UserEvent, error) {
	var v violations
	v.user("user.", user)
	if err := v.err(); err != nil {
		return nil, err
	}
	event, err := s.store.Change(user.GetId(), func(*userv1.User) (*userv1.User, error) {
		return settable(user), nil
	})
	if err != nil {
		return nil, storeError(err)
	}
	return event, nil
}

func (s *service) Sync(stream grpc.BidiStreamingServer[userv1.SyncRequest, userv1.SyncResponse]) error {
	for {
		r, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		answer := &userv1.SyncResponse{RequestId: r.GetRequestId()}
		if event, err := s.apply(stream.Context(), r); err != nil {
			st := status.Convert(err)
			answer.Code, answer.Message = int32(st.Code()), st.Message()
		} else {
			answer.User, answer.Revision = event.GetUser(), event.GetRevision()
		}
		if err := stream.Send(answer); err != nil {
			return err
		}
	}
}

// apply makes one change of Sync.
func (s *service) apply(ctx context.Context, r *userv1.SyncRequest) (*userv1.UserEvent, error) {
	switch change := r.GetChange().(type) {
	case *userv1.SyncRequest_Put:
		return s.put(change.Put)
	case *userv1.SyncRequest_DeleteId:
		if err := checkID("delete_id", change.DeleteId); err != nil {
			return nil, err
		}
		return s.store.Change(change.DeleteId, deletion(change.DeleteId))
	case *userv1.SyncRequest_GetId:
		user, err := s.GetUser(ctx, &userv1.GetUserRequest{UserId: change.GetId})
		return &userv1.UserEvent{User: user, Revision: user.GetRevision()}, err
	default:
		var v violations
		v.add("change", "must be put, delete_id or get_id")
		return nil, v.err()
	}
}

package gateway

import (
	"context"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/gin-gonic/gin/binding"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	userv1 "ordeal/targets/api/user/v1"
)

// userView is a user as the API shows one.
type userView struct {
	ID         string    `json:"id"`
	Name       string    `json:"name"`
	Age        int32     `json:"age"`
	Email      string    `json:"email,omitempty"`
	City       *string   `json:"city,omitempty"`
	CreateTime time.Time `json:"create_time,omitzero"`
	UpdateTime time.Time `json:"update_time,omitzero"`
	Revision   int64     `json:"revision,omitempty"`
}

func viewOf(u *userv1.User) *userView {
	v := &userView{ID: u.GetId(), Name: u.GetName(), Age: u.GetAge(), Email: u.GetEmail(), Revision: u.GetRevision()}
	if u != nil {
		v.City = u.City
	}
	if t := u.GetCreateTime(); t != nil {
		v.CreateTime = t.AsTime()
	}
	if t := u.GetUpdateTime(); t != nil {
		v.UpdateTime = t.AsTime()
	}
	return v
}

type userList struct {
	Users         []*userView `json:"users"`
	NextPageToken string      `json:"next_page_token"` // empty on the last page
}

// userFields are what a client may set.
type userFields struct {
	Name  string  `json:"name" binding:"required,max=100"`
	Age   int32   `json:"age" binding:"min=0,max=150"`
	Email string  `json:"email" binding:"omitempty,max=254,email"`
	City  *string `json:"city" binding:"omitempty,max=200"`
}

func (f userFields) user(id string) *userv1.User {
	return &userv1.User{Id: id, Name: f.Name, Age: f.Age, Email: f.Email, City: f.City}
}

type createBody struct {
	ID string `json:"id" binding:"omitempty,token"` // empty: the user service chooses
	userFields
}

type updateBody struct {
	Revision int64 `json:"revision" binding:"min=0"` // not 0: refuse when the user has moved on from it
	userFields
}

type listQuery struct {
	PageSize  int32  `form:"page_size" binding:"min=0,max=1000"` // 0: the user service chooses
	PageToken string `form:"page_token" binding:"max=512"`
}

// userHandlers answer /api/v1/users.
type userHandlers struct {
	upstream    *upstream
	answer      *responder
	body, query binding.Binding
	fallback    bool
}

func (h *userHandlers) list(c *gin.Context) {
	var q listQuery
	if !bind(c, h.query, &q, h.answer) {
		return
	}
	var page *userv1.ListUsersResponse
	_, err := h.upstream.call(c.Request.Context(), rpc{"ListUsers", true}, func(ctx context.Context, u userv1.UserServiceClient) (err error) {
		page, err = u.ListUsers(ctx, &userv1.ListUsersRequest{PageSize: q.PageSize, PageToken: q.PageToken})
		return err
	})
	if err != nil {
		h.failOr(c, err, userList{Users: []*userView{}})
		return
	}
	out := userList{Users: make([]*userView, len(page.GetUsers())), NextPageToken: page.GetNextPageToken()}
	for i, u := range page.GetUsers() {
		out.Users[i] = viewOf(u)
	}
	h.answer.ok(c, http.StatusOK, out)
}

func (h *userHandlers) get(c *gin.Context) {
	id, ok := h.id(c)
	if !ok {
		return
	}
	var user *userv1.User
	_, err := h.upstream.call(c.Request.Context(), rpc{"GetUser", true}, func(ctx context.Context, u userv1.UserServiceClient) (err error) {
		user, err = u.GetUser(ctx, &userv1.GetUserRequest{UserId: id})
		return err
	})
	if err != nil {
		h.failOr(c, err, &userView{ID: id, Name: "unknown"})
		return
	}
	h.answer.ok(c, http.StatusOK, viewOf(user))
}

func (h *userHandlers) create(c *gin.Context) {
	var body createBody
	if !bind(c, h.body, &body, h.answer) {
		return
	}
	var user *userv1.User
	_, err := h.upstream.call(c.Request.Context(), rpc{"CreateUser", false}, func(ctx context.Context, u userv1.UserServiceClient) (err error) {
		user, err = u.CreateUser(ctx, &userv1.CreateUserRequest{User: body.user(body.ID)})
		return err
	})
	if err != nil {
		h.fail(c, err)
		return
	}
	c.Header("Location", c.FullPath()+"/"+user.GetId())
	h.answer.ok(c, http.StatusCreated, viewOf(user))
}

// update replaces what a client may set. With a revision it is not idempotent: repeated after it took effect,
// it would be refused.
func (h *userHandlers) update(c *gin.Context) {
	id, ok := h.id(c)
	if !ok {
		return
	}
	var body updateBody
	if !bind(c, h.body, &body, h.answer) {
		return
	}
	change := body.user(id)
	change.Revision = body.Revision
	var user *userv1.User
	_, err := h.upstream.call(c.Request.Context(), rpc{"UpdateUser", body.Revision == 0}, func(ctx context.Context, u userv1.UserServiceClient) (err error) {
		user, err = u.UpdateUser(ctx, &userv1.UpdateUserRequest{User: change})
		return err
	})
	if err != nil {
		h.fail(c, err)
		return
	}
	h.answer.ok(c, http.StatusOK, viewOf(user))
}

func (h *userHandlers) delete(c *gin.Context) {
	id, ok := h.id(c)
	if !ok {
		return
	}
	calls, err := h.upstream.call(c.Request.Context(), rpc{"DeleteUser", true}, func(ctx context.Context, u userv1.UserServiceClient) error {
		_, err := u.DeleteUser(ctx, &userv1.DeleteUserRequest{UserId: id})
		return err
	})
	if calls > 1 && status.Code(err) == codes.NotFound {
		err = nil // the call before may have done it: either way the user is gone, as was asked
	}
	if err != nil {
		h.fail(c, err)
		return
	}
	h.answer.ok(c, http.StatusOK, nil)
}

// id returns the user id in the path, or answers that it cannot be one.
func (h *userHandlers) id(c *gin.Context) (string, bool) {
	id := c.Param("id")
	if !isToken(id, 64) {
		h.answer.fail(c, invalidFields(fieldError{Field: "id", Rule: "token"}))
		return "", false
	}
	return id, true
}

// failOr answers a read that failed: with substitute, marked as degraded, where the user service is at fault and
// the fallback is on.
func (h *userHandlers) failOr(c *gin.Context, err error, substitute any) {
	f := failureOf(err)
	if !h.fallback || f.degraded == "" {
		h.fail(c, err)
		return
	}
	h.degrade(c, f.degraded)
	h.answer.write(c, http.StatusOK, envelope{codeOK, "degraded", substitute})
}

func (h *userHandlers) fail(c *gin.Context, err error) {
	f := failureOf(err)
	if f.degraded != "" {
		h.degrade(c, f.degraded)
	}
	h.answer.fail(c, f)
}

func (h *userHandlers) degrade(c *gin.Context, reason string) {
	exchangeOf(c.Request.Context()).degraded = reason
	c.Header("X-Degraded", reason)
}

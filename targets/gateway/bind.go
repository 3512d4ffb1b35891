package gateway

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"reflect"
	"strings"

	"github.com/gin-gonic/gin"
	"github.com/gin-gonic/gin/binding"
	"github.com/go-playground/validator/v10"
)

// maxBody is far more than a user needs.
const maxBody = 64 << 10

// fieldError names one field and the rule that it breaks.
type fieldError struct {
	Field string `json:"field"`
	Rule  string `json:"rule"`
	Param string `json:"param,omitempty"`
}

type fieldErrors struct {
	Fields []fieldError `json:"fields"`
}

// newValidator checks `binding` tags, and names fields as the client wrote them.
func newValidator() *validator.Validate {
	v := validator.New(validator.WithRequiredStructEnabled())
	v.SetTagName("binding")
	v.RegisterTagNameFunc(func(f reflect.StructField) string {
		for _, tag := range []string{"json", "form", "uri"} {
			if name, _, _ := strings.Cut(f.Tag.Get(tag), ","); name != "" && name != "-" {
				return name
			}
		}
		return f.Name
	})
	// The name and the function are constants that the library accepts: an error here is a mistake in this file.
	if err := v.RegisterValidation("token", func(l validator.FieldLevel) bool { return isToken(l.Field().String(), 64) }); err != nil {
		panic(err)
	}
	return v
}

// strictJSON is a Gin binding that takes one JSON object with known fields only, and validates it.
type strictJSON struct{ validate *validator.Validate }

func (strictJSON) Name() string { return "strict json" }

func (b strictJSON) Bind(r *http.Request, into any) error {
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		if err != nil {
			return err
		}
		return errors.New("more after the end of the object")
	}
	return b.validate.Struct(into)
}

// queryBinding is a Gin binding that takes the query of the URL, and validates it.
type queryBinding struct{ validate *validator.Validate }

func (queryBinding) Name() string { return "query" }

func (b queryBinding) Bind(r *http.Request, into any) error {
	if err := binding.MapFormWithTag(into, r.URL.Query(), "form"); err != nil {
		return err
	}
	return b.validate.Struct(into)
}

// bind fills into, or answers what is wrong with the request and reports false.
func bind(c *gin.Context, b binding.Binding, into any, answer *responder) bool {
	if c.Request.Body != nil {
		c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, maxBody)
	}
	if err := c.ShouldBindWith(into, b); err != nil {
		answer.fail(c, bindFailure(err))
		return false
	}
	return true
}

func bindFailure(err error) failure {
	var (
		invalid  validator.ValidationErrors
		wrong    *json.UnmarshalTypeError
		syntax   *json.SyntaxError
		tooLarge *http.MaxBytesError
		netErr   net.Error
	)
	malformed := func(message string) failure {
		return failure{status: http.StatusBadRequest, code: codeMalformed, message: message}
	}
	switch {
	case errors.As(err, &invalid):
		list := make([]fieldError, len(invalid))
		for i, f := range invalid {
			list[i] = fieldError{f.Field(), f.Tag(), f.Param()}
		}
		return invalidFields(list...)
	case errors.As(err, &wrong):
		if wrong.Field == "" {
			return malformed("the body is not a JSON object")
		}
		name := wrong.Field[strings.LastIndexByte(wrong.Field, '.')+1:] // without the embedded struct's name
		return invalidFields(fieldError{name, "type", wrong.Type.String()})
	case errors.As(err, &tooLarge):
		return failure{status: http.StatusRequestEntityTooLarge, code: codeTooLarge, message: fmt.Sprintf("the body is larger than %d bytes", tooLarge.Limit)}
	case errors.As(err, &netErr) && netErr.Timeout():
		return failure{status: http.StatusRequestTimeout, code: codeSlowBody, message: "the body did not arrive in time"}
	case errors.As(err, &syntax):
		return malformed(fmt.Sprintf("the body is not JSON at byte %d: %v", syntax.Offset, syntax))
	case errors.Is(err, io.EOF):
		return malformed("the body is empty")
	case errors.Is(err, io.ErrUnexpectedEOF):
		return malformed("the body ends too early")
	}
	if name, unknown := strings.CutPrefix(err.Error(), "json: unknown field "); unknown {
		return invalidFields(fieldError{Field: strings.Trim(name, `"`), Rule: "unknown"})
	}
	return malformed(err.Error())
}

func invalidFields(list ...fieldError) failure {
	return failure{status: http.StatusBadRequest, code: codeInvalid, message: "the request is not valid", data: fieldErrors{list}}
}

package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/webhook"
)

// Problem is an answer that says what went wrong, as RFC 9457 writes it. It is
// an error, so that any function on the way can be the one to refuse.
type Problem struct {
	Type     string       `json:"type"`  // always about:blank: the status says it all
	Title    string       `json:"title"` // the status in words
	Status   int          `json:"status"`
	Detail   string       `json:"detail"`
	Errors   []FieldError `json:"errors,omitempty"`
	Accepted []string     `json:"accepted,omitzero"` // of a publication that failed halfway: ids that were taken; nil on all other problems

	header http.Header
	cause  error
}

// FieldError says what is wrong with one part of a request.
type FieldError struct {
	Field  string `json:"field"` // like "[3].type", "retry.schedule[2]", "cursor"
	Detail string `json:"detail"`
}

// Error is for logs.
func (p *Problem) Error() string {
	text := strconv.Itoa(p.Status) + " " + p.Detail
	for _, e := range p.Errors {
		text += " " + e.Field + ": " + e.Detail + "."
	}
	if p.cause != nil {
		text += " " + p.cause.Error()
	}
	return text
}

// Because keeps the cause for the log; the caller does not learn it.
func (p *Problem) Because(cause error) *Problem {
	p.cause = cause
	return p
}

// NewProblem returns a problem of any status.
func NewProblem(status int, detail string, fields ...FieldError) *Problem {
	return &Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detail, Errors: fields}
}

// fault is all that a caller learns of an error of ours.
var fault = NewProblem(http.StatusInternalServerError, "Something went wrong on our side.")

// BadRequest is 400: not JSON, or not a cursor of ours.
func BadRequest(detail string, fields ...FieldError) *Problem {
	return NewProblem(http.StatusBadRequest, detail, fields...)
}

// Forbidden is 403.
func Forbidden(detail string) *Problem { return NewProblem(http.StatusForbidden, detail) }

// NotFound is 404.
func NotFound(detail string) *Problem { return NewProblem(http.StatusNotFound, detail) }

// Conflict is 409.
func Conflict(detail string, fields ...FieldError) *Problem {
	return NewProblem(http.StatusConflict, detail, fields...)
}

// TooLarge is 413.
func TooLarge(detail string, fields ...FieldError) *Problem {
	return NewProblem(http.StatusRequestEntityTooLarge, detail, fields...)
}

// Unsupported is 415.
func Unsupported(detail string) *Problem {
	return NewProblem(http.StatusUnsupportedMediaType, detail)
}

// Invalid is 422: well formed, but these fields are wrong.
func Invalid(fields ...FieldError) *Problem {
	return NewProblem(http.StatusUnprocessableEntity, "The request is well formed, but something in it is not valid.", fields...)
}

// Busy is 503 with Retry-After: too much for this installation.
func Busy(detail string, after time.Duration) *Problem {
	return later(http.StatusServiceUnavailable, detail, after)
}

// TooMany is 429 with Retry-After: too much from this caller.
func TooMany(detail string, after time.Duration) *Problem {
	return later(http.StatusTooManyRequests, detail, after)
}

func later(status int, detail string, after time.Duration) *Problem {
	p := NewProblem(status, detail)
	seconds := max(1, int((after+time.Second-1)/time.Second))
	p.header = http.Header{"Retry-After": {strconv.Itoa(seconds)}}
	return p
}

func notAllowed(method, allow string) *Problem {
	p := NewProblem(http.StatusMethodNotAllowed, fmt.Sprintf("This path does not answer %.20q, but %s.", method, allow))
	p.header = http.Header{"Allow": {allow}}
	return p
}

func unauthorized(detail string) *Problem {
	p := NewProblem(http.StatusUnauthorized, detail)
	p.header = http.Header{"Www-Authenticate": {`Bearer realm="postino"`}}
	return p
}

// busyAfter is when a caller should come back after a store or queue that
// takes nothing now.
const busyAfter = 2 * time.Second

// problemOf finds the answer to an error.
func problemOf(err error) *Problem {
	var p *Problem
	var network net.Error // storage or queue cannot be reached
	switch {
	case errors.As(err, &p):
		return p
	case errors.Is(err, webhook.ErrNotFound):
		return NotFound("There is no such thing.")
	case errors.Is(err, webhook.ErrDeleting):
		return Conflict("This tenant is being deleted. Its name may be used again when that is done.")
	case errors.Is(err, webhook.ErrBusy), errors.Is(err, queue.ErrBusy), errors.As(err, &network),
		errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return Busy("Too much to do just now.", busyAfter)
	}
	return fault
}

// IsLater reports whether err is answered 429 or 503: the same request may
// succeed later.
func IsLater(err error) bool {
	if err == nil {
		return false
	}
	status := problemOf(err).Status
	return status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable
}

// What is shown of a request at most: a stranger chose it.
const (
	maxFaults = 50
	maxName   = 100 // bytes of a name
)

// Faults collects what is wrong with a request's fields. The zero value has
// none.
type Faults struct{ list []FieldError }

// Add notes the first fault of a field, up to 50 in all.
func (f *Faults) Add(field, format string, args ...any) {
	known := slices.ContainsFunc(f.list, func(e FieldError) bool { return e.Field == field })
	if len(f.list) < maxFaults && !known {
		f.list = append(f.list, FieldError{field, fmt.Sprintf(format, args...)})
	}
}

// AddAll notes faults of a part, whose fields it puts behind prefix.
func (f *Faults) AddAll(prefix string, part []FieldError) {
	for _, e := range part {
		f.Add(prefix+e.Field, "%s", e.Detail)
	}
}

// Any reports whether there is a fault.
func (f *Faults) Any() bool { return len(f.list) > 0 }

// List returns the faults in the order they were noted.
func (f *Faults) List() []FieldError { return f.list }

// Err returns nil, or a 422 that names all faults.
func (f *Faults) Err() error {
	if !f.Any() {
		return nil
	}
	return Invalid(f.list...)
}

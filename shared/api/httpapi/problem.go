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

	"github.com/postino/postino/shared/language/strictjson"
	"github.com/postino/postino/shared/language/suggest"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/webhook"
)

// Problem is an error response as in RFC 9457. It is an error, so any function can
// return it. Only [Code.Problem] makes one.
type Problem struct {
	Type     string       `json:"type"`  // the code's section in docs/errors.md
	Title    string       `json:"title"` // the status in words
	Status   int          `json:"status"`
	Code     string       `json:"code"` // the name of a [Code]
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

// Because adds the cause for the log. The response does not contain it.
func (p *Problem) Because(cause error) *Problem {
	p.cause = cause
	return p
}

// Invalid is [InvalidRequest]: well formed, but these fields are wrong.
func Invalid(fields ...FieldError) *Problem {
	return InvalidRequest.Problem("The request is well formed, but something in it is not valid.", fields...)
}

// After sets Retry-After, in whole seconds of at least 1.
func (p *Problem) After(wait time.Duration) *Problem {
	seconds := max(1, int((wait+time.Second-1)/time.Second))
	return p.with("Retry-After", strconv.Itoa(seconds))
}

func (p *Problem) with(header, value string) *Problem {
	p.header = http.Header{header: {value}}
	return p
}

func (p *Problem) isLater() bool {
	return p.Status == http.StatusTooManyRequests || p.Status == http.StatusServiceUnavailable
}

func notAllowed(method, allow string) *Problem {
	return MethodNotAllowed.Problem(fmt.Sprintf("This path does not have the method %.20q. It has %s.", method, allow)).with("Allow", allow)
}

// challenge says how to authenticate, as every 401 must.
func (p *Problem) challenge() *Problem { return p.with("Www-Authenticate", `Bearer realm="postino"`) }

// fault is all that a caller learns of an error of ours.
var fault = InternalError.Problem("Postino could not process the request. Its log has the cause.")

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
		return NotFound.Problem("The object does not exist.")
	case errors.Is(err, webhook.ErrDeleting):
		return TenantDeleting.Problem("This tenant is being deleted. You can use its name again after that.")
	case errors.Is(err, webhook.ErrBusy), errors.Is(err, queue.ErrBusy), errors.As(err, &network),
		errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return Unavailable.Problem("The server is too busy, or its storage is not available. Retry later.")
	}
	return fault
}

// IsLater reports whether the response to err is 429 or 503: the same request can
// succeed later.
func IsLater(err error) bool {
	if err == nil {
		return false
	}
	return problemOf(err).isLater()
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

// Unknown adds an unknown name in the object at path ("" for the body), and suggests
// a known one.
func (f *Faults) Unknown(path, name string, known []string) {
	if path != "" {
		path += "."
	}
	f.Add(path+strictjson.Clip(name, maxName), "unknown field%s", suggest.Hint(name, known))
}

// AddAll adds the faults of a part, with prefix before their fields.
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

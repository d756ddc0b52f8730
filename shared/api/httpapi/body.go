package httpapi

import (
	"errors"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/postino/postino/shared/webhook"
)

// How a body must come: slower is 408. The largest takes 74 s at most.
const (
	bodyGrace = 10 * time.Second // for a start
	bodyRate  = 64 << 10         // bytes a second, on average, after it
)

// firstRoom is how many bytes of memory a body holds before any has come.
const firstRoom = 16 << 10

// Read returns the whole body. A body over [webhook.MaxRequestSize] is 413, one that
// arrives too slowly is 408, and without room in the [Intake] it is 429 or 503.
// After its first 16 KiB, a body uses at most twice the memory of what has arrived.
func (r *Request) Read() ([]byte, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return nil, nil
	}
	if r.ContentLength > webhook.MaxRequestSize {
		return nil, tooLong()
	}
	began, connection := time.Now(), http.NewResponseController(r.w)
	from := http.MaxBytesReader(r.w, r.Body, webhook.MaxRequestSize)
	var body []byte
	for {
		if len(body) == cap(body) {
			var err error
			if body, err = r.grow(body); err != nil {
				return nil, err
			}
		}
		due := began.Add(bodyGrace + time.Duration(len(body))*time.Second/bodyRate)
		_ = connection.SetReadDeadline(due) // where there is no connection, the body is there
		n, err := from.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		if err == io.EOF {
			_ = connection.SetReadDeadline(time.Time{}) // or it would end the handler's context
			return body, nil
		}
		if err != nil {
			return nil, unread(err)
		}
	}
}

// unread finds the answer to a body that did not come.
func unread(err error) error {
	var over *http.MaxBytesError
	switch {
	case errors.As(err, &over):
		return tooLong()
	case errors.Is(err, os.ErrDeadlineExceeded):
		return BodyTooSlow.Problem("The body arrived too slowly. Send it within 10 seconds, or at 64 KiB a second.")
	}
	return IncompleteBody.Problem("The body ended before its announced length. Send it again.")
}

// grow returns the body with more room, which it has reserved.
func (r *Request) grow(body []byte) ([]byte, error) {
	most := webhook.MaxRequestSize + 1 // one more, to see the end
	if r.ContentLength >= 0 {
		most = int(r.ContentLength) + 1
	}
	size := min(max(firstRoom, 2*cap(body)), most)
	if err := r.reserve(size-cap(body), most-size); err != nil {
		return nil, err
	}
	return append(make([]byte, 0, size), body...), nil
}

// reserve makes room for n bytes. An announced body that does not fit as a
// whole is refused before it comes.
func (r *Request) reserve(n, follow int) error {
	if r.intake == nil {
		return nil
	}
	if r.ContentLength < 0 || r.held > 0 {
		follow = 0
	}
	if err := r.intake.take(r.payer(), r.held, n, follow); err != nil {
		return err
	}
	r.held += n
	return nil
}

// enter takes the place of a request, now that it is known whose it is.
func (r *Request) enter() error {
	if r.intake == nil {
		return nil
	}
	if r.intake.Admitted != nil {
		r.intake.Admitted(r.Context())
	}
	if err := r.intake.enter(r.payer()); err != nil {
		return err
	}
	r.entered = true
	return nil
}

// release gives back what the request holds of the intake.
func (r *Request) release() {
	if r.held > 0 {
		r.intake.give(r.payer(), r.held)
	}
	if r.entered {
		r.intake.leave(r.payer())
	}
}

// payer is the tenant whose share the request counts to; "" is the operator.
func (r *Request) payer() string {
	if r.Tenant != "" {
		return r.Tenant
	}
	return r.Principal.Tenant
}

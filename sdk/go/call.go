package postino

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Error is an answer of the API that is no success. Its Code says for programs
// what is wrong; docs/errors.md lists all codes. An answer without a problem
// document has none.
type Error struct {
	Problem

	retryAfter time.Duration // that the answer asks for
}

func (e *Error) Error() string {
	text := fmt.Sprintf("%d %s: %s", e.Status, e.Code, e.Detail)
	if e.Errors != nil {
		for _, wrong := range *e.Errors {
			text += "; " + wrong.Field + ": " + wrong.Detail
		}
	}
	return text
}

// Request is one request of [Client.Call].
type Request struct {
	Method string
	Path   string // of the tenant, such as "/stats"
	Query  url.Values
	Body   any // sent as JSON; nil means none

	// IdempotencyKey makes a POST repeatable, where the API knows the header.
	IdempotencyKey string
}

// Call makes a request of any route of the tenant and decodes the answer into a
// pointer; nil means that it does not matter. A refusal is an [*Error].
//
// GET, PUT and DELETE are repeated after a fault of the network, a 429, 502, 503
// or 504; so is a POST with an idempotency key. Other requests are repeated
// after a 429 only, because then they did nothing.
func (c *Client) Call(ctx context.Context, r Request, into any) error {
	body, err := encode(r.Body)
	if err != nil {
		return err
	}
	for attempt := 1; ; attempt++ {
		err := c.once(ctx, r, body, into)
		if err == nil || attempt >= c.Tries || ctx.Err() != nil || !r.again(err) {
			return err
		}
		select {
		case <-time.After(wait(err, attempt)):
		case <-ctx.Done():
			return err
		}
	}
}

func encode(body any) ([]byte, error) {
	if body == nil {
		return nil, nil
	}
	return json.Marshal(body)
}

// again says whether the request may be repeated after an error.
func (r Request) again(err error) bool {
	repeatable := r.Method == http.MethodGet || r.Method == http.MethodPut || r.Method == http.MethodDelete || r.IdempotencyKey != ""
	var refused *Error
	if !errors.As(err, &refused) {
		return repeatable
	}
	switch refused.Status {
	case http.StatusTooManyRequests:
		return true
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return repeatable
	}
	return false
}

// wait is what the answer asks for, or up to 0.4 s, 0.8 s, … 20 s, by chance, so
// that many clients do not return at once.
func wait(err error, attempt int) time.Duration {
	var refused *Error
	if errors.As(err, &refused) && refused.retryAfter > 0 {
		return refused.retryAfter
	}
	most := min(20*time.Second, 200*time.Millisecond<<min(attempt, 10))
	return 100*time.Millisecond + rand.N(most)
}

func (c *Client) once(ctx context.Context, r Request, body []byte, into any) error {
	address := c.base + r.Path
	if len(r.Query) > 0 {
		address += "?" + r.Query.Encode()
	}
	request, err := http.NewRequestWithContext(ctx, r.Method, address, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+c.key)
	request.Header.Set("User-Agent", "postino-go/0.1.0")
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if r.IdempotencyKey != "" {
		request.Header.Set("Idempotency-Key", r.IdempotencyKey)
	}
	answer, err := c.HTTP.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	if answer.StatusCode >= 300 {
		return refusal(answer, text)
	}
	if into == nil || len(text) == 0 {
		return nil
	}
	return json.Unmarshal(text, into)
}

// refusal is what an answer says; of one that is no JSON, its beginning as the
// detail.
func refusal(answer *http.Response, text []byte) *Error {
	e := &Error{}
	if json.Unmarshal(text, &e.Problem) != nil || e.Detail == "" {
		e.Detail = string(text[:min(len(text), 200)])
	}
	e.Status = answer.StatusCode
	if seconds, err := strconv.Atoi(answer.Header.Get("Retry-After")); err == nil {
		e.retryAfter = time.Duration(min(seconds, 60)) * time.Second
	}
	return e
}

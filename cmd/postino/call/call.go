// Package call makes requests of a tenant's API, for the commands that use an
// installation as any client does.
package call

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// Tenant is one tenant of an installation, and a key for it.
type Tenant struct{ Endpoint, Name, Key string }

// Refusal is an answer that is no success.
type Refusal struct {
	Status int
	Code   string // of the problem; "" if the answer is none
	Detail string
}

func (r *Refusal) Error() string {
	if r.Code == "" {
		return fmt.Sprintf("the answer is %d and not from Postino: is that the address of the API?", r.Status)
	}
	return fmt.Sprintf("%d %s: %s", r.Status, r.Code, r.Detail)
}

// Passing reports whether the same request may succeed later.
func (r *Refusal) Passing() bool { return r.Status == http.StatusTooManyRequests || r.Status >= 500 }

// client shows redirects instead of following them: the key is for one server.
var client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

const (
	mostBytes = 8 << 20
	longest   = 35 * time.Second // API Gateway gives up after 30
)

// Do makes a request of a route of the tenant, such as "/events", and reads the
// answer into a value, unless that is nil. A body that is nil is none.
func (t Tenant) Do(ctx context.Context, method, route string, body, into any) error {
	ctx, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	var written []byte
	if body != nil {
		var err error
		if written, err = json.Marshal(body); err != nil {
			return err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimRight(t.Endpoint, "/")+"/v1/tenants/"+t.Name+route, bytes.NewReader(written))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+t.Key)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, mostBytes))
	if err != nil {
		return err
	}
	if resp.StatusCode >= 300 {
		return refusal(resp.StatusCode, text)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(text, into)
}

// refusal reads a problem, with the first field that it names.
func refusal(status int, text []byte) error {
	var problem struct {
		Code, Detail string
		Errors       []struct{ Field, Detail string }
	}
	if json.Unmarshal(text, &problem) != nil {
		problem.Code = ""
	}
	if len(problem.Errors) > 0 {
		problem.Detail += " " + problem.Errors[0].Field + ": " + problem.Errors[0].Detail
	}
	return &Refusal{status, problem.Code, problem.Detail}
}

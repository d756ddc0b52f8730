package check

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"time"
)

// client shows redirects instead of following them: the key is for one server.
var client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

const (
	maxAnswer   = 4 << 20
	callTimeout = 35 * time.Second // API Gateway gives up after 30
)

// api calls an installation.
type api struct {
	endpoint, key, tenant string
	spent                 spent
}

// own calls a route of the tenant of this check.
func (a *api) own(ctx context.Context, method, route string, body, into any) error {
	_, err := a.call(ctx, method, "/v1/tenants/"+a.tenant+route, body, into)
	return err
}

// call makes a request and reads the answer into a value, unless that is nil.
func (a *api) call(ctx context.Context, method, path string, body, into any) (http.Header, error) {
	a.spent.requests++
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	written, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	if body == nil {
		written = nil
	}
	req, err := http.NewRequestWithContext(ctx, method, a.endpoint+path, bytes.NewReader(written))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+a.key)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, unreachable(err, req.URL)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, err
	}
	if resp.StatusCode >= 300 {
		return resp.Header, refused(resp, text)
	}
	if into == nil {
		return resp.Header, nil
	}
	if err := json.Unmarshal(text, into); err != nil {
		return resp.Header, stranger(resp.Header, text)
	}
	return resp.Header, nil
}

// event is one to publish.
type event struct {
	ID      string `json:"id"`
	Type    string `json:"type"`
	Subject string `json:"subject"` // which triggers count by
	Data    any    `json:"data"`
}

// publish publishes one event of a type.
func (a *api) publish(ctx context.Context, kind, id string) error {
	a.spent.events++
	return a.own(ctx, http.MethodPost, "/events", event{id, kind, "check", map[string]string{"check": id}}, nil)
}

// delivery is what the API shows of one.
type delivery struct {
	ID, Status, Waiting, Reason string
	Attempts                    int `json:"attempt_count"`
}

// deliveries lists those of a subscription, newest first.
func (a *api) deliveries(ctx context.Context, subscription string) ([]delivery, error) {
	var page struct{ Data []delivery }
	err := a.own(ctx, http.MethodGet, "/deliveries?subscription="+subscription, nil, &page)
	return page.Data, err
}

package recipes

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// call makes a request to the tenant's part of the API, and reads the answer
// into a value, unless that is nil.
func (p *play) call(ctx context.Context, method, route string, body []byte, into any) error {
	req, err := http.NewRequestWithContext(ctx, method, p.server.URL()+"/v1/tenants/"+p.tenant+route, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+p.server.AdminKey())
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxBody))
	switch {
	case err != nil:
		return err
	case resp.StatusCode >= 300:
		return fmt.Errorf("%s %s: %s: %s", method, route, resp.Status, answer)
	case into == nil:
		return nil
	}
	return json.Unmarshal(answer, into)
}

// make makes a call of the recipe.
func (p *play) make(ctx context.Context, c Call) error {
	method, path, found := strings.Cut(c.Call, " ")
	if !found {
		return fmt.Errorf("call %q: want a method and a path", c.Call)
	}
	return p.call(ctx, method, path, []byte(fill(string(c.Body), p.start)), nil)
}

// subscribe makes what the recipe needs: its secrets, what it sets up, and its subscriptions.
func (p *play) subscribe(ctx context.Context) error {
	for name, value := range p.recipe.Secrets {
		body, err := json.Marshal(map[string]string{"value": value})
		if err != nil {
			return err
		}
		if err := p.call(ctx, http.MethodPut, "/secrets/"+name, body, nil); err != nil {
			return err
		}
	}
	for _, c := range p.recipe.Setup {
		if err := p.make(ctx, c); err != nil {
			return err
		}
	}
	for _, s := range p.recipe.Subscriptions {
		if err := p.subscribeOne(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// subscribeOne posts a subscription with the receiver in the place of its url, if it
// has one.
func (p *play) subscribeOne(ctx context.Context, text []byte) error {
	var s map[string]json.RawMessage
	var to string
	if err := json.Unmarshal(text, &s); err != nil {
		return err
	}
	if s["url"] != nil {
		if err := json.Unmarshal(s["url"], &to); err != nil {
			return fmt.Errorf("url: %w", err)
		}
		s["url"], _ = json.Marshal(p.receiver.redirected(to)) // a string
	}
	body, err := json.Marshal(s)
	if err != nil {
		return err
	}
	var made struct{ ID, Secret string }
	if err := p.call(ctx, http.MethodPost, "/subscriptions", body, &made); err != nil {
		return err
	}
	return p.receiver.trust(made.ID, made.Secret)
}

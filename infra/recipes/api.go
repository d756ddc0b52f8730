package recipes

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
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

// subscribe makes what the recipe needs: its secrets and its subscriptions.
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
	for _, s := range p.recipe.Subscriptions {
		if err := p.subscribeOne(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// subscribeOne posts a subscription with the receiver in the place of its url.
func (p *play) subscribeOne(ctx context.Context, text []byte) error {
	var s map[string]json.RawMessage
	var to string
	if err := json.Unmarshal(text, &s); err != nil {
		return err
	}
	if err := json.Unmarshal(s["url"], &to); err != nil {
		return fmt.Errorf("url: %w", err)
	}
	s["url"], _ = json.Marshal(p.receiver.redirected(to)) // a string
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

// reasons lists the deliveries of a status with their reasons.
func (p *play) reasons(ctx context.Context, status string) (list []Reason, err error) {
	for cursor := ""; ; {
		var page struct {
			Data       []Reason
			NextCursor string `json:"next_cursor"`
		}
		if err := p.call(ctx, http.MethodGet, "/deliveries?limit=250&status="+status+cursor, nil, &page); err != nil {
			return nil, err
		}
		list = append(list, page.Data...)
		if page.NextCursor == "" {
			return list, nil
		}
		cursor = "&cursor=" + page.NextCursor
	}
}

// skipped lists the subscriptions whose triggers made nothing of an event.
func (p *play) skipped(ctx context.Context, event string) ([]Reason, error) {
	route := "/events/" + url.PathEscape(event)
	if source := p.sources[event]; source != "" {
		route += "?source=" + url.QueryEscape(source)
	}
	var view struct{ Skipped []Reason }
	err := p.call(ctx, http.MethodGet, route, nil, &view)
	for i := range view.Skipped {
		view.Skipped[i].Event = event
	}
	return view.Skipped, err
}

// preview asks why an event would lead to nothing now; "" if it would not.
func (p *play) preview(ctx context.Context, subscription string, event []byte) (string, error) {
	body, err := json.Marshal(map[string]json.RawMessage{"event": event})
	if err != nil {
		return "", err
	}
	var view struct{ Reason string }
	err = p.call(ctx, http.MethodPost, "/subscriptions/"+subscription+"/preview", body, &view)
	return view.Reason, err
}

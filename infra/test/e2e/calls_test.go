package e2e

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

// atOnce bounds the concurrent calls of one step.
const atOnce = 16

// calls makes a step's calls, and tells of the first that is not as wanted.
func (p *player) calls(ctx context.Context, s step) string {
	if s.Until {
		return eventually(ctx, func() string { return p.call(ctx, s) })
	}
	if s.Times == 0 {
		return p.call(ctx, s)
	}
	var g errgroup.Group
	g.SetLimit(atOnce)
	for i := range s.Times {
		one := &player{t: p.t, system: p.system, receiver: p.receiver, names: p.names.and("n", strconv.Itoa(i))}
		g.Go(func() error {
			if why := one.call(ctx, s); why != "" {
				return fmt.Errorf("%d: %s", i, why)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err.Error()
	}
	return ""
}

// call makes one call.
func (p *player) call(ctx context.Context, s step) string {
	req, err := p.request(ctx, s)
	if err != nil {
		return err.Error()
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return err.Error()
	}
	got := parse(text)
	call := p.names.fill(s.Call)
	if resp.StatusCode != s.Status {
		return fmt.Sprintf("%s = %d %s, want %d", call, resp.StatusCode, text, s.Status)
	}
	if s.Want != nil {
		if why := p.names.contains(got, s.Want, "answer"); why != "" {
			return fmt.Sprintf("%s: %s, in %s", call, why, text)
		}
	}
	if s.Secret != "" {
		object, _ := got.(map[string]any)
		secret, _ := object["secret"].(string)
		p.receiver.trust(p.names.fill(s.Secret), secret)
	}
	return spaced(got, time.Duration(s.Spaced))
}

func (p *player) request(ctx context.Context, s step) (*http.Request, error) {
	method, path, _ := strings.Cut(p.names.fill(s.Call), " ")
	body, media := s.Text, "text/plain"
	if s.Body != nil {
		body, media = string(s.Body), "application/json"
	}
	req, err := http.NewRequestWithContext(ctx, method, p.system.URL()+path, strings.NewReader(p.names.fill(body)))
	if err != nil {
		return nil, err
	}
	if body != "" {
		req.Header.Set("Content-Type", media)
	}
	req.Header.Set("Authorization", "Bearer "+adminKey)
	for name, value := range s.Headers {
		req.Header.Set(name, p.names.fill(value))
	}
	return req, nil
}

// spaced tells of attempts, in a delivery, that follow each other too fast.
func spaced(delivery any, least time.Duration) string {
	if least == 0 {
		return ""
	}
	object, _ := delivery.(map[string]any)
	attempts, _ := object["attempts"].([]any)
	var last time.Time
	for i, a := range attempts {
		text, _ := a.(map[string]any)["started_at"].(string)
		at, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			return err.Error()
		}
		if i > 0 && at.Sub(last) < least {
			return fmt.Sprintf("attempt %d came %v after the one before, want at least %v", i+1, at.Sub(last), least)
		}
		last = at
	}
	return ""
}

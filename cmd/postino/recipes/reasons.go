package recipes

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
)

// checkReasons compares what did not succeed with the reasons that the recipe
// gives, up to here.
func (p *play) checkReasons(ctx context.Context, s Step) error {
	p.reached = append(p.reached, s.Reasons...)
	var ended []Reason
	for _, status := range []string{"canceled", "exhausted"} {
		list, err := p.reasons(ctx, status)
		if err != nil {
			return err
		}
		ended = append(ended, list...)
	}
	for _, r := range ended {
		if !slices.Contains(p.reached, r) {
			return fmt.Errorf("unexpected: %s to %s ended: %s", r.Event, r.Subscription, r.Reason)
		}
	}
	for _, r := range s.Reasons {
		if slices.Contains(ended, r) || slices.Contains(p.waits, r) {
			continue
		}
		skipped, err := p.skipped(ctx, r.Event)
		if err != nil {
			return err
		}
		// Events in another order were not previewed, which alone tells of
		// those that do not match.
		if !slices.Contains(skipped, r) && (p.Order == nil || len(skipped) > 0) {
			return fmt.Errorf("missing: %s to %s: %s; instead %v, %v and %v", r.Event, r.Subscription, r.Reason, p.waits, skipped, ended)
		}
	}
	return nil
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

// skipped lists the subscriptions whose triggers did not fire on an event.
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

package listen

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/postino/postino/cmd/postino/call"
)

// Trigger publishes an event of a type with the sample of the type as its data, or
// with the data that is given, and writes its id.
func Trigger(ctx context.Context, t call.Tenant, typ, subject string, data json.RawMessage, out io.Writer) error {
	if data == nil {
		var registered struct{ Sample json.RawMessage }
		err := t.Do(ctx, http.MethodGet, "/event-types/"+url.PathEscape(typ), nil, &registered)
		var refused *call.Refusal
		if err != nil && !(errors.As(err, &refused) && refused.Status == http.StatusNotFound) {
			return err
		}
		if data = registered.Sample; err != nil || data == nil || string(data) == "null" {
			return fmt.Errorf("the event type %q has no sample: give -data, or register one with PUT /event-types/%s", typ, url.PathEscape(typ))
		}
	}
	event := map[string]any{"type": typ, "data": data}
	if subject != "" {
		event["subject"] = subject
	}
	var published struct{ Events []struct{ ID string } }
	if err := t.Do(ctx, http.MethodPost, "/events", []any{event}, &published); err != nil {
		return err
	}
	for _, e := range published.Events {
		fmt.Fprintln(out, e.ID)
	}
	return nil
}

// shownDelivery is what a line of a tail shows.
type shownDelivery struct {
	ID, Event, Subscription, Status string
	Waiting                         string
	Attempts                        int    `json:"attempt_count"`
	CreatedAt                       string `json:"created_at"`
}

// tailed is how many deliveries a tail looks at each time.
const tailed = 100

// Tail writes a line for each change of a delivery, oldest first, until the context
// ends. It looks each time that every has passed.
func Tail(ctx context.Context, t call.Tenant, every time.Duration, out io.Writer) error {
	seen := map[string]shownDelivery{}
	for first := true; ; first = false {
		var page struct{ Data []shownDelivery }
		if err := t.Do(ctx, http.MethodGet, fmt.Sprintf("/deliveries?limit=%d", tailed), nil, &page); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		now := map[string]shownDelivery{}
		for i := len(page.Data) - 1; i >= 0; i-- {
			d := page.Data[i]
			if now[d.ID] = d; !first && seen[d.ID] != d {
				state := d.Status
				if d.Waiting != "" {
					state += ", waits: " + d.Waiting
				}
				fmt.Fprintf(out, "%s  %s  %s  %s  %d attempts\n", time.Now().Format(time.TimeOnly), d.Event, d.Subscription, state, d.Attempts)
			}
		}
		seen = now
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(every):
		}
	}
}

package postino

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"net/url"
)

// Each iterates over any list of the tenant, page by page. After an error it
// ends. For T take the type of the list's entries.
func Each[T any](ctx context.Context, c *Client, path string, query url.Values) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		values := url.Values{}
		for name, value := range query {
			values[name] = value
		}
		for {
			var page struct {
				Data       []T     `json:"data"`
				NextCursor *string `json:"next_cursor"`
			}
			if err := c.Call(ctx, Request{Method: http.MethodGet, Path: path, Query: values}, &page); err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, entry := range page.Data {
				if !yield(entry, nil) {
					return
				}
			}
			if page.NextCursor == nil {
				return
			}
			values.Set("cursor", *page.NextCursor)
		}
	}
}

// Subscriptions iterates over the subscriptions by id.
func (c *Client) Subscriptions(ctx context.Context, of ListSubscriptionsParams) iter.Seq2[Subscription, error] {
	return Each[Subscription](ctx, c, "/subscriptions", values(of))
}

// Deliveries iterates over deliveries, newest first.
func (c *Client) Deliveries(ctx context.Context, of ListDeliveriesParams) iter.Seq2[Delivery, error] {
	return Each[Delivery](ctx, c, "/deliveries", values(of))
}

// Events iterates over events, newest first.
func (c *Client) Events(ctx context.Context, of ListEventsParams) iter.Seq2[Event, error] {
	return Each[Event](ctx, c, "/events", values(of))
}

// values are those that are set of generated parameters.
func values(parameters any) url.Values {
	text, err := json.Marshal(parameters)
	if err != nil {
		panic(err) // they hold texts, numbers and times
	}
	var set map[string]any
	if err := json.Unmarshal(text, &set); err != nil {
		panic(err)
	}
	query := url.Values{}
	for name, value := range set {
		query.Set(name, fmt.Sprint(value))
	}
	return query
}

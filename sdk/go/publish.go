package postino

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
)

const (
	maxEvents = 500     // of one request
	maxBytes  = 3 << 20 // of one request; the API takes 4 MiB
)

// Publish publishes any number of events, in requests of at most 500 events and
// 3 MiB. When it returns without an error, all are durable. Faults are retried
// with an idempotency key, so nothing is published twice. Give a key of your own
// if your program may call this again for the same events, for example after a
// crash; "" means that it makes one. After an error, the ids are those of the
// requests before the one that failed.
func (c *Client) Publish(ctx context.Context, key string, events ...NewEvent) (Published, error) {
	if key == "" {
		key = rand.Text()
	}
	all := Published{Ids: []string{}}
	bodies, err := batches(events)
	if err != nil {
		return all, err
	}
	for n, body := range bodies {
		request := Request{Method: http.MethodPost, Path: "/events", Body: body, IdempotencyKey: key}
		if n > 0 {
			request.IdempotencyKey = fmt.Sprintf("%s/%d", key, n)
		}
		var one Published
		if err := c.Call(ctx, request, &one); err != nil {
			return all, err
		}
		all.Ids = append(all.Ids, one.Ids...)
		if one.Duplicates != nil {
			all.Duplicates = To(append(orNone(all.Duplicates), *one.Duplicates...))
		}
	}
	return all, nil
}

func orNone(list *[]string) []string {
	if list == nil {
		return nil
	}
	return *list
}

// batches splits events into requests, always in the same way.
func batches(events []NewEvent) ([][]json.RawMessage, error) {
	var all [][]json.RawMessage
	var batch []json.RawMessage
	size := 0
	for _, event := range events {
		text, err := json.Marshal(event)
		if err != nil {
			return nil, err
		}
		if len(batch) > 0 && (len(batch) == maxEvents || size+len(text) > maxBytes) {
			all, batch, size = append(all, batch), nil, 0
		}
		batch = append(batch, text)
		size += len(text) + 1
	}
	if len(batch) > 0 {
		all = append(all, batch)
	}
	return all, nil
}

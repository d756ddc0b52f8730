package check

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// pull plays a subscriber that nobody can reach: it pulls what a subscription gets,
// keeps it as if it had come by itself, and says how it went, until the context
// ends. What it cannot do, whoever waits for a callback reads.
func (r *receiver) pull(ctx context.Context, a api, name string) {
	route := "/subscriptions/" + name
	for ctx.Err() == nil {
		var got struct{ Deliveries []pulled }
		err := a.own(ctx, http.MethodPost, route+"/pull", map[string]any{"max": 10, "wait": "5s", "lease": "1m"}, &got)
		var no *refusal
		switch {
		case err == nil:
		case errors.As(err, &no) && (no.status == http.StatusTooManyRequests || no.status == http.StatusServiceUnavailable):
			time.Sleep(pause)
			continue
		default:
			r.giveUp(ctx, fmt.Errorf("pull: %w; see the log of manage", err))
			return
		}
		for _, d := range got.Deliveries {
			header := http.Header{}
			for key, value := range d.Request.Headers {
				header.Set(key, value)
			}
			how := "/ack"
			if !r.take(name, header, []byte(d.Request.Body)) {
				how = "/nack"
			}
			said := map[string]any{"deliveries": []map[string]string{{"id": d.ID, "lease": d.Lease}}}
			if err := a.own(ctx, http.MethodPost, route+how, said, nil); err != nil {
				r.giveUp(ctx, fmt.Errorf("report what was pulled: %w; see the log of manage", err))
				return
			}
		}
		r.asked(a.spent.requests)
		a.spent.requests = 0
	}
}

// giveUp notes why nothing more is pulled, unless the check is over.
func (r *receiver) giveUp(ctx context.Context, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if ctx.Err() == nil && r.broken == nil {
		r.broken = err
	}
}

// asked counts requests.
func (r *receiver) asked(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests += n
}

package delivery

import (
	"context"
	"errors"
	"time"

	"github.com/postino/postino/shared/callback/retry"
	"github.com/postino/postino/shared/webhook"
)

// Test sends one request as an attempt would, marked as a test, and returns
// what came of it, within [retry.MaxTimeout] of posting. Nothing is stored. The
// error is a [*render.Skip] if a secret is missing.
func (d *Deliverer) Test(ctx context.Context, s webhook.Subscription, t webhook.Trial) (webhook.Attempt, error) {
	d.once.Do(d.start)
	sub, err := d.subscribers.prepare(s)
	if err != nil {
		return webhook.Attempt{}, err
	}
	values, err := d.requests.open(ctx, sub, t.Target, t.Content)
	if err != nil {
		return webhook.Attempt{}, err
	}
	c := call{delivery: t.Delivery, event: t.Event, number: 1, target: t.Target, content: t.Content, secrets: values, test: true}
	r, err := d.requests.post(ctx, sub, c)
	if left := retry.MaxTimeout - r.took; err == nil && r.stale && left > 0 {
		brief := *sub
		brief.timeout = min(sub.timeout, left.Round(time.Millisecond))
		r, err = d.requests.post(ctx, &brief, c)
	}
	if errors.Is(err, errInterrupted) {
		err = ctx.Err() // whoever asked has gone
	}
	r.Attempt.Number, r.Attempt.Manual = 1, true
	return r.Attempt, err
}

package courier

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
func (q *Courier) Test(ctx context.Context, s webhook.Subscription, t webhook.Trial) (webhook.Attempt, error) {
	sub, err := Prepare(s, q.Secrets)
	if err != nil {
		return webhook.Attempt{}, err
	}
	c := Call{Delivery: t.Delivery, Event: t.Event, Number: 1, Target: t.Target, Content: t.Content, Test: true}
	if err := q.Open(ctx, sub, &c); err != nil {
		return webhook.Attempt{}, err
	}
	r, err := q.Post(ctx, sub, c)
	if left := retry.MaxTimeout - r.Took; err == nil && r.Stale && left > 0 {
		brief := *sub
		brief.timeout = min(sub.timeout, left.Round(time.Millisecond))
		r, err = q.Post(ctx, &brief, c)
	}
	if errors.Is(err, ErrInterrupted) {
		err = ctx.Err() // whoever asked has gone
	}
	r.Attempt.Number, r.Attempt.Manual = 1, true
	return r.Attempt, err
}

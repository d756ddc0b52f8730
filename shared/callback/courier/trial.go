package courier

import (
	"context"
	"errors"
	"time"

	"github.com/postino/postino/shared/callback/render"
	"github.com/postino/postino/shared/callback/retry"
	"github.com/postino/postino/shared/webhook"
)

// Test sends one request as an attempt would, marked as a test, and returns
// what came of it, within [retry.MaxTimeout] of posting. Nothing is stored. The
// error is a [*render.Skip] if a secret is missing.
func (q *Courier) Test(ctx context.Context, s webhook.Subscription, t webhook.Trial) (webhook.Attempt, error) {
	if t.Elsewhere {
		s, t = withheld(s, t)
	}
	sub, err := Prepare(s, q.Secrets)
	if err != nil {
		return webhook.Attempt{}, err
	}
	c := Call{Delivery: t.Delivery, Event: t.Event, Number: 1, Target: t.Target, Content: t.Content, Test: true, Unsigned: t.Elsewhere}
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

// withheld is a trial with stars for all that its receiver must not learn, as it is
// not the subscription's: secrets, what proves who sends, and signatures, which would
// let it send the same to the subscription's.
func withheld(s webhook.Subscription, t webhook.Trial) (webhook.Subscription, webhook.Trial) {
	plain := func(text webhook.Text) webhook.Text { return webhook.Text{Plain: render.Redact(text)} }
	var headers []webhook.Header
	for _, h := range t.Target.Headers {
		headers = append(headers, webhook.Header{Name: h.Name, Value: plain(h.Value)})
	}
	star := func(name string) {
		headers = append(headers, webhook.Header{Name: name, Value: webhook.Text{Plain: render.Stars}})
	}
	if s.Auth != nil && s.Auth.Header != "" {
		star(s.Auth.Header)
	}
	if s.Signature != nil {
		for _, name := range s.Signature.Headers {
			star(name)
		}
	}
	t.Target = webhook.Target{URL: plain(t.Target.URL), Headers: headers}
	t.Content.Body = plain(t.Content.Body)
	s.Auth, s.Signature = nil, nil
	return s, t
}

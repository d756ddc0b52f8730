package delivery

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/postino/postino/shared/callback/courier"
	"github.com/postino/postino/shared/callback/peer"
	"github.com/postino/postino/shared/callback/render"
	"github.com/postino/postino/shared/callback/retry"
	"github.com/postino/postino/shared/lifecycle"
	"github.com/postino/postino/shared/webhook"
)

// told turns what somebody says who pulled a delivery into the attempt that it
// was, with the body if that is to be stored with it. Its answer may hold what it
// was sent: the secrets in it are hidden, as in an answer to us.
func (d *pulls) told(ctx context.Context, del webhook.Delivery, sub *courier.Subscriber, o webhook.Offer, said webhook.Report) (r courier.Answer, content webhook.Content, err error) {
	r.Outcome = retry.Retry
	switch {
	case said.Status != 0:
		c, err := d.call(ctx, del, sub)
		if err == nil {
			err = d.courier.Open(ctx, sub, &c)
		}
		var skip *render.Skip
		if errors.As(err, &skip) { // nothing is known that could be hidden: the status is all that is kept
			said.Headers, said.Body, err = nil, "", nil
		}
		if err != nil {
			return r, content, err
		}
		answer := peer.Answer{Status: said.Status, Header: http.Header{}, Body: []byte(said.Body)}
		for name, value := range said.Headers {
			answer.Header.Set(name, value)
		}
		r, content = d.courier.Told(sub, c, answer), c.Content
		r.RetryAfter = retry.RetryAfter(said.Status, answer.Header.Get("Retry-After"), o.LeasedAt)
	case said.Error != "":
		r.Attempt.Error, r.Attempt.Detail = said.Error, said.Detail
	case said.Failed:
		r.Attempt.Error, r.Attempt.Detail = webhook.ErrorStatus, cmp.Or(said.Detail, "not acknowledged")
	default:
		r.Outcome = retry.Success
		r.Attempt.Response = &webhook.Response{Headers: map[string]string{}}
	}
	if said.RetryAfter > 0 {
		r.RetryAfter = said.RetryAfter
	}
	if content.Method == "" && del.Digest == "" {
		content, err = d.attempts.making.Content(ctx, del, sub.Version)
		var skip *render.Skip
		if errors.As(err, &skip) || errors.Is(err, webhook.ErrNotFound) {
			err = nil
		}
	}
	if r.Took = said.Took; r.Took <= 0 {
		r.Took = max(0, d.Now().Sub(o.LeasedAt))
	}
	r.Attempt.StartedAt = o.LeasedAt.UTC().Truncate(time.Millisecond)
	r.Attempt.DurationMS = r.Took.Milliseconds()
	return r, content, err
}

// expiredSkip says that nothing is left to send.
func expiredSkip() error { return &render.Skip{Reason: webhook.ReasonExpired} }

// audit ends leases that nobody else ended, and what has waited too long to be
// pulled, and has the offers looked at again while there are any.
func (d *pulls) audit(ctx context.Context, sub webhook.SubscriptionRef, head webhook.Head) error {
	if head.Version == 0 {
		return nil // the job of its deletion ends what waits
	}
	current, err := d.current(ctx, head)
	if err != nil || !current.Pull {
		return err
	}
	if err := d.endLeases(ctx, sub, head); err != nil {
		return err
	}
	offers, err := d.Store.Offers(ctx, sub, webhook.MaxOffers)
	if err != nil || len(offers) == 0 {
		return err
	}
	for _, o := range offers {
		accepted, _, err := webhook.ParseDeliveryID(o.Delivery)
		if err != nil || d.Now().Sub(accepted) <= webhook.MaxWait {
			break // they are in order of acceptance: nothing behind can have waited longer
		}
		if err := d.expire(ctx, o); err != nil {
			return err
		}
	}
	return d.Store.PutDue(ctx, auditOf(sub, d.Now()))
}

// expire ends an offer's delivery if it has waited to be pulled for longer than one
// may, and removes the offer if nothing waits for it.
func (d *pulls) expire(ctx context.Context, o webhook.Offer) error {
	del, err := d.Store.Delivery(ctx, o.Tenant, o.Delivery)
	switch {
	case errors.Is(err, webhook.ErrNotFound):
	case err != nil:
		return fmt.Errorf("read delivery %s: %w", o.Delivery, err)
	case o.Lease != "":
		return nil
	case waits(del, o) && !o.Manual:
		if d.Now().Sub(del.WaitingSince) <= webhook.MaxWait {
			return nil
		}
		if _, err := d.life.Apply(ctx, lifecycle.Exhaust(del, webhook.ReasonExpired, d.Now())); err != nil {
			return err
		}
	}
	return d.Store.DeleteOffers(ctx, []webhook.Offer{o})
}

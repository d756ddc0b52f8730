package delivery

import (
	"context"
	"errors"
	"fmt"

	"github.com/postino/postino/shared/callback/courier"
	"github.com/postino/postino/shared/language/trigger"
	"github.com/postino/postino/shared/webhook"
)

// holds knows of deliveries that were held, by their subscription or by a delay,
// whether they are still wanted.
type holds struct{ *Deliverer }

// end cancels a delivery that was held until it is of no use, and
// reports whether it did.
func (d *holds) end(ctx context.Context, del webhook.Delivery, sub *courier.Subscriber) (bool, error) {
	why, err := d.outdated(ctx, del, sub)
	if err != nil || why == "" {
		return false, err
	}
	return true, d.steps.cancel(ctx, del, why, "")
}

// outdated returns why a delivery that was held is not to be posted any more:
// its event is too old by now, or another event has canceled it. It is "" if it
// is to be posted, and without a look at anything if it was not held.
func (d *holds) outdated(ctx context.Context, del webhook.Delivery, sub *courier.Subscriber) (webhook.Reason, error) {
	if !del.Held() {
		return "", nil
	}
	current, err := sub.Spec()
	if err != nil {
		return "", err
	}
	decided, err := d.decidedBy(ctx, del, sub)
	if err != nil || current == nil && decided == nil {
		return "", err
	}
	e, err := d.Store.Event(ctx, del.Tenant, del.EventSource, del.EventID)
	if errors.Is(err, webhook.ErrNotFound) || err == nil && e.Expunged {
		return "", nil // what is left of it decides
	}
	if err != nil {
		return "", fmt.Errorf("read event of %s: %w", del.ID, err)
	}
	if current != nil && current.Stale(e.Time, d.Now()) {
		return webhook.ReasonStale, nil
	}
	if decided == nil || del.Occasion != "" { // who asks for a replay sends what has fired
		return "", nil
	}
	canceled, err := decided.spec.CanceledSince(ctx, d.Store, decided.Subscription, e.Event)
	if err != nil || !canceled {
		return "", err
	}
	return webhook.ReasonCanceledBy, nil
}

// decision is a version of a subscription with its trigger, compiled.
type decision struct {
	webhook.Subscription
	spec *trigger.Spec
}

// decidedBy returns the version whose trigger decided for the delivery; nil if
// it had none, or retention has removed it.
func (d *holds) decidedBy(ctx context.Context, del webhook.Delivery, current *courier.Subscriber) (*decision, error) {
	sub := current
	if del.Version != current.Version {
		var err error
		sub, err = d.subscribers.Get(ctx, webhook.VersionRef{Tenant: del.Tenant, ID: del.Subscription, Version: del.Version})
		if errors.Is(err, webhook.ErrNotFound) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
	}
	if len(sub.Trigger) == 0 {
		return nil, nil
	}
	spec, err := sub.Spec()
	return &decision{sub.Subscription, spec}, err
}

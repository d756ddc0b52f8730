package delivery

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/postino/postino/shared/api/operational"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/webhook"
)

// announcer publishes operational events. A repeat publishes the same one again,
// which fan-out drops.
type announcer struct {
	store  Store
	events Sender // nil publishes none
	now    func() time.Time
}

// delivery publishes the operational event that the stored delivery calls for,
// if any.
func (a *announcer) delivery(ctx context.Context, del webhook.Delivery) error {
	typ := operational.OfDelivery(del)
	if typ == "" || a.events == nil {
		return nil
	}
	e, err := a.store.Event(ctx, del.Tenant, del.EventSource, del.EventID)
	if err != nil && !errors.Is(err, webhook.ErrNotFound) {
		return fmt.Errorf("read event of %s: %w", del.ID, err)
	}
	sub, err := a.version(ctx, ref(del), del.Version)
	if err != nil {
		return err
	}
	return a.publish(ctx, operational.Delivery(typ, del, sub, e.Type, a.now()))
}

// version reads a version of a subscription; of one that retention removed,
// nothing.
func (a *announcer) version(ctx context.Context, sub webhook.SubscriptionRef, version int64) (webhook.Subscription, error) {
	found, err := a.store.Versions(ctx, []webhook.VersionRef{{Tenant: sub.Tenant, ID: sub.ID, Version: version}})
	if errors.Is(err, webhook.ErrNotFound) {
		return webhook.Subscription{}, nil
	}
	if err != nil {
		return webhook.Subscription{}, fmt.Errorf("read subscription %s of %s: %w", sub.ID, sub.Tenant, err)
	}
	return found[0], nil
}

// disabled publishes that we disabled a subscription. Its DisabledAt is
// zero if an operational event had us do that: they beget no others.
func (a *announcer) disabled(ctx context.Context, sub webhook.Subscription) error {
	if a.events == nil || a.now().Sub(sub.DisabledAt) > disabledLately {
		return nil
	}
	return a.publish(ctx, operational.Subscription(operational.SubscriptionDisabled, sub, a.now()))
}

// disabledLately is the time within which it may be that a subscription was
// disabled and not told of. It must be shorter than an event is kept, or what
// was told would be news again.
const disabledLately = 24 * time.Hour

// disabledBefore makes up for whoever perhaps disabled the subscription and had
// no time to tell: for another handling of the same message, and in the audit
// that is arranged before a subscription is disabled.
func (a *announcer) disabledBefore(ctx context.Context, sub webhook.SubscriptionRef) error {
	if a.events == nil {
		return nil
	}
	heads, err := a.store.Heads(ctx, []webhook.SubscriptionRef{sub})
	if err != nil {
		return fmt.Errorf("read subscription %s: %w", sub.ID, err)
	}
	newest, err := a.version(ctx, sub, heads[0].Version)
	if err != nil {
		return err
	}
	return a.disabled(ctx, newest)
}

func (a *announcer) publish(ctx context.Context, messages []queue.Message) error {
	if err := a.events.Send(ctx, messages); err != nil {
		return fmt.Errorf("publish operational event: %w", err)
	}
	return nil
}

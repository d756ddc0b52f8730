package delivery

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/stage/expunge"
	"github.com/postino/postino/shared/webhook"
)

// expungeTime is how long one message goes on with slices of an event.
const expungeTime = 10 * time.Second

// expunge removes what is left of an expunged event in its deliveries. An event
// of very many goes on with another message.
func (d *Deliverer) expunge(ctx context.Context, j *job) error {
	e, err := d.Store.Event(ctx, j.again.Tenant, j.again.Source, j.again.Event)
	if errors.Is(err, webhook.ErrNotFound) || err == nil && !e.Expunged {
		return nil // whoever asked died before the event was marked
	}
	if err != nil {
		return fmt.Errorf("read event %s: %w", j.again.Event, err)
	}
	next, x := j.again, expunge.Expunger{Store: d.Store, Counter: d.life.Counter}
	for begun := time.Now(); time.Since(begun) < expungeTime; {
		next.Position, err = x.Slice(ctx, e, next.Position, d.Now().UTC().Truncate(time.Millisecond))
		if err != nil || next.Position == "" {
			return err
		}
	}
	return d.Resend.Send(ctx, []queue.Message{{Group: next.Tenant, Body: next.Encode()}})
}

// expunged reports whether the payload of a first attempt's event was removed
// while its message was under way. It is asked where expunging cannot have
// stored the delivery: if its plan does not say that there will be one.
func (d *Deliverer) expunged(ctx context.Context, f message.First) (bool, error) {
	sub, err := d.subscribers.get(ctx, webhook.VersionRef{Tenant: f.Tenant, ID: f.Subscription, Version: f.Version})
	switch {
	case errors.Is(err, webhook.ErrNotFound): // retention removed it: its trigger may have had a say
	case err != nil:
		return false, err
	case f.Occasion == "" && len(sub.Trigger) == 0 && sub.MaxAge == "":
		return false, nil
	}
	e, err := d.Store.Event(ctx, f.Tenant, f.Source, f.Event)
	if errors.Is(err, webhook.ErrNotFound) {
		return false, nil
	}
	return e.Expunged, err
}

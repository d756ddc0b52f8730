package delivery

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/stage/expunge"
	"github.com/postino/postino/shared/webhook"
)

// expungeTime is how long one message goes on with slices of an event.
const expungeTime = 10 * time.Second

// expunge removes what is left of an expunged event in its deliveries. An event
// of very many goes on with another message.
func (d *Deliverer) expunge(ctx context.Context, asked message.Expunge) error {
	e, err := d.Store.Event(ctx, asked.Tenant, asked.Source, asked.Event)
	if errors.Is(err, webhook.ErrNotFound) || err == nil && !e.Expunged {
		return nil // whoever asked died before the event was marked
	}
	if err != nil {
		return fmt.Errorf("read event %s: %w", asked.Event, err)
	}
	x := expunge.Expunger{Store: d.Store, Counter: d.life.Counter}
	for begun := time.Now(); time.Since(begun) < expungeTime; {
		asked.Position, err = x.Slice(ctx, e, asked.Position, d.Now().UTC().Truncate(time.Millisecond))
		if err != nil || asked.Position == "" {
			return err
		}
	}
	return d.ask(ctx, asked, 0)
}

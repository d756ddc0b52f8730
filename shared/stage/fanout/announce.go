package fanout

import (
	"context"

	"github.com/postino/postino/shared/api/operational"
	"github.com/postino/postino/shared/webhook"
)

// announce publishes, with all else that the message leads to, the operational
// event that a canceled delivery calls for, if any. A repeat publishes the same
// one again, which fan-out drops.
func (f *Fanout) announce(ctx context.Context, r *rendering, s *subscriber, d webhook.Delivery, out *outgoing) error {
	typ := operational.OfDelivery(d)
	if typ == "" {
		return nil
	}
	for _, m := range operational.Delivery(typ, d, s.Subscription, r.event.Type, f.now()) {
		if err := out.events.Add(ctx, m); err != nil {
			return err
		}
	}
	return nil
}

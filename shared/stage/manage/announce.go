package manage

import (
	"context"
	"fmt"
	"time"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/api/operational"
	"github.com/postino/postino/shared/webhook"
)

// recoveredLately is the time within which a repeated request makes up for one
// that opened a subscription and had no time to tell of it. It must be shorter
// than an event is kept, or what was told would be news again.
const recoveredLately = 24 * time.Hour

// announceRecovered publishes that a subscription which we had disabled is
// active again. A repeat publishes the same event again, which fan-out drops.
func (h *Handler) announceRecovered(ctx context.Context, s webhook.Subscription) error {
	if s.DisabledAt.IsZero() || h.Events == nil || h.now().Sub(s.UpdatedAt) > recoveredLately {
		return nil
	}
	messages := operational.Subscription(operational.SubscriptionRecovered, s, h.now())
	if err := h.Events.Send(ctx, messages); err != nil {
		return httpapi.NotQueued.Problem("The operational event could not be queued. Send the request again.").After(time.Second).Because(fmt.Errorf("publish operational event: %w", err))
	}
	return nil
}

package delivery

import (
	"context"
	"fmt"
	"time"

	"github.com/postino/postino/shared/pace"
	"github.com/postino/postino/shared/webhook"
)

// lateTurn is how long after its turn a delivery may still go without asking
// for another: queues count whole seconds, and take some. What is later than
// that was held up with others, and is not to come all at once.
const lateTurn = 5 * time.Second

// tokenLate marks the message of a delivery that came too late for its turn
// once: the second turn is good whenever it comes. Otherwise nothing would ever
// be posted while we ourselves are slow.
const tokenLate = "late"

// turn reports whether it is the delivery's turn under its subscription's rate
// limit. If not, it was put off until it is, or parked if that is far.
func (d *Deliverer) turn(ctx context.Context, del webhook.Delivery, sub *subscriber, content webhook.Content, token string) (bool, error) {
	if sub.RateLimit == nil {
		return true, nil
	}
	now, held := d.Now(), del.Waiting == webhook.WaitRateLimit
	if held && (token == tokenLate || now.Sub(del.NextAt) <= lateTurn) {
		if del.NextAt.Sub(now) > pace.Near {
			return false, d.wake(ctx, del, token)
		}
		return true, nil
	}
	horizon := pace.Horizon
	if held {
		horizon = pace.Far // it has waited already: not in line again
	}
	at, found, err := d.pacer.Turn(ctx, ref(del), sub.RateLimit.PerSecond, now, horizon)
	switch {
	case err != nil:
		return false, err
	case !found:
		return false, d.park(ctx, del, webhook.WaitRateLimit, content)
	case at.Sub(now) <= pace.Near:
		return true, nil
	}
	return false, d.putOff(ctx, del, content, at, held)
}

// putOff has the delivery wait for its turn. That is no attempt.
func (d *Deliverer) putOff(ctx context.Context, del webhook.Delivery, content webhook.Content, at time.Time, again bool) error {
	next := del
	next.Waiting, next.NextAt, next.Claim = webhook.WaitRateLimit, at.UTC().Truncate(time.Millisecond), webhook.Claim{}
	var with webhook.Parts
	if del.Rev == 0 {
		with.Content, next.Digest = &content, digest(content)
	}
	if err := d.save(ctx, &next, with); err != nil {
		return fmt.Errorf("put off %s: %w", del.ID, err)
	}
	d.Count("deliveries_paced", 1)
	if !again {
		return d.settle(ctx, next)
	}
	return d.wake(ctx, next, tokenLate)
}

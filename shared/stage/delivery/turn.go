package delivery

import (
	"context"
	"fmt"
	"time"

	"github.com/postino/postino/shared/callback/pace"
	"github.com/postino/postino/shared/lifecycle"
	"github.com/postino/postino/shared/webhook"
)

// lateTurn is how long after its turn a delivery may still go without asking
// for another: queues count whole seconds, and take some. What is later than
// that was held up with others, and is not to come all at once.
const lateTurn = 5 * time.Second

// turn reports whether it is the delivery's turn under its subscription's rate
// limit. If not, it was put off until it is, or parked if that is far.
//
// A delivery that came too late for its turn once gets another, which is good
// whenever it comes. Otherwise nothing would ever be posted while we ourselves
// are slow.
func (d *Deliverer) turn(ctx context.Context, del webhook.Delivery, sub *subscriber, content *webhook.Content, second bool) (bool, error) {
	if sub.RateLimit == nil {
		return true, nil
	}
	now, held := d.Now(), del.Waiting == webhook.WaitRateLimit
	if held && (second || now.Sub(del.NextAt) <= lateTurn) {
		if del.NextAt.Sub(now) > pace.Near {
			return false, d.wake(ctx, del, second)
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
	return false, d.putOff(ctx, del, content, at)
}

// putOff has the delivery wait for its turn. That is no attempt.
func (d *Deliverer) putOff(ctx context.Context, del webhook.Delivery, content *webhook.Content, at time.Time) error {
	t := lifecycle.PutOff(del, at).Keeping(content)
	saved, err := d.life.Save(ctx, t)
	if err != nil {
		return fmt.Errorf("put off %s: %w", del.ID, err)
	}
	d.Count("deliveries_paced", 1)
	return d.life.CarryOut(ctx, saved, t.Effects)
}

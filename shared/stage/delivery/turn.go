package delivery

import (
	"context"
	"time"

	"github.com/postino/postino/shared/callback/courier"
	"github.com/postino/postino/shared/callback/pace"
	"github.com/postino/postino/shared/lifecycle"
	"github.com/postino/postino/shared/webhook"
)

// lateTurn is how long after its turn a delivery may still go without asking
// for another: queues count whole seconds, and take some. What is later than
// that was held up with others, and is not to come all at once.
const lateTurn = 5 * time.Second

// turns gives deliveries their turns under the rate limits of their subscriptions.
type turns struct {
	*Deliverer
	pacer *pace.Pacer
}

// its reports whether it is the delivery's turn under its subscription's rate
// limit. If not, it was put off until it is, or parked if that is far.
//
// A delivery that came too late for its turn once gets another, which is good
// whenever it comes. Otherwise nothing would ever be posted while we ourselves
// are slow.
func (d *turns) its(ctx context.Context, del webhook.Delivery, sub *courier.Subscriber, content *webhook.Content, second bool) (bool, error) {
	if sub.RateLimit == nil || sub.Pull { // whoever pulls gets no more than that at a time
		return true, nil
	}
	now, held := d.Now(), del.Waiting == webhook.WaitRateLimit
	if held && (second || now.Sub(del.NextAt) <= lateTurn) {
		if del.NextAt.Sub(now) > pace.Near {
			return false, d.steps.wake(ctx, del, second)
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
		return false, d.steps.park(ctx, del, webhook.WaitRateLimit, content)
	case at.Sub(now) <= pace.Near:
		return true, nil
	}
	return false, d.steps.wait(ctx, lifecycle.PutOff(del, at), content, func() { d.Count("deliveries_paced", 1) }) // that is no attempt
}

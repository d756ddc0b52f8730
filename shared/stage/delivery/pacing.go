package delivery

import (
	"context"
	"fmt"
	"time"

	"github.com/postino/postino/shared/callback/pace"
	"github.com/postino/postino/shared/webhook"
)

// pacing is how fast a waiting line is emptied: at the subscription's rate
// limit, else at drainRate.
type pacing struct {
	most    int             // deliveries of a slice
	waiting webhook.Waiting // what those wait for that are released
	start   time.Time       // of the slice
	every   time.Duration   // from one to the next
	limited bool
}

// pacing returns how to empty the line of a subscription as it is now; one
// that is deleted has no limit.
func (d *lines) pacing(ctx context.Context, head webhook.Head) (pacing, error) {
	p := pacing{most: drainSlice, waiting: webhook.WaitRetry, start: d.Now(), every: time.Second / drainRate}
	if head.Version == 0 {
		return p, nil
	}
	sub, err := d.current(ctx, head)
	if err != nil || sub.RateLimit == nil {
		return p, err
	}
	perSlice := sub.RateLimit.PerSecond * int(sliceTime/time.Second)
	return pacing{
		most: min(drainSlice, perSlice), waiting: webhook.WaitRateLimit,
		every: pace.Interval(sub.RateLimit.PerSecond), limited: true,
	}, nil
}

// drainAhead is how far ahead of now a drainer may take turns under a rate
// limit. It is more than others may: while a line is emptied, new deliveries
// join its end.
const drainAhead = 2 * pace.Horizon

// reserve takes the slice's turns under a rate limit, all or none of them, and
// returns how many can be released and when the next slice is to follow.
func (d *lines) reserve(ctx context.Context, sub webhook.SubscriptionRef, p *pacing, n int) (released int, wait time.Duration, err error) {
	if !p.limited || n == 0 {
		return n, sliceTime, nil
	}
	now, length := d.Now(), time.Duration(n)*p.every
	begin, taken, err := d.Store.Reserve(ctx, sub, now, now.Add(drainAhead), length)
	if err != nil {
		return 0, 0, fmt.Errorf("reserve turns: %w", err)
	}
	p.start = begin
	if !taken {
		return 0, max(time.Second, begin.Sub(now)-drainAhead), nil
	}
	return n, max(0, begin.Add(length).Sub(now)-pace.Horizon-sliceTime/2), nil
}

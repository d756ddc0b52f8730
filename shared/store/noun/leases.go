package noun

import (
	"context"
	"errors"
	"time"

	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/webhook"
)

const (
	leasePartition = "l"
	leaseKept      = 24 * time.Hour // after its end
)

// Lease makes token the only holder of the named work until the given time, or
// reports false if another token holds it after now. The holder may extend, and
// give up by a time not after now.
func (n *Nouns) Lease(ctx context.Context, sub webhook.SubscriptionRef, work, token string, now, until time.Time) (bool, error) {
	ended := until
	if now.After(ended) {
		ended = now
	}
	_, _, err := n.table.Put(ctx, table.Item{
		Key:     n.ofSubscription(leasePartition, sub, table.Name(work)),
		Fields:  table.Fields{"tk": token, "un": table.Nanos(until)},
		Expires: ended.Add(leaseKept),
	}, table.How{
		If:   table.Absent("un").Or(table.Equal("tk", token)).Or(table.AtMost("un", table.Nanos(now))),
		Wait: table.ForOthers,
	})
	if errors.Is(err, table.ErrRefused) {
		return false, nil
	}
	return err == nil, err
}

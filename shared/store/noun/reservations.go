package noun

import (
	"context"
	"errors"
	"time"

	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/webhook"
)

const (
	reservedSort = "R"
	reservedKept = 24 * time.Hour // after its end
	// reserveTries bounds the times that two callers meet between the two ways to
	// reserve.
	reserveTries = 10
)

// Reserve takes the next stretch of a subscription's time, unless it would begin
// after latest. A change knows no maximum, so there are two of them: from now on
// if all before has passed, else from the end of what is taken.
func (n *Nouns) Reserve(ctx context.Context, sub webhook.SubscriptionRef, now, latest time.Time, length time.Duration) (begin time.Time, taken bool, err error) {
	key := n.ofSubscription(healthPartition, sub, reservedSort)
	fromNow := table.Absent("un").Or(table.AtMost("un", table.Nanos(now)))
	fromEnd := table.Greater("un", table.Nanos(now)).And(table.AtMost("un", table.Nanos(latest)))
	begin, until := now, time.Time{}
	for range reserveTries {
		change, how := table.Change{Set: table.Fields{"un": table.Nanos(now.Add(length))}}, table.How{If: fromNow, Wait: table.ForOthers}
		if until.After(now) {
			change, how.If = table.Change{Add: map[string]int64{"un": int64(length)}}, fromEnd
		}
		change.Expires = until
		if begin.After(until) {
			change.Expires = begin
		}
		change.Expires = change.Expires.Add(length + reservedKept)
		was, _, err := n.table.Update(ctx, key, change, how)
		stored := was.Fields.Time("un")
		switch {
		case err == nil && until.After(now):
			return stored, true, nil
		case err == nil:
			return now, true, nil
		case !errors.Is(err, table.ErrRefused):
			return begin, false, err
		case stored.After(now) && stored.After(latest):
			return stored, false, nil
		}
		until = stored
	}
	return begin, false, webhook.ErrBusy
}

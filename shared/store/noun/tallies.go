package noun

import (
	"context"
	"time"

	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/webhook"
)

const (
	// healthPartition holds how the subscriber of one subscription fares: tallies
	// and what is reserved of its time.
	healthPartition = "h"
	tallyPrefix     = "H#"
	tallyKept       = 24 * time.Hour
)

// AddTally adds t to what is counted in the window and returns the sum.
func (n *Nouns) AddTally(ctx context.Context, sub webhook.SubscriptionRef, window time.Time, t webhook.Tally) (webhook.Tally, error) {
	key := n.ofSubscription(healthPartition, sub, tallyPrefix+table.Ordinal(window.Unix()))
	was, _, err := n.table.Update(ctx, key, table.Change{
		Add:     map[string]int64{"n": int64(t.Attempts), "f": int64(t.Failed)},
		Expires: window.Add(tallyKept),
	}, table.How{Wait: table.ForOthers})
	if err != nil {
		return webhook.Tally{}, err
	}
	return webhook.Tally{Attempts: int(was.Fields.Int("n")) + t.Attempts, Failed: int(was.Fields.Int("f")) + t.Failed}, nil
}

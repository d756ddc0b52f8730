package noun

import (
	"context"
	"errors"
	"time"

	"github.com/postino/postino/shared/store/table"
)

var lowWaterKey = table.Key{Partition: "SWEEP", Sort: "L"}

// LowWater returns the minute before which no pointer is left, zero before the
// first sweep.
func (n *Nouns) LowWater(ctx context.Context) (time.Time, error) {
	found, err := n.table.Get(ctx, lowWaterKey)
	return found[lowWaterKey].Fields.Time("un"), err
}

// RaiseLowWater moves the mark forward; to an earlier time it does nothing.
func (n *Nouns) RaiseLowWater(ctx context.Context, to time.Time) error {
	_, _, err := n.table.Put(ctx, table.Item{Key: lowWaterKey, Fields: table.Fields{"un": table.Nanos(to)}}, table.How{
		If: table.Absent("un").Or(table.AtMost("un", table.Nanos(to)-1)), Wait: table.ForOthers,
	})
	if errors.Is(err, table.ErrRefused) {
		return nil
	}
	return err
}

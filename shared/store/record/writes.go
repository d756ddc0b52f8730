package record

import (
	"context"
	"errors"

	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/webhook"
)

// write makes one write by itself, and several in a transaction.
func write(ctx context.Context, t table.Table, writes []table.Write, wait table.Wait) error {
	return writeNew(ctx, t, writes, wait, nil)
}

// writeNew is write of what may be known to be new: see [table.How].
func writeNew(ctx context.Context, t table.Table, writes []table.Write, wait table.Wait, isNew func() bool) error {
	if len(writes) == 1 && writes[0].Verb == table.Puts {
		_, _, err := t.Put(ctx, writes[0].Item, table.How{If: writes[0].If, Wait: wait, New: isNew})
		return err
	}
	return t.Transact(ctx, writes, wait)
}

// conflict is what a refusal of the table means to who expected a revision.
func conflict(err error) error {
	if errors.Is(err, table.ErrRefused) {
		return webhook.ErrConflict
	}
	return err
}

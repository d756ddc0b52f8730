package localstore

import (
	"context"
	"strings"

	"github.com/postino/postino/shared/platform/local/localdb"
)

// expiring is a table whose rows each tell when they have had their time.
type expiring struct {
	table   string
	key     []string // columns of the primary key
	numbers string   // the one of them that is a number
}

var (
	triggerStates = expiring{"trigger_state", []string{"tenant", "subscription", "epoch", "key", "part"}, "epoch"}
	expiredItems  = expiring{"items", []string{"partition", "sort"}, ""}
)

func (e expiring) begin() []any {
	begin := make([]any, len(e.key))
	for i, column := range e.key {
		if begin[i] = any(""); column == e.numbers {
			begin[i] = int64(-1)
		}
	}
	return begin
}

// listing selects the keys behind one, and when each row ended.
func (e expiring) listing() string {
	columns, holders := strings.Join(e.key, ", "), strings.TrimSuffix(strings.Repeat("?, ", len(e.key)), ", ")
	return "SELECT " + columns + ", coalesce(expires, '~') FROM " + e.table + " WHERE (" + columns + ") > (" + holders + ") ORDER BY " + columns + " LIMIT ?"
}

func (e expiring) removal() string {
	return "DELETE FROM " + e.table + " WHERE " + strings.Join(e.key, " = ? AND ") + " = ? AND expires <= ?"
}

// prune is a step that removes the rows that have had their time.
func (e expiring) prune(p pruning, ctx context.Context, after []any) ([]any, error) {
	before := p.ago(0)
	last, keys, err := p.rows(ctx, e.listing(), after, func(row *localdb.Row) ([]any, bool) {
		key := make([]any, len(e.key))
		for i, column := range e.key {
			if key[i] = any(row.Text(i)); column == e.numbers {
				key[i] = row.Int64(i)
			}
		}
		return key, row.Text(len(e.key)) <= before
	})
	if err != nil {
		return nil, err
	}
	return last, p.each(ctx, keys, func(tx *localdb.Tx, key []any) error {
		_, err := tx.Exec(e.removal(), append(key, before)...)
		return err
	})
}

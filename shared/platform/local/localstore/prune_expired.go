package localstore

import (
	"context"
	"strings"
	"time"

	"github.com/postino/postino/shared/platform/local/localdb"
)

// expiring is a table whose rows each tell when they have had their time.
type expiring struct {
	table   string
	key     []string               // columns of the primary key
	numbers string                 // those of them that are numbers
	ended   string                 // SQL: text that sorts by time, '~' for never
	before  func(p pruning) string // what ended by then goes
}

const lapsed = 24 * time.Hour // how long is kept what only matters for minutes

var (
	triggerStates = expiring{"trigger_state", []string{"tenant", "subscription", "epoch", "key", "part"}, "epoch",
		"coalesce(expires, '~')", func(p pruning) string { return p.ago(0) }}
	expiredItems = expiring{"items", []string{"partition", "sort"}, "",
		"coalesce(expires, '~')", func(p pruning) string { return p.ago(0) }}
	lapsedLeases = expiring{"leases", []string{"tenant", "subscription", "work"}, "",
		"until", func(p pruning) string { return p.ago(lapsed) }}
	oldReservations = expiring{"reservations", []string{"tenant", "subscription"}, "",
		"strftime('%Y-%m-%dT%H:%M:%SZ', until / 1000000000, 'unixepoch')", func(p pruning) string { return p.now.Add(-lapsed).UTC().Format(time.RFC3339) }}
	oldTallies = expiring{"tallies", []string{"tenant", "subscription", "window"}, "window",
		"strftime('%Y-%m-%dT%H:%M:%SZ', window, 'unixepoch')", func(p pruning) string { return p.now.Add(-lapsed).UTC().Format(time.RFC3339) }}
	oldStats = expiring{"stats", []string{"tenant", "subscription", "hour"}, "hour",
		"strftime('%Y-%m-%dT%H:%M:%SZ', hour, 'unixepoch')", func(p pruning) string { return p.now.Add(-keptStats).UTC().Format(time.RFC3339) }}
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
	return "SELECT " + columns + ", " + e.ended + " FROM " + e.table + " WHERE (" + columns + ") > (" + holders + ") ORDER BY " + columns + " LIMIT ?"
}

func (e expiring) removal() string {
	return "DELETE FROM " + e.table + " WHERE " + strings.Join(e.key, " = ? AND ") + " = ? AND " + e.ended + " <= ?"
}

// prune is a step that removes the rows that have had their time.
func (e expiring) prune(p pruning, ctx context.Context, after []any) ([]any, error) {
	before := e.before(p)
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

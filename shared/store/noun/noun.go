// Package noun stores what is not on the way of an event: keys of the API,
// named secrets, event types and jobs. Each is written once, in a file of its
// own, above the narrow contract of package table: its keys, its fields, its
// lists. A new noun is a new file here.
//
//	partition  sort  holds                          ends
//	k#T        id    key of the API, hashed
//	n#T        name  named secret, sealed
//	y#T        type  registered event type
//	j#T        id    job, with how far it is        once ended, by retention
//
// T is a tenant. Each kind has a partition of its own, so that what is read
// often of one does not slow down the others.
package noun

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/webhook"
)

// Nouns are all of them, in one table.
type Nouns struct {
	// Retention is how long a job stays after it has ended.
	Retention time.Duration

	table table.Table
}

// In keeps the nouns in a table.
func In(t table.Table) *Nouns {
	return &Nouns{Retention: webhook.DefaultRetention.All, table: t}
}

// partitions are the beginnings of the partitions, in the order in which a
// tenant's deletion removes them: keys first, so that nobody gets in.
var partitions = []string{keyPartition, secretPartition, typePartition, jobPartition}

// Purge removes up to limit items of a tenant that is being deleted, and
// returns how many it removed: 0 at the end.
func (n *Nouns) Purge(ctx context.Context, tenant string, limit int) (int, error) {
	for _, kind := range partitions {
		items, err := n.table.Page(ctx, table.Range{Partition: of(kind, tenant)}, limit)
		if err != nil {
			return 0, err
		}
		if len(items) == 0 {
			continue
		}
		var keys []table.Key
		for _, it := range items {
			keys = append(keys, it.Key)
		}
		return len(keys), n.table.DeleteAll(ctx, keys, table.ForCommit)
	}
	return 0, nil
}

// one reads an item, or returns [webhook.ErrNotFound].
func (n *Nouns) one(ctx context.Context, key table.Key) (table.Item, error) {
	found, err := n.table.Get(ctx, key)
	if err != nil {
		return table.Item{}, err
	}
	it, ok := found[key]
	if !ok {
		return table.Item{}, webhook.ErrNotFound
	}
	return it, nil
}

// remove deletes an item, or returns [webhook.ErrNotFound].
func (n *Nouns) remove(ctx context.Context, key table.Key) error {
	err := n.table.Delete(ctx, key)
	if errors.Is(err, table.ErrRefused) {
		return webhook.ErrNotFound
	}
	return err
}

// maxName is the longest tenant, id or name of the contract.
const maxName = 64

// of is the partition of a tenant's items of one kind.
func of(kind, tenant string) string { return kind + "#" + named(tenant) }

// named returns an id as a part of a key: itself if it is one, else its hash,
// so that no caller's "#" reaches another's keys.
func named(s string) string {
	if s == "" || len(s) > maxName || strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789_-") != "" {
		return "!" + webhook.Hash(20, "name", s)
	}
	return s
}

func isName(s string) bool { return named(s) == s }

// Package noun stores Postino's objects above the narrow contract of package
// table. Each noun has one file, with its keys, fields and lists. A new noun is
// a new file here. Subscriptions, events, deliveries and trigger state are in
// package record, or in the store itself.
//
//	partition        sort            holds                                    ends
//	k#T              id              key of the API, hashed
//	n#T              name            named secret, sealed
//	y#T              type            registered event type
//	o#T              o               web pages that may show the portal
//	f#T#0..15        subject         profile
//	a#T              name            rule of a computed attribute
//	g#T              id              segment
//	m#T              C#id, L#name    campaign; cap of several campaigns
//	j#T              id              job, with how far it is                  once ended, by retention
//	r#T#S            hour#0..3       statistics; without S, of the tenant     45 days after retention
//	i#T#0..15        C#id#…, S#id#…  results of a campaign or subscription:
//	                 …H#hour, D#day  counts                                   as statistics; 400 days
//	                 …P#kind#day     sketch of how many people                400 days
//	l#T#S            work            lease                                    a day after
//	h#T#S            H#window        attempts and failures of a window        a day after
//	h#T#S            R               until when its time is taken             a day after
//	q#minute#0..7    time#kind#hash  due pointer
//	SWEEP            L               low-water mark of the sweep
//
// T is a tenant, S a subscription. Each kind has partitions of its own, so that
// what is read often of one does not slow down the others. "0..3" is a shard: it
// spreads what is written often over that many partitions or items. A store with
// no use for that keeps it [Nouns.Together].
package noun

import (
	"context"
	"errors"
	"time"

	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/webhook"
)

// Nouns are all of them, in one table.
type Nouns struct {
	// Retention is how long a job stays after it has ended, and about how long
	// statistics do.
	Retention time.Duration
	// Together keeps in one partition what is otherwise spread over several. It
	// is for a table in one place, and cannot change once something is stored.
	Together bool

	table  table.Table
	recent *recentKeys
	types  *recentTypes // nil if others write the table too
}

// In keeps the nouns in a table.
func In(t table.Table) *Nouns {
	return &Nouns{Retention: webhook.DefaultRetention.All, table: t, recent: newRecentKeys()}
}

// Alone says that nobody else writes the table while this process runs: it remembers
// which event types are registered.
func (n *Nouns) Alone() { n.types = newRecentTypes() }

// Over returns the same nouns over what wrap makes of their table, for tests
// that let it fail.
func (n *Nouns) Over(wrap func(table.Table) table.Table) *Nouns {
	over := *n
	over.table = wrap(n.table)
	return &over
}

// spread is the number of shards of what is spread over n.
func (n *Nouns) spread(shards int) int {
	if n.Together {
		return 1
	}
	return shards
}

// The beginnings of partitions. Those of a tenant are in the order in which its
// deletion removes them: keys first, so that nobody gets in.
var (
	ofTenants       = []string{keyPartition, secretPartition, typePartition, jobPartition, rulePartition, segmentPartition, campaignPartition, originsPartition}
	ofSubscriptions = []string{healthPartition, leasePartition, statsPartition}
)

// Purge removes up to limit items of a tenant that is being deleted, and
// returns how many it removed: 0 at the end. What belongs to its subscriptions
// stays, unless all is [Nouns.Together]; see [Nouns.PurgeOf].
func (n *Nouns) Purge(ctx context.Context, tenant string, limit int) (int, error) {
	defer n.recent.forgetAll()
	defer n.types.forgetAll()
	var ranges []table.Range
	for _, kind := range ofTenants {
		ranges = append(ranges, table.Range{Partition: of(kind, tenant)})
	}
	for shard := range profileShards {
		ranges = append(ranges, table.Range{Partition: profilesOf(tenant, shard)})
	}
	for shard := range n.spread(resultsShards) {
		ranges = append(ranges, table.Range{Partition: resultsShard(tenant, shard)})
	}
	for _, kind := range ofSubscriptions {
		if n.Together {
			ranges = append(ranges, table.Range{Partition: of(kind, tenant)})
		} else {
			ranges = append(ranges, n.allOf(kind, webhook.SubscriptionRef{Tenant: tenant}))
		}
	}
	return table.Purge(ctx, n.table, limit, ranges...)
}

// PurgeOf removes up to limit items of a subscription of a tenant that is being
// deleted, and returns how many it removed.
func (n *Nouns) PurgeOf(ctx context.Context, sub webhook.SubscriptionRef, limit int) (int, error) {
	var ranges []table.Range
	for _, kind := range ofSubscriptions {
		ranges = append(ranges, n.allOf(kind, sub))
	}
	return table.Purge(ctx, n.table, limit, ranges...)
}

// PurgeHealth removes up to limit items of what is known of how a deleted
// subscription's subscriber fared, and returns how many it removed.
func (n *Nouns) PurgeHealth(ctx context.Context, sub webhook.SubscriptionRef, limit int) (int, error) {
	return table.Purge(ctx, n.table, limit, n.allOf(healthPartition, sub))
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

// of is the partition of a tenant's items of one kind.
func of(kind, tenant string) string { return kind + "#" + table.Name(tenant) }

// ofSubscription is the key of one of a subscription's items of one kind: its
// partition is theirs, or its tenant's.
func (n *Nouns) ofSubscription(kind string, sub webhook.SubscriptionRef, sort string) table.Key {
	if n.Together {
		return table.Key{Partition: of(kind, sub.Tenant), Sort: table.Name(sub.ID) + "#" + sort}
	}
	return table.Key{Partition: of(kind, sub.Tenant) + "#" + table.Name(sub.ID), Sort: sort}
}

// allOf are all of a subscription's items of one kind.
func (n *Nouns) allOf(kind string, sub webhook.SubscriptionRef) table.Range {
	begin := n.ofSubscription(kind, sub, "")
	if n.Together {
		return table.Range{Partition: begin.Partition, From: begin.Sort, To: begin.Sort + "~"}
	}
	return table.Range{Partition: begin.Partition}
}

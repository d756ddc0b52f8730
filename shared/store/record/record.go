// Package record stores tenants, subscriptions, events and deliveries above the
// narrow contract of package table. Each kind of record has one file. The nouns
// beside them are those of package noun, with the same methods for all stores.
//
// Keys are as one place has them: the memory of a test, the disk of local mode.
// Where many machines have the table, [Spread] puts the records of a kind into many
// partitions, and merges them again: the type spreading says how.
//
//	partition  sort               holds                                  index 1                 index 2
//	TENANTS    T                  the tenant is known
//	t          T#V                its change counter, its last deletion
//	c          T#N                change log: a subscription changed
//	s          T#S                head of a subscription
//	v          T#S#N              immutable version of a subscription
//	w          T#S#D              waiting line
//	po         T#S#D#R.N.K        may be pulled: round, step, and whether by hand
//	x          T#S#epoch#key#part trigger state of one key
//	e          T#E                event with its plan                    e / T#time#E            u#T#subject / time#E
//	e          T#E#D              its data, if that is long
//	e          T#E#P#plan#page    page of a large plan
//	e          T#E#R#replay       plan of a replay
//	e          T#E#O#D            names a delivery that has an occasion
//	d          T#D                delivery                               d#T#S / D               d#T#status / D
//	dp         T#D#R, T#D#A#n     its body, its attempts
//	b          T#S#status#D       names a delivery that has not succeeded
//
// T is a tenant, S a subscription, N a version, E an event's key, D a delivery's
// id. The order of ids is that of time. A delivery that has succeeded is not in
// index 2, and nothing names it: most are, and each has one entry in an index
// beside the item itself.
//
// Most of a record is its bulk: one field, in which all is written in a fixed
// order. What a condition tests, or a list reads without the rest, is a field.
//
// Events and deliveries do not expire. [Store.Prune] removes them with what hangs
// on them. All else that ends has an expiry, which the table sees to.
//
// # Where many machines have the table
//
// A unit is paid there for each item and each entry of an index that is written, and
// twice in a transaction. So these differ, and only these:
//
//   - A delivery that succeeded at once is in no index. A subscription's deliveries are in
//     partitions of their own, and a list of all deliveries follows what was planned for each
//     event (walk.go) and the pointers to what no plan names (mixed.go).
//   - Deliveries of one group are one item (group.go): see decision 31.
//   - What comes with a delivery is stored before it, without a transaction (groupsaves.go).
//   - Events, deliveries and what hangs on them have an expiry, and nothing passes over
//     the table. A write of a delivery whose event is so old that it would be missed moves
//     the event's and the parts' expiry on. So does a trigger's timer that is far ahead, and a
//     replay, with its event (keep.go).
//   - A tenant's records are no range, so its deletion goes along its subscriptions and
//     events (purgespread.go).
package record

import (
	"context"
	"strings"
	"time"

	"github.com/postino/postino/shared/store/noun"
	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/webhook"
)

// Store is all that the stages ask of storage.
type Store struct {
	*noun.Nouns
	*Tenants
	*States
	// Now is the clock that expiry is counted from: [time.Now], unless a test has
	// its own.
	Now func() time.Time
	// PayloadRetention is how long an event's data stays, at least, where records
	// expire; 0 means as long as the event. If it is less than Retention, data stands
	// in an item of its own: each event then costs one write more.
	PayloadRetention time.Duration

	table   table.Table
	spread  bool
	recent  *recent  // nil if others write the table too
	written *written // deliveries, likewise
	events  *written // likewise
	pass    pass
}

// In keeps the records in a table that one place has.
func In(t table.Table) *Store {
	s := in(t, t)
	s.Together = true // one place has no use for shards
	return s
}

// Spread keeps the records in a table that many machines have: each kind in many
// partitions.
func Spread(t table.Table) *Store {
	s := in(t, spread{t})
	s.spread = true
	return s
}

func in(nouns, records table.Table) *Store {
	return &Store{Nouns: noun.In(nouns), Tenants: &Tenants{table: records}, States: &States{records}, Now: time.Now, table: records}
}

// Alone says that nobody else writes the table while this process runs: the store
// remembers what it read of subscriptions, tenants and event types, and which events
// and deliveries are new.
func (s *Store) Alone() *Store {
	s.recent, s.written, s.events = newRecent(), newWritten(allDeliveries), newWritten(allEvents)
	s.Tenants.recent = s.recent
	s.Nouns.Alone()
	return s
}

// The kinds of records, which are partitions of the table.
const (
	tenantsPartition = "TENANTS"
	counterKind      = "t"
	changeKind       = "c"
	headKind         = "s"
	versionKind      = "v"
	lineKind         = "w"
	offerKind        = "po"
	stateKind        = "x"
	eventKind        = "e"
	subjectKind      = "u" // in index 2
	pointerKind      = "o" // in index 1: deliveries that have an occasion
	deliveryKind     = "d"
	partKind         = "dp"
	openKind         = "b"
	groupKind        = "dg"
)

// Fields that conditions test, or that several kinds have.
const (
	revision = "rv" // counts an item's writes
	whole    = "b"  // the bulk
)

// Parts of keys.
const (
	separator = "#"
	behindAll = "~" // is greater than what keys are made of
)

// mostAtOnce bounds the items of one read.
const mostAtOnce = 256

// at is the key of a record of a tenant.
func at(kind, tenant, rest string) table.Key {
	return table.Key{Partition: kind, Sort: table.Name(tenant) + separator + rest}
}

// below is the range of all keys that begin with one and a separator.
func below(key table.Key) table.Range {
	return table.Range{Partition: key.Partition, From: key.Sort + separator, To: key.Sort + separator + behindAll}
}

// ofTenant is the range of a tenant's records of a kind.
func ofTenant(kind, tenant string) table.Range {
	return below(table.Key{Partition: kind, Sort: table.Name(tenant)})
}

// ofSubscription is the key that those of a subscription's records begin with.
func ofSubscription(kind string, sub webhook.SubscriptionRef) table.Key {
	return at(kind, sub.Tenant, table.Name(sub.ID))
}

// and is a key below another.
func and(key table.Key, rest string) table.Key {
	key.Sort += separator + rest
	return key
}

// lastOf is the last part of an item's key.
func lastOf(it table.Item) string { return it.Sort[strings.LastIndexByte(it.Sort, '#')+1:] }

// one reads an item, or returns [webhook.ErrNotFound].
func one(ctx context.Context, t table.Table, key table.Key) (table.Item, error) {
	found, err := t.Get(ctx, key)
	if err != nil {
		return table.Item{}, err
	}
	it, ok := found[key]
	if !ok {
		return table.Item{}, webhook.ErrNotFound
	}
	return it, nil
}

// Package table is the narrow contract of storage: an ordered table of items.
//
// What is stored (keys of the API, secrets, statistics, due pointers …) is
// written once above it, in package noun. An adapter knows nothing of nouns: it
// has these eight methods, for DynamoDB (dynamostore), for local mode
// (localstore) and in memory ([Memory]). Package tabletest is the suite that all
// of them pass.
package table

import (
	"context"
	"errors"
	"time"
)

// Table stores items by key. It may be used concurrently, by many processes.
// Reads are consistent unless said otherwise: they see every write that has
// returned.
//
// A write may return an error that wraps [webhook.ErrBusy]: nothing was
// written, and the same call may succeed later. After any other error, but
// [ErrRefused], it is open whether something was written.
type Table interface {
	// Get returns the items that exist, each once however often it is asked for.
	Get(ctx context.Context, keys ...Key) (map[Key]Item, error)
	// Page returns up to limit items of a range, in the order of their sort keys.
	Page(ctx context.Context, r Range, limit int) ([]Item, error)
	// Count returns how many items a range of the table has, at most limit.
	Count(ctx context.Context, r Range, limit int) (int, error)
	// Put stores an item in the place of the one that is there. Without a
	// condition it returns that one, and whether there was one. If the condition
	// does not hold, it returns [ErrRefused] and what is there.
	Put(ctx context.Context, item Item, how How) (old Item, replaced bool, err error)
	// Update changes fields of an item, and makes it if there is none. It returns
	// the item as it was, also with [ErrRefused], and whether there was one.
	Update(ctx context.Context, key Key, change Change, how How) (old Item, existed bool, err error)
	// Delete removes an item, or returns [ErrRefused] if there is none.
	Delete(ctx context.Context, key Key) error
	// DeleteAll removes items, not all at once. One that does not exist is no error.
	DeleteAll(ctx context.Context, keys []Key, wait Wait) error
	// Transact carries out all writes, at most [MaxWrites] of different keys, or
	// none: then it returns a [*Refusal], which is [ErrRefused].
	Transact(ctx context.Context, writes []Write, wait Wait) error
}

// Limits of what one call may write, as DynamoDB has them.
const (
	MaxWrites = 100 // in a transaction
	MaxFields = 150 // in a change
)

// ErrRefused says that nothing was written because the condition of the write
// did not hold.
var ErrRefused = errors.New("table: the condition of the write does not hold")

// ErrMet says that nothing was written because another write to the same item was
// under way. It comes with [webhook.ErrBusy], and what it would have met is not
// known.
var ErrMet = errors.New("table: the write met another one")

// Key is where an item stands. Both parts are valid UTF-8 and not empty. A
// partition has at most 2,048 bytes, a sort key 1,024, as DynamoDB has it.
type Key struct {
	Partition string // its items are kept together, in the order of Sort
	Sort      string
}

// Range selects items of a partition by their sort keys.
type Range struct {
	Index     int // 0 is the table itself; see [Item]
	Partition string
	From      string // the least sort key; "" is the beginning
	To        string // the greatest sort key; "" is the end
	Desc      bool   // greatest first
	// Lagging lets the read miss writes of the last seconds, at half the price.
	// Reads of an index may always do that.
	Lagging bool
}

// How says under what condition something is written, and what the call waits
// for.
type How struct {
	If   Condition
	Wait Wait
	// New, if it returns true, says that there is no item, so that a table need not
	// look. It is asked when the item is about to be written, where writes come one
	// after the other. Nil is for who does not know, and tables may do without it.
	New func() bool
}

// Wait is what a write waits for, where that can be chosen: in local mode.
// Writes keep their order however little they wait for.
type Wait int

// What a write may wait for.
const (
	ForDisk   Wait = iota // that it is safe from a power cut
	ForCommit             // that others see it: a power cut may take it back
	ForOthers             // ForCommit, after the writes that somebody waits for
)

// Change is how an update changes an item: at most [MaxFields] in all.
type Change struct {
	Set     Fields           // a zero value removes the field
	Default Fields           // set where the field is absent
	Add     map[string]int64 // added to what is there; an absent field is 0
	Expires time.Time        // the zero value leaves it as it is
	Unlist  [Indexes]bool    // these indexes lose the item
}

// Write is one of the writes of a transaction.
type Write struct {
	Verb   Verb
	Item   Item   // what is put; its key alone with the other verbs
	Change Change // with [Updates]
	If     Condition
}

// Verb is what a write does.
type Verb int

// The verbs of a transaction.
const (
	Puts Verb = iota
	Updates
	Deletes // also if there is none
	Checks  // writes nothing: its condition must hold
)

// Refusal is the error of a transaction of which conditions did not hold.
type Refusal struct {
	// Refused are the writes that refused, by their place, with what is stored
	// there; an item without a key if nothing is.
	Refused map[int]Item
}

func (*Refusal) Error() string { return ErrRefused.Error() }

// Is reports that a refusal is [ErrRefused].
func (*Refusal) Is(target error) bool { return target == ErrRefused }

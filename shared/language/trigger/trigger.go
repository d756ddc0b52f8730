// Package trigger decides whether an event that a subscription matches leads
// to a callback: the fifth of its kind, the first in a month, an hour later
// unless something else happens before.
//
// Decisions are pure functions from the state of a key and an event to new
// state: read the parts that [Occurrence.Refs] names, ask [Occurrence.Decide]
// (or [Occurrence.Fire], or [CancelBy]), store what changed in one transaction
// in which every part must still be as it was read, and only then carry the
// decision out. Who loses the race reads again and decides again.
//
// # State
//
// The state of one key of one subscription has these parts.
//
//	C        how often the key has occurred
//	M#…      a mark: what was decided for one event, or for the one event that
//	         counts among those with the same distinct value
//	ONCE     the delivery that has used up once or once_per
//	CAP      the deliveries within the cap's window
//	TIMER    what waits for its delay, what has canceled, what has fired lately
//
// A mark stands in the same transaction as the counter or claim that it is
// about. So an event that is handled again finds its mark and carries the same
// decision out, and nothing is ever counted or claimed twice.
//
// # Time
//
// What happened is ordered by the events' own time, and events of one time by
// the order in which they were accepted; what we send is measured by our clock. With a delay, each start fires at
// its own time plus the delay, unless among the events handled before that
// moment is a cancel not before it, or, when repeats restart, a later start
// within its delay. When repeats keep, the first start stands, and later ones
// within its delay are repeats of it.
package trigger

import (
	"context"
	"time"

	"github.com/postino/postino/shared/webhook"
)

// Reader reads the state of triggers.
type Reader interface {
	// TriggerState returns the parts in the order asked for, each read
	// consistently. Those that are not stored have Rev 0. One that has expired
	// may still be returned.
	TriggerState(ctx context.Context, refs []webhook.StateRef) ([]webhook.StateItem, error)
}

// Store is where the state of triggers is kept.
type Store interface {
	Reader
	// SaveTriggerState stores all items, each with Rev+1, if every stored one
	// still has its Rev (0: is not stored); otherwise [webhook.ErrConflict]
	// and nothing is written. No two items may have one ref.
	SaveTriggerState(ctx context.Context, items []webhook.StateItem) error
	// ListTriggerState returns up to limit parts of ref's key whose names are
	// greater than ref.Part, by name, consistently.
	ListTriggerState(ctx context.Context, ref webhook.StateRef, limit int) ([]webhook.StateItem, error)
	// DeleteTriggerState removes parts, whatever they hold; a repeat changes
	// nothing.
	DeleteTriggerState(ctx context.Context, refs []webhook.StateRef) error
}

// How long parts are kept after they were last of use.
const (
	kept    = 90 * day  // beyond every redelivery of an event
	forever = 400 * day // unless Keep says so: what is meant to hold for ever, counts, once, distinct values
)

const day = 24 * time.Hour

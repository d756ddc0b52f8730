// Package trigger decides whether an event that a subscription matches leads
// to a callback: the fifth of its kind, the first in a month, an hour later
// unless something else happens before.
//
// Decisions are pure functions from the state of a key and an event to a new
// state. A caller reads the parts that [Occurrence.Refs] names, calls
// [Occurrence.Decide] (or [Occurrence.Fire], or [CancelBy]), stores the changes in
// one transaction on condition that no part has changed since it was read, and
// then carries out the decision. If a part has changed, the caller reads and
// decides again.
//
// # State
//
// The state of one key of one subscription has these parts:
//
//	C        how many events of the key were counted
//	M#…      a mark: the decision for one event, or for the one event that
//	         counts among those with the same distinct value
//	ONCE     the delivery that used once or once_per
//	CAP      the deliveries within the cap's window
//	TIMER    running delays, the latest cancel, the latest firings
//
// A mark is written in the same transaction as its counter or claim. So an event
// that is processed again finds its mark and gets the same decision, and nothing
// is counted or claimed twice.
//
// # Time
//
// Events are ordered by their own time, and events with the same time by their
// acceptance. Limits on sending (once_per, cap) use Postino's clock.
//
// With a delay, each start fires at its own time plus the delay. It does not fire
// if, before that moment, an event is processed that cancels it and is not before
// it. With restart, it also does not fire if a later start within its delay is
// processed. With keep, the first start stays, and later ones within its delay are
// repeats of it.
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

// How long parts are kept after their last use.
const (
	kept    = 90 * day  // beyond every redelivery of an event
	forever = 400 * day // unless Keep says so: what is meant to hold for ever, counts, once, distinct values
)

const day = 24 * time.Hour

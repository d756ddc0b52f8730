package webhook

import "time"

// StateRef names one part of the state that a subscription's trigger keeps for
// one key: what it has counted, claimed and set a timer for. Without a
// Subscription, it is what must be remembered of a request to publish.
type StateRef struct {
	Tenant       string
	Subscription string
	Epoch        int64  // of the trigger; see [Subscription.Epoch]
	Key          string // hash of the key
	Part         string // at most 64 printable ASCII characters; to stores it means nothing
}

// StateItem is one part of a trigger's state.
type StateItem struct {
	StateRef
	Rev     int64     // store's count of writes; 0 means not stored
	Data    []byte    // at most 128 KiB, UTF-8
	Expires time.Time // when the store may forget it; until it does, it returns it all the same
}

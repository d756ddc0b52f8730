package fanout

import (
	"context"
	"hash/maphash"

	"github.com/postino/postino/shared/webhook"
)

// locks let the events of one key take turns within a process. They only save
// conflicts: what is right is the store's conditions to say.
type locks struct {
	hash  func(webhook.StateRef) uint64 // of a process's own: nobody can choose keys that wait for others'
	turns [256]chan struct{}
}

func newLocks() locks {
	seed := maphash.MakeSeed()
	l := locks{hash: func(key webhook.StateRef) uint64 { return maphash.Comparable(seed, key) }}
	for i := range l.turns {
		l.turns[i] = make(chan struct{}, 1)
	}
	return l
}

// take waits for the turn of a key and returns what ends it.
func (l *locks) take(ctx context.Context, key webhook.StateRef) (release func(), err error) {
	key.Part = ""
	turn := l.turns[l.hash(key)%uint64(len(l.turns))]
	select {
	case turn <- struct{}{}:
		return func() { <-turn }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

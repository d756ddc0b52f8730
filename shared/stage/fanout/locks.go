package fanout

import (
	"context"
	"hash/maphash"

	"github.com/postino/postino/shared/webhook"
)

// locks let the events of one key take turns within a process. They only save
// conflicts: what is right is the store's conditions to say.
type locks struct {
	seed  maphash.Seed
	turns [256]chan struct{}
}

func newLocks() locks {
	l := locks{seed: maphash.MakeSeed()}
	for i := range l.turns {
		l.turns[i] = make(chan struct{}, 1)
	}
	return l
}

// take waits for the turn of a key and returns what ends it.
func (l *locks) take(ctx context.Context, key webhook.StateRef) (release func(), err error) {
	key.Part = ""
	turn := l.turns[maphash.Comparable(l.seed, key)%uint64(len(l.turns))]
	select {
	case turn <- struct{}{}:
		return func() { <-turn }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

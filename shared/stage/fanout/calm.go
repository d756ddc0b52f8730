package fanout

import (
	"context"
	"fmt"
	"hash/fnv"
	"time"

	"github.com/postino/postino/shared/webhook"
)

// Calm is for simulations: it makes the pauses before repeats as short as they can be, and has the
// same keys share a turn in each process, so that a seed replays step by step. Where events join
// groups as they come, the events of a batch come one after the other. Before parts of a key's state
// are changed, arrive is called, which says who comes first of those who change it at once; nil leaves
// that to chance.
func (f *Fanout) Calm(arrive func(ctx context.Context, parts []webhook.StateRef) error) {
	f.inTurn = f.Bundle > 1
	f.once.Do(f.start)
	f.crowds.Jitter, f.crowds.Arrive = func(time.Duration) time.Duration { return 0 }, arrive
	f.locks.hash = func(key webhook.StateRef) uint64 {
		h := fnv.New64a()
		fmt.Fprint(h, key)
		return h.Sum64()
	}
}

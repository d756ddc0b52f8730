package fanout

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/queue/outbox"
	"github.com/postino/postino/shared/store/crowd"
	"github.com/postino/postino/shared/webhook"
)

// arrays has the parts of an array asked of triggers in their order.
type arrays struct{ *Fanout }

// An array that is too large for one message comes in several, and one that is
// taken apart does. Workers take them in any order, so each part notes in the
// store which places of the array are done, and a part that has triggers to ask
// waits until all before it are.

// maxHolds is how often a part goes back into the queue to wait for those
// before it: for an hour in all, as long as a queue hands a message out again
// that cannot be handled. What is given up then holds nobody up any longer.
const maxHolds = 65

// glances are the pauses in which a part looks again before it goes back into
// the queue: most parts of one array are handled at once.
var glances = []time.Duration{0, 25 * time.Millisecond, 50 * time.Millisecond, 100 * time.Millisecond, 200 * time.Millisecond}

// longestBack is the longest time for which a part that waits goes back into
// the queue; the first is a second, and each doubles.
const longestBack = time.Minute

// turnOf reports whether all before a part are done. If not, the part goes back
// into the queue for a while.
func (f *arrays) turnOf(ctx context.Context, m queue.Message, p message.Pack, out *outgoing) (bool, error) {
	if p.First == 0 {
		return true, nil
	}
	for _, pause := range glances {
		if err := sleep(ctx, pause); err != nil {
			return false, err
		}
		done, _, err := f.placesDone(ctx, p)
		if err != nil || done.through(p.First) {
			return err == nil, err
		}
	}
	if p.Holds >= maxHolds {
		return true, nil
	}
	back := min(time.Second<<min(p.Holds, 10), longestBack)
	p.Holds++
	return false, out.events.Add(ctx, queue.Message{Group: m.Group, Body: p.Encode(), Delay: back})
}

func sleep(ctx context.Context, d time.Duration) error {
	if d == 0 {
		return nil
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// passOn notes that a part's places are done.
func (f *arrays) passOn(ctx context.Context, p message.Pack) error {
	if p.Request == "" || p.Last {
		return nil // nothing comes after
	}
	for try := range crowd.Tries {
		if err := f.crowds.Pause(ctx, try); err != nil {
			return err
		}
		done, item, err := f.placesDone(ctx, p)
		if errors.Is(err, webhook.ErrBusy) {
			continue
		}
		if err != nil {
			return err
		}
		if item.Data, err = json.Marshal(done.with(p.First, p.First+len(p.Events))); err != nil {
			return fmt.Errorf("encode places: %w", err)
		}
		const kept = 15 * 24 * time.Hour // longer than any queue keeps a part
		item.Expires = f.now().Add(kept).UTC().Truncate(time.Second)
		err = f.Store.SaveTriggerState(ctx, []webhook.StateItem{item})
		if !errors.Is(err, webhook.ErrConflict) && !errors.Is(err, webhook.ErrBusy) {
			return err
		}
	}
	return crowd.ErrContended
}

// placesDone reads which places of the part's array are done.
func (f *arrays) placesDone(ctx context.Context, p message.Pack) (done places, item webhook.StateItem, err error) {
	ref := webhook.StateRef{Tenant: p.Events[0].Tenant, Key: webhook.Hash(20, "array", p.Request), Part: "DONE"}
	items, err := f.Store.TriggerState(ctx, []webhook.StateRef{ref})
	if err != nil {
		return nil, item, fmt.Errorf("read places: %w", err)
	}
	if items[0].Rev > 0 && json.Unmarshal(items[0].Data, &done) != nil {
		return nil, item, fmt.Errorf("the places of an array of %s are not what we wrote", ref.Tenant)
	}
	return done, items[0], nil
}

// places are stretches of an array, each from its first place to behind its
// last, ascending and apart.
type places [][2]int

// through reports whether all places before one are in.
func (p places) through(place int) bool {
	return place == 0 || len(p) > 0 && p[0][0] == 0 && p[0][1] >= place
}

// with adds a stretch.
func (p places) with(from, to int) places {
	all := append(slices.Clone(p), [2]int{from, to})
	slices.SortFunc(all, func(a, b [2]int) int { return a[0] - b[0] })
	joined := all[:1]
	for _, next := range all[1:] {
		if end := &joined[len(joined)-1][1]; next[0] <= *end {
			*end = max(*end, next[1])
		} else {
			joined = append(joined, next)
		}
	}
	return joined
}

// split takes a pack apart. Its events stay parts of their array.
func (f *arrays) split(ctx context.Context, group string, p message.Pack) error {
	if p.Request == "" {
		p.Request, p.Last = p.Events[0].Nonce, true
	}
	out := &outbox.Outbox{To: f.Events}
	for i := range p.Events {
		part := message.Pack{Request: p.Request, First: p.First + i, Last: p.Last && i == len(p.Events)-1, Events: p.Events[i : i+1]}
		if err := out.Add(ctx, queue.Message{Group: group, Body: part.Encode()}); err != nil {
			return err
		}
	}
	return out.Flush(ctx)
}

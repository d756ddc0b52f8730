package crowd_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/postino/postino/shared/store/crowd"
	"github.com/postino/postino/shared/webhook"
)

// state is a store of a key's state, of which each call takes a moment.
type state struct {
	mu     sync.Mutex
	items  map[webhook.StateRef]webhook.StateItem
	writes int
	others int // writes of other processes that come before ours
}

func (s *state) TriggerState(_ context.Context, refs []webhook.StateRef) ([]webhook.StateItem, error) {
	time.Sleep(time.Millisecond)
	s.mu.Lock()
	defer s.mu.Unlock()
	items := make([]webhook.StateItem, len(refs))
	for i, ref := range refs {
		items[i] = s.items[ref]
		items[i].StateRef = ref
	}
	return items, nil
}

func (s *state) SaveTriggerState(_ context.Context, items []webhook.StateItem) error {
	time.Sleep(time.Millisecond)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.writes++; s.others > 0 {
		s.others--
		return webhook.ErrConflict
	}
	for _, item := range items {
		item.Rev++
		s.items[item.StateRef] = item
	}
	return nil
}

var key = webhook.StateRef{Tenant: "acme", Subscription: "s", Key: "u1", Part: "COUNT"}

// more adds an "x" to the key's state.
func more(items []webhook.StateItem) ([]webhook.StateItem, error) {
	items[0].Data = append([]byte("x"), items[0].Data...)
	return items[:1], nil
}

func TestWhoChangesAKeyAtOnceSharesItsWrites(t *testing.T) {
	for others := range 3 {
		synctest.Test(t, func(t *testing.T) {
			s := &state{items: map[webhook.StateRef]webhook.StateItem{}, others: others}
			c := crowd.New(s)
			var wg sync.WaitGroup
			for range crowd.AtOnce {
				wg.Go(func() {
					if err := c.Change(t.Context(), []webhook.StateRef{key}, more); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			if got := len(s.items[key].Data); got != crowd.AtOnce || s.writes > 2+others {
				t.Errorf("with %d other writers: %d changes by %d writes, want %d by at most %d", others, got, s.writes, crowd.AtOnce, 2+others)
			}
		})
	}
}

func TestWhatComesAfterAFailureIsHeldAndOthersAreNot(t *testing.T) {
	s := &state{items: map[webhook.StateRef]webhook.StateItem{}}
	broken := errors.New("broken")
	fails := func([]webhook.StateItem) ([]webhook.StateItem, error) { return nil, broken }
	panics := func([]webhook.StateItem) ([]webhook.StateItem, error) { panic("broken") }
	refs := []webhook.StateRef{key}
	changes := []*crowd.Change{{Refs: refs, Make: more}, {Refs: refs, Make: fails}, {Refs: refs, Make: more}}
	c := crowd.New(s)
	c.ChangeInOrder(t.Context(), changes)
	if changes[0].Err != nil || !errors.Is(changes[1].Err, broken) || !errors.Is(changes[2].Err, crowd.ErrHeld) {
		t.Errorf("%v, %v and %v, want the second broken and the third held", changes[0].Err, changes[1].Err, changes[2].Err)
	}
	if err := c.Change(t.Context(), refs, panics); err == nil || fmt.Sprint(err) != "panic: broken" {
		t.Errorf("a panic ends as %v, want an error", err)
	}
	if got := string(s.items[key].Data); got != "x" {
		t.Errorf("state %q, want the one change that was made", got)
	}
}

func TestContentionEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &state{items: map[webhook.StateRef]webhook.StateItem{}, others: 10 * crowd.Tries}
		if err := crowd.New(s).Change(t.Context(), []webhook.StateRef{key}, more); !errors.Is(err, crowd.ErrContended) {
			t.Errorf("among writers without end: %v, want it contended", err)
		}
		if s.writes != crowd.Tries {
			t.Errorf("%d tries, want %d", s.writes, crowd.Tries)
		}
	})
}

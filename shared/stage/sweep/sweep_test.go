package sweep_test

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/stage/sweep"
	"github.com/postino/postino/shared/webhook"
)

// minutes is a store that notes which minutes are looked at, and has a mark.
type minutes struct {
	pointers
	mark   time.Time
	looked []string // each minute once, for the first shard
}

func (m *minutes) DueAt(ctx context.Context, minute time.Time, shard int, position string, limit int) ([]webhook.Due, string, error) {
	if shard == 0 {
		m.looked = append(m.looked, minute.Format("15:04"))
	}
	return m.pointers.DueAt(ctx, minute, shard, position, limit)
}

func (m *minutes) LowWater(context.Context) (time.Time, error) { return m.mark, nil }

func (m *minutes) RaiseLowWater(_ context.Context, to time.Time) error {
	m.mark = to
	return nil
}

// TestASweepLooksAtFewMinutes: each costs a read of every shard, in each minute of
// a month, though nothing is due. Pointers are written five minutes ahead at least.
func TestASweepLooksAtFewMinutes(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 30, 0, time.UTC)
	late := message.Fire{Tenant: "acme", Subscription: "s", Epoch: 7, Key: "0k", Mark: "M#1"}.Due(now.Add(time.Minute))
	store, sent := &minutes{}, 0
	s := &sweep.Sweeper{
		Store: store, Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler),
		Events: sender(func(m []queue.Message) error { sent += len(m); return nil }),
	}
	look := func() []string {
		t.Helper()
		store.looked = nil
		if err := s.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		return store.looked
	}
	if got := look(); len(got) != 24 || !slices.Contains(got, "11:40") || !slices.Contains(got, "12:02") {
		t.Errorf("the first sweep of a process looks at %v, want all from twenty minutes ago to two minutes ahead", got)
	}
	for range 2 { // the second is at the same minute, as when a schedule fires twice
		if got := look(); len(got) > 0 {
			t.Errorf("a sweep in the same minute looks at %v, want nothing that was swept", got)
		}
	}
	now = now.Add(time.Minute)
	if got, want := look(), []string{"11:40", "12:03"}; !cmp.Equal(got, want) {
		t.Errorf("the next sweep looks at %v, want %v: the mark's and the new one", got, want)
	}
	store.pointers = pointers{late} // of 12:01, by a writer that was slow
	now = now.Add(4 * time.Minute)  // three sweeps did not happen
	if got, want := look(), []string{"11:41", "11:42", "11:43", "11:44", "12:04", "12:05", "12:06", "12:07"}; !cmp.Equal(got, want) {
		t.Errorf("after three sweeps that failed it looks at %v, want %v", got, want)
	}
	for range 20 {
		now = now.Add(time.Minute)
		look()
	}
	if sent != 1 || len(store.pointers) != 0 {
		t.Errorf("%d messages of a pointer that came after its sweep, and %d pointers are left, want it sent by the mark", sent, len(store.pointers))
	}
	now = now.Add(-time.Hour) // a clock that is set back
	if got := look(); len(got) != 23 {
		t.Errorf("after the clock went back it looks at %v, want all of the 23 minutes", got)
	}
}

package sweep_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/stage/sweep"
	"github.com/postino/postino/shared/webhook"
)

// pointers is a store that holds a few pointers, all in shard 0: only who sweeps that
// touches them.
type pointers []webhook.Due

func (p *pointers) DueAt(_ context.Context, minute time.Time, shard int, _ string, _ int) (dues []webhook.Due, _ string, _ error) {
	if shard != 0 {
		return nil, "", nil
	}
	for _, due := range *p {
		if due.At.Truncate(time.Minute).Equal(minute) {
			dues = append(dues, due)
		}
	}
	return dues, "", nil
}

func (p *pointers) DeleteDue(_ context.Context, dues []webhook.Due) error {
	for _, gone := range dues {
		for i, due := range *p {
			if due == gone {
				*p = append((*p)[:i:i], (*p)[i+1:]...)
				break
			}
		}
	}
	return nil
}

func (p *pointers) LowWater(context.Context) (time.Time, error) { return time.Time{}, nil }

func (p *pointers) RaiseLowWater(context.Context, time.Time) error { return nil }

type sender func([]queue.Message) error

func (s sender) Send(_ context.Context, messages []queue.Message) error { return s(messages) }

func TestTimersBecomeFireMessagesWithTheExactDelay(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 30, 0, time.UTC)
	fire := message.Fire{Tenant: "acme", Subscription: "s", Epoch: 7, Key: "0k", Mark: "M#1"}
	soon, missed, far := fire.Due(now.Add(75*time.Second+5)), fire.Due(now.Add(-10*time.Minute)), fire.Due(now.Add(time.Hour))
	store := &pointers{soon, missed, far}
	var sent []queue.Message
	fail := true
	s := &sweep.Sweeper{
		Store: store, Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler),
		Events: sender(func(m []queue.Message) error {
			if fail {
				return queue.ErrBusy
			}
			sent = append(sent, m...)
			return nil
		}),
	}
	if err := s.Sweep(t.Context()); err == nil || len(*store) != 3 {
		t.Errorf("a sweep whose queue refuses: error %v, %d pointers left, want 3", err, len(*store))
	}
	fail = false
	if err := s.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := []queue.Message{{Group: "acme", Body: fire.Encode()}, {Group: "acme", Body: fire.Encode(), Delay: 75*time.Second + 5}}
	if diff := cmp.Diff(want, sent); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(pointers{far}, *store); diff != "" {
		t.Errorf("pointers left (-want +got):\n%s", diff)
	}
}

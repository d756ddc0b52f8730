package lifecycle

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postino/postino/shared/callback/retry"
	"github.com/postino/postino/shared/webhook"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestEachStepSaysWhatFollowsFromIt(t *testing.T) {
	pending := Begin(webhook.Delivery{ID: "d"})
	turn := PutOff(pending, noon).Next
	parked := Park(pending, webhook.WaitPaused, noon).Next
	exhausted := Exhaust(parked, webhook.ReasonExpired, noon)
	for _, tt := range []struct {
		name string
		did  Transition
		want Effects
	}{
		{"a claim", Claim(pending, "t", noon), 0},
		{"parked", Park(pending, webhook.WaitPaused, noon), Announce | Enter},
		{"offered to be pulled", Offered(pending, noon), Announce | Offer},
		{"put off", PutOff(pending, noon), Announce | Wake},
		{"put off once more", PutOff(turn, noon.Add(time.Minute)), Announce | WakeSecond},
		{"released", Release(parked, webhook.WaitRetry, noon), Announce | Wake},
		{"canceled", Cancel(pending, webhook.ReasonManual, "", noon), Count | Announce},
		{"canceled in the line", Cancel(parked, webhook.ReasonManual, "", noon), Count | Announce | Leave},
		{"exhausted in the line", exhausted, Count | Announce | Redrive | Leave},
		{"sent again", SendAgain(exhausted.Next, noon), Announce | Wake},
		{"the first attempt of a success, kept", KeepFirst(webhook.Delivery{Rev: 1, Status: webhook.Succeeded, Last: &webhook.Attempt{}}), 0},
	} {
		if tt.did.Effects != tt.want {
			t.Errorf("%s is followed by %b, want %b", tt.name, tt.did.Effects, tt.want)
		}
	}
}

func TestTheBodyIsKeptOnce(t *testing.T) {
	content := webhook.Content{Body: webhook.Text{Plain: "{}"}}
	first := Park(Begin(webhook.Delivery{ID: "d"}), webhook.WaitPaused, noon).Keeping(&content)
	if first.With.Content != &content || first.Next.Digest != content.Digest() {
		t.Errorf("stored with %+v and digest %q, want the body", first.With, first.Next.Digest)
	}
	if again := Park(first.Next, webhook.WaitPaused, noon).Keeping(&content); again.With.Content != nil {
		t.Error("the body is stored again")
	}
	if later := PutOff(Begin(webhook.Delivery{ID: "d"}), noon).Keeping(nil); later.With.Content != nil || later.Next.Digest != "" {
		t.Errorf("without a body: %+v, %q", later.With, later.Next.Digest)
	}
}

func TestAFirstSuccessNeedsNothingBesideItsDelivery(t *testing.T) {
	answer := &webhook.Response{Body: "ok"}
	content := webhook.Content{Body: webhook.Text{Plain: "{}"}}
	for _, tt := range []struct {
		name    string
		before  webhook.Delivery
		outcome retry.Outcome
		alone   bool
		content bool
	}{
		{"success at once", Begin(webhook.Delivery{}), retry.Success, true, false},
		{"failure at first", Begin(webhook.Delivery{}), retry.Retry, false, true},
		{"success of one that waited", webhook.Delivery{Status: webhook.Pending, Rev: 2, Digest: "kept"}, retry.Success, false, false},
		{"success of one that was never rendered", webhook.Delivery{Status: webhook.Pending, Rev: 2}, retry.Success, false, true},
	} {
		got := Record(tt.before, Attempted{Attempt: webhook.Attempt{Response: answer}, Outcome: tt.outcome}, content, Made{}, retry.Schedule{time.Minute}, noon)
		if alone := got.With.Attempt == nil; alone != tt.alone || alone != (got.Next.Last.Response != nil) {
			t.Errorf("%s: attempt %+v is stored beside %+v, want the answer in one of them", tt.name, got.With.Attempt, got.Next.Last)
		}
		if kept := got.With.Content != nil; kept != tt.content || got.Next.Digest == "" {
			t.Errorf("%s: body kept: %v with digest %q, want %v", tt.name, kept, got.Next.Digest, tt.content)
		}
	}
}

func TestExpungingLeavesNoAnswer(t *testing.T) {
	answered := &webhook.Attempt{Number: 1, StatusCode: 500, Response: &webhook.Response{Body: "no"}}
	bare := &webhook.Attempt{Number: 1, StatusCode: 500}
	for _, tt := range []struct {
		name    string
		before  webhook.Delivery
		status  webhook.Status
		changes bool
	}{
		{"pending", webhook.Delivery{Status: webhook.Pending, Last: bare}, webhook.Canceled, true},
		{"succeeded at once", webhook.Delivery{Status: webhook.Succeeded, Last: answered}, webhook.Succeeded, true},
		{"ended without an answer", webhook.Delivery{Status: webhook.Exhausted, Last: bare}, webhook.Exhausted, false},
	} {
		got, changes := Expunge(tt.before, noon)
		if changes != tt.changes || got.Next.Status != tt.status || got.Next.Last.Response != nil {
			t.Errorf("%s: changes %v to %+v, want %v to %s without an answer", tt.name, changes, got.Next, tt.changes, tt.status)
		}
	}
}

// busy is a store in which others change a delivery so often before we do.
type busy struct {
	stored webhook.Delivery
	others int
}

func (b *busy) Delivery(context.Context, string, string) (webhook.Delivery, error) {
	return b.stored, nil
}

func (b *busy) SaveDelivery(_ context.Context, d webhook.Delivery, _ webhook.Parts) error {
	if b.others--; b.others >= 0 {
		b.stored.Rev++
		b.stored.Attempts++
		return webhook.ErrConflict
	}
	b.stored = d
	b.stored.Rev++
	return nil
}

func TestAStepIsTakenAnewWhenOthersWereFaster(t *testing.T) {
	for others, want := range map[int]error{0: nil, 3: nil, changeTries: webhook.ErrBusy} {
		store, counted := &busy{stored: Begin(webhook.Delivery{ID: "d"}), others: others}, 0
		x := Executor{Store: store, Counter: Counter{Count: func(string, int) { counted++ }}}
		d, _, err := x.Change(t.Context(), store.stored, func(d webhook.Delivery) (Transition, bool, error) {
			return Cancel(d, webhook.ReasonManual, "", noon), true, nil
		})
		if !errors.Is(err, want) {
			t.Errorf("after %d others: %v, want %v", others, err, want)
		}
		if want == nil && (!cmp.Equal(d, store.stored) || d.Attempts != others || counted != 1) {
			t.Errorf("after %d others: %+v counted %d times, want what is stored, on top of theirs, counted once", others, d, counted)
		}
	}
}

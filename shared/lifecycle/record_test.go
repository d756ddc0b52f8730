package lifecycle

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/postino/postino/shared/callback/retry"
	"github.com/postino/postino/shared/webhook"
)

func TestAttemptsMoveADeliveryOn(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	schedule := retry.Schedule{5 * time.Second, time.Minute}
	wait := func(id string, step int) time.Time {
		w, _ := schedule.After(step, id, 0)
		return now.Add(w)
	}
	pending := func(step int) webhook.Delivery {
		return webhook.Delivery{ID: "d", Status: webhook.Pending, Step: step, Attempts: step}
	}
	for _, tt := range []struct {
		name   string
		before webhook.Delivery
		did    Attempted
		from   Made
		want   webhook.Delivery
	}{
		{"success ends it", pending(0), Attempted{Outcome: retry.Success}, Made{},
			webhook.Delivery{Status: webhook.Succeeded, Attempts: 1, EndedAt: now}},
		{"a failure plans the next step", pending(0), Attempted{Outcome: retry.Retry}, Made{},
			webhook.Delivery{Status: webhook.Pending, Step: 1, Attempts: 1, Waiting: webhook.WaitRetry, NextAt: wait("d", 1)}},
		{"the subscriber's own wait is kept", pending(0), Attempted{Outcome: retry.Retry, RetryAfter: time.Hour}, Made{},
			webhook.Delivery{Status: webhook.Pending, Step: 1, Attempts: 1, Waiting: webhook.WaitRetry, NextAt: now.Add(time.Hour)}},
		{"the last failure exhausts it", pending(2), Attempted{Outcome: retry.Retry}, Made{Step: 2},
			webhook.Delivery{Status: webhook.Exhausted, Step: 3, Attempts: 3, EndedAt: now}},
		{"a permanent failure exhausts it at once", pending(0), Attempted{Outcome: retry.Permanent}, Made{},
			webhook.Delivery{Status: webhook.Exhausted, Reason: webhook.ReasonPermanent, Attempts: 1, EndedAt: now}},
		{"410 behind a templated url ends it", pending(0), Attempted{Outcome: retry.Gone}, Made{},
			webhook.Delivery{Status: webhook.Exhausted, Reason: webhook.ReasonGone, Attempts: 1, EndedAt: now}},
		{"410 of a plain url parks it", pending(0), Attempted{Outcome: retry.Gone, Parks: true}, Made{},
			webhook.Delivery{Status: webhook.Pending, Step: 1, Attempts: 1, Waiting: webhook.WaitDisabled, WaitingSince: now}},
		{"a failed manual attempt leaves the schedule alone", waiting(pending(1), wait("d", 1)), Attempted{Outcome: retry.Retry}, Made{Step: 1, For: ByHand},
			webhook.Delivery{Status: webhook.Pending, Step: 1, Attempts: 2, Waiting: webhook.WaitRetry, NextAt: wait("d", 1)}},
		{"a successful manual attempt ends it", waiting(pending(1), wait("d", 1)), Attempted{Outcome: retry.Success}, Made{Step: 1, For: ByHand},
			webhook.Delivery{Status: webhook.Succeeded, Step: 1, Attempts: 2, EndedAt: now}},
		{"an attempt that others overtook is only noted", waiting(pending(2), wait("d", 2)), Attempted{Outcome: retry.Retry}, Made{Step: 0},
			webhook.Delivery{Status: webhook.Pending, Step: 2, Attempts: 3, Waiting: webhook.WaitRetry, NextAt: wait("d", 2)}},
		{"an attempt whose token was refused leaves step and claim to the next", claimed(pending(1)), Attempted{Outcome: retry.Retry}, Made{Step: 1, Renewed: true},
			claimed(webhook.Delivery{Status: webhook.Pending, Step: 1, Attempts: 2})},
		{"also if its answer ends others for good", claimed(pending(1)), Attempted{Outcome: retry.Permanent}, Made{Step: 1, Renewed: true},
			claimed(webhook.Delivery{Status: webhook.Pending, Step: 1, Attempts: 2})},
		{"a failure does not undo success", webhook.Delivery{Status: webhook.Succeeded, Attempts: 1, EndedAt: now.Add(-1)}, Attempted{Outcome: retry.Retry}, Made{},
			webhook.Delivery{Status: webhook.Succeeded, Attempts: 2, EndedAt: now.Add(-1)}},
	} {
		got := Record(tt.before, tt.did, webhook.Content{}, tt.from, schedule, now).Next
		if got.Last == nil || got.Last.Number != got.Attempts {
			t.Errorf("%s: newest attempt = %+v, want number %d", tt.name, got.Last, got.Attempts)
		}
		if diff := cmp.Diff(tt.want, got, cmpopts.IgnoreFields(webhook.Delivery{}, "ID", "Last", "Digest")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func claimed(d webhook.Delivery) webhook.Delivery {
	d.Claim = webhook.Claim{Token: "t"}
	return d
}

func waiting(d webhook.Delivery, next time.Time) webhook.Delivery {
	d.Waiting, d.NextAt = webhook.WaitRetry, next
	return d
}

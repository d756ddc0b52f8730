package dynamostore_test

import (
	"testing"
	"time"

	"github.com/postino/postino/shared/platform/aws/dynamostore"
	"github.com/postino/postino/shared/webhook"
)

const day = 24 * time.Hour

// aged returns a store whose clock is moved by its second result.
func aged(t *testing.T) (*dynamostore.Store, func(time.Duration)) {
	t.Helper()
	store, now := open(t), accepted
	store.SetNow(func() time.Time { return now })
	return store, func(d time.Duration) { now = now.Add(d) }
}

// wantExpiry compares expiries in days after accepted, -1 for never. The key
// comes from export_test.go, whose type has no name here.
func wantExpiry[K any](t *testing.T, what string, expiry func(K) (time.Time, bool, error), k K, want int) {
	t.Helper()
	at, exists, err := expiry(k)
	do(t, err)
	days := -1
	if !at.IsZero() {
		days = int(at.Sub(accepted.Truncate(time.Second)) / day)
	}
	if !exists || days != want {
		t.Errorf("%s: exists %v, expires on day %d, want %d", what, exists, days, want)
	}
}

func TestOnlyDeliveriesThatEndedExpire(t *testing.T) {
	store, pass := aged(t)
	d := failed(booking("e", 100))
	save := func(status webhook.Status, want int) {
		t.Helper()
		d.Status = status
		do(t, store.SaveDelivery(t.Context(), d, webhook.Parts{}))
		d.Rev++
		wantExpiry(t, string(status), store.Expiry(t.Context()), dynamostore.DeliveryKey(d), want)
	}
	save(webhook.Pending, -1)
	save(webhook.Exhausted, 30)
	pass(3 * day)
	save(webhook.Pending, -1) // sent again
	save(webhook.Canceled, 33)
	store.Retention = 90 * day
	save(webhook.Succeeded, 93)
}

func TestWhatADeliveryNeedsOutlivesIt(t *testing.T) {
	store, pass := aged(t)
	e := booking("e", 100)
	_, _, err := store.CreateEvent(t.Context(), e)
	do(t, err)
	d := failed(e)
	parts := webhook.Parts{Attempt: d.Last, Content: &webhook.Content{Body: webhook.Text{Plain: "{}"}}}
	save := func(what string, want int) {
		t.Helper()
		do(t, store.SaveDelivery(t.Context(), d, parts))
		d.Rev, parts = d.Rev+1, webhook.Parts{}
		wantExpiry(t, what+": the event", store.Expiry(t.Context()), dynamostore.EventKey(e), want)
		wantExpiry(t, what+": the body", store.Expiry(t.Context()), dynamostore.ContentKey(d), want)
		wantExpiry(t, what+": the attempt", store.Expiry(t.Context()), dynamostore.AttemptKey(d), want)
	}
	save("at first", 35)
	pass(2 * day)
	d.Waiting, d.NextAt = webhook.WaitPaused, time.Time{}
	save("on day 2, waiting in line", 35)
	pass(28 * day)
	d.Waiting, d.NextAt = webhook.WaitRetry, accepted.Add(31*day)
	save("on day 30, again on day 31", 35)
	d.NextAt = accepted.Add(37 * day)
	save("on day 30, again on day 37", 50)
	pass(10 * day)
	d.Waiting, d.NextAt = webhook.WaitPaused, time.Time{}
	save("on day 40, waiting in line", 83)
	pass(43*day - time.Hour)
	d.Status = webhook.Exhausted
	save("ended on day 82", 112)
	wantExpiry(t, "the delivery", store.Expiry(t.Context()), dynamostore.DeliveryKey(d), 112)
}

// The event of a replay is older than what is sent of it.
func TestAnEventOutlivesItsReplays(t *testing.T) {
	store, pass := aged(t)
	e := booking("e", 100)
	_, _, err := store.CreateEvent(t.Context(), e)
	do(t, err)
	d := failed(e)
	d.Occasion, d.CreatedAt = "rpl_1", accepted.Add(29*day)
	d.ID = webhook.DeliveryID(d.Tenant, e.Key(), d.CreatedAt, d.Subscription, d.Occasion)
	d.Waiting, d.NextAt = webhook.WaitPaused, time.Time{}
	pass(29 * day)
	do(t, store.KeepEvent(t.Context(), e.Tenant, e.Key(), accepted.Add(43*day))) // as fan-out does for a replay
	do(t, store.SaveDelivery(t.Context(), d, webhook.Parts{}))
	wantExpiry(t, "on day 29", store.Expiry(t.Context()), dynamostore.EventKey(e), 64)
	pass(20 * day)
	d.Rev++
	do(t, store.SaveDelivery(t.Context(), d, webhook.Parts{}))
	wantExpiry(t, "on day 49, waiting in line", store.Expiry(t.Context()), dynamostore.EventKey(e), 92)
}

func TestProlongingMakesNothing(t *testing.T) {
	store, pass := aged(t)
	d := failed(booking("e", 100))
	pass(100 * day)
	do(t, store.SaveDelivery(t.Context(), d, webhook.Parts{}))
	_, err := store.Event(t.Context(), d.Tenant, d.EventSource, d.EventID)
	wantError(t, "event that was never stored", err, webhook.ErrNotFound)
}

func TestOnlySupersededVersionsExpire(t *testing.T) {
	store, pass := aged(t)
	first, err := store.SaveSubscription(t.Context(), loyalty(), 0)
	do(t, err)
	wantExpiry(t, "current version", store.Expiry(t.Context()), dynamostore.VersionKey(first), -1)
	pass(day)
	second, err := store.SaveSubscription(t.Context(), first, first.Version)
	do(t, err)
	wantExpiry(t, "superseded version", store.Expiry(t.Context()), dynamostore.VersionKey(first), 76+365)
	wantExpiry(t, "its successor", store.Expiry(t.Context()), dynamostore.VersionKey(second), -1)
	wantExpiry(t, "head", store.Expiry(t.Context()), dynamostore.HeadKey(second), -1)
	wantExpiry(t, "change", store.Expiry(t.Context()), dynamostore.ChangeKey(second), 8)
	pass(day)
	do(t, store.DeleteSubscription(t.Context(), webhook.SubscriptionRef{Tenant: second.Tenant, ID: second.ID}, second.Version))
	wantExpiry(t, "version of a deleted subscription", store.Expiry(t.Context()), dynamostore.VersionKey(second), 77+365)
}

func TestWhatWaitsNeverExpires(t *testing.T) {
	store, _ := aged(t)
	d := failed(booking("e", 100))
	ref := webhook.SubscriptionRef{Tenant: d.Tenant, ID: d.Subscription}
	do(t, store.EnterLine(t.Context(), ref, d.ID))
	wantExpiry(t, "place in line", store.Expiry(t.Context()), dynamostore.LineKey(ref, d.ID), -1)
}

// TestWhatHasExpiredIsAsIfItWereGone reads items that DynamoDB has not come
// round to remove.
func TestWhatHasExpiredIsAsIfItWereGone(t *testing.T) {
	store, pass := aged(t)
	ctx, e := t.Context(), booking("e", 100)
	_, _, err := store.CreateEvent(ctx, e)
	do(t, err)
	d := failed(e)
	parts := webhook.Parts{Attempt: d.Last, Content: &webhook.Content{Body: webhook.Text{Plain: "{}"}}}
	do(t, store.SaveDelivery(ctx, d, parts))
	d.Rev, d.Status, d.EndedAt = 1, webhook.Exhausted, accepted
	do(t, store.SaveDelivery(ctx, d, webhook.Parts{}))
	again := d
	again.Rev, again.Occasion = 0, "replay"
	again.CreatedAt = d.CreatedAt.Add(time.Hour)
	again.ID = webhook.DeliveryID(d.Tenant, e.Key(), again.CreatedAt, d.Subscription, "replay")
	do(t, store.SaveDelivery(ctx, again, webhook.Parts{}))
	deliveries := func(want int) {
		t.Helper()
		stored, err := store.DeliveriesByID(ctx, d.Tenant, []string{d.ID, again.ID})
		do(t, err)
		further, _, err := store.Occasions(ctx, d.Tenant, e.Source, e.ID, "", 10)
		do(t, err)
		_, one := store.Delivery(ctx, d.Tenant, d.ID)
		if len(stored) != want || len(further) != want/2 || (one == nil) != (want > 0) {
			t.Errorf("%d by id, %d further ones, %v; want %d", len(stored), len(further), one, want)
		}
		for _, f := range []webhook.DeliveryFilter{
			{}, {Subscription: d.Subscription}, {Status: webhook.Exhausted}, {Subscription: d.Subscription, Status: webhook.Exhausted},
		} {
			page, next, err := store.PageDeliveries(ctx, d.Tenant, f, webhook.Page{Limit: 10})
			if len(page) != want || next != "" || err != nil {
				t.Errorf("list by %+v: %d, next %q, %v; want %d", f, len(page), next, err, want)
			}
		}
	}
	event := func(want bool) {
		t.Helper()
		_, err := store.Event(ctx, e.Tenant, e.Source, e.ID)
		page, _, err2 := store.PageEvents(ctx, e.Tenant, webhook.EventFilter{}, webhook.Page{Limit: 10})
		_, err3 := store.Content(ctx, d.Tenant, d.ID)
		if do(t, err2); (err == nil) != want || (len(page) == 1) != want || (err3 == nil) != want {
			t.Errorf("event: %v, listed %d times, body: %v; want it there: %v", err, len(page), err3, want)
		}
	}
	pass(30*day - time.Second)
	deliveries(2)
	pass(time.Second)
	deliveries(0)
	event(true)
	pass(5 * day)
	event(false)
	if _, created, err := store.CreateEvent(ctx, e); !created || err != nil {
		t.Errorf("publishing it anew: %v, %v, want it created", created, err)
	}
	d.Rev = 0
	do(t, store.SaveDelivery(ctx, d, webhook.Parts{}))
}

package expunge_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postino/postino/shared/platform/local/engine"
	"github.com/postino/postino/shared/platform/local/localstore"
	"github.com/postino/postino/shared/stage/expunge"
	"github.com/postino/postino/shared/webhook"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func open(t *testing.T) *localstore.Store {
	t.Helper()
	db, err := engine.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	store := localstore.In(db)
	return store
}

// subscribe stores a subscription and returns the plan's entry for it.
func subscribe(t *testing.T, store *localstore.Store, id, trigger string) webhook.PlanEntry {
	t.Helper()
	s, err := store.SaveSubscription(t.Context(), webhook.Subscription{Tenant: "acme", ID: id, URL: "https://a.example", Trigger: []byte(trigger)}, 0)
	do(t, err)
	return webhook.PlanEntry{Subscription: id, Version: s.Version}
}

func do(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// publish stores an event with its plan, expunged.
func publish(t *testing.T, store *localstore.Store, plan webhook.Plan) webhook.StoredEvent {
	t.Helper()
	e := webhook.StoredEvent{Plan: plan, Event: webhook.Event{
		Tenant: "acme", ID: "e", Source: "/s", Type: "a", Time: now, AcceptedAt: now, Nonce: "n", Data: []byte(`{"card":"4111"}`),
	}}
	_, _, err := store.CreateEvent(t.Context(), e)
	do(t, err)
	do(t, store.ExpungeEvent(t.Context(), "acme", "/s", "e"))
	e, err = store.Event(t.Context(), "acme", "/s", "e")
	do(t, err)
	return e
}

func owed(e webhook.StoredEvent, subscription, occasion string) webhook.Delivery {
	return webhook.Delivery{
		Tenant: "acme", ID: webhook.DeliveryID("acme", e.Key(), e.AcceptedAt, subscription, occasion), EventID: e.ID, EventSource: e.Source, EventType: e.Type,
		Subscription: subscription, Version: 1, Occasion: occasion, Status: webhook.Pending, CreatedAt: e.AcceptedAt,
	}
}

// walk looks through all deliveries and returns the positions on the way.
func walk(t *testing.T, store expunge.Store, e webhook.StoredEvent) (positions []string) {
	t.Helper()
	for position := ""; ; {
		next, err := expunge.Expunger{Store: store}.Slice(t.Context(), e, position, now.Add(time.Hour))
		do(t, err)
		if position = next; next == "" {
			return positions
		}
		positions = append(positions, next)
	}
}

func TestWhatIsStillInAQueueIsNotSent(t *testing.T) {
	store := open(t)
	plain, triggered := subscribe(t, store, "plain", ""), subscribe(t, store, "triggered", `{"every":5}`)
	cancels := webhook.PlanEntry{Subscription: "cancels", Version: 9, Cancels: 1, CancelsOnly: true}
	e := publish(t, store, webhook.Plan{Entries: []webhook.PlanEntry{plain, triggered, cancels}, Total: 3})
	for range 2 {
		walk(t, store, e)
		want := owed(e, "plain", "")
		want.Version, want.Status, want.Reason, want.EndedAt, want.Rev = plain.Version, webhook.Canceled, webhook.ReasonExpired, now.Add(time.Hour), 1
		got, err := store.Delivery(t.Context(), "acme", want.ID)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("a delivery that was not attempted (-want +got), %v:\n%s", err, diff)
		}
		for _, id := range []string{"triggered", "cancels"} {
			if _, err := store.Delivery(t.Context(), "acme", owed(e, id, "").ID); !errors.Is(err, webhook.ErrNotFound) {
				t.Errorf("the delivery to %s is stored, although its trigger may never have fired: %v", id, err)
			}
		}
	}
}

func TestBodiesAndAnswersGoAndOutcomesStay(t *testing.T) {
	store := open(t)
	var plan webhook.Plan
	for i := range 4 {
		plan.Entries = append(plan.Entries, subscribe(t, store, fmt.Sprint("s", i), ""))
	}
	e := publish(t, store, plan)
	answer := &webhook.Response{Body: "4111"}
	var ids []string
	for i, d := range []webhook.Delivery{owed(e, "s0", ""), owed(e, "s1", ""), owed(e, "s2", ""), owed(e, "s3", ""), owed(e, "s0", "replay")} {
		d.Attempts, d.Last = 1, &webhook.Attempt{Number: 1, StatusCode: 500, Response: answer}
		switch i {
		case 0:
			d.Status, d.EndedAt = webhook.Succeeded, now
		case 1:
			d.Status, d.Reason, d.EndedAt = webhook.Exhausted, webhook.ReasonPermanent, now
		case 2:
			d.Waiting, d.WaitingSince = webhook.WaitPaused, now
			do(t, store.EnterLine(t.Context(), webhook.SubscriptionRef{Tenant: "acme", ID: "s2"}, d.ID))
		default:
			d.Waiting, d.NextAt, d.Claim = webhook.WaitRetry, now.Add(time.Hour), webhook.Claim{Token: "t", Until: now}
		}
		parts := webhook.Parts{Attempt: d.Last, Content: &webhook.Content{Body: webhook.Text{Plain: "4111"}}}
		if i == 0 {
			parts = webhook.Parts{}
		}
		do(t, store.SaveDelivery(t.Context(), d, parts))
		ids = append(ids, d.ID)
	}
	walk(t, store, e)
	for i, want := range []struct {
		status webhook.Status
		reason webhook.Reason
	}{
		{webhook.Succeeded, ""}, {webhook.Exhausted, webhook.ReasonPermanent}, {webhook.Canceled, webhook.ReasonExpired},
		{webhook.Canceled, webhook.ReasonExpired}, {webhook.Canceled, webhook.ReasonExpired},
	} {
		d, err := store.Delivery(t.Context(), "acme", ids[i])
		do(t, err)
		if d.Status != want.status || d.Reason != want.reason || d.Waiting != "" || !d.NextAt.IsZero() || d.EndedAt.IsZero() || d.Attempts != 1 || d.Claim.Token != "" {
			t.Errorf("delivery %d = %+v, want %v", i, d, want)
		}
		if d.Last.Response != nil || d.Last.StatusCode != 500 {
			t.Errorf("its last attempt = %+v, want all but the answer", *d.Last)
		}
		if _, err := store.Content(t.Context(), "acme", ids[i]); !errors.Is(err, webhook.ErrNotFound) {
			t.Errorf("delivery %d has a body: %v", i, err)
		}
		attempts, err := store.Attempts(t.Context(), "acme", ids[i])
		if err != nil || len(attempts) != 1 || attempts[0].Response != nil {
			t.Errorf("attempts of delivery %d = %+v, %v", i, attempts, err)
		}
	}
	if line, err := store.Line(t.Context(), webhook.SubscriptionRef{Tenant: "acme", ID: "s2"}, "", 10); len(line) > 0 || err != nil {
		t.Errorf("line = %v, %v, want none", line, err)
	}
}

func TestALargePlanIsWalkedByItsPages(t *testing.T) {
	store := open(t)
	entry := subscribe(t, store, "s", "")
	var pages [3][]webhook.PlanEntry
	for i := range pages {
		pages[i] = []webhook.PlanEntry{{Subscription: "s" + fmt.Sprint(i), Version: entry.Version}, {Subscription: entry.Subscription, Version: entry.Version}}
	}
	e := publish(t, store, webhook.Plan{Pages: 4, Key: "k", Total: 8}) // the last page is not there any more
	for i, page := range pages {
		do(t, store.PutPlanPage(t.Context(), "acme", e.Key(), "k", i, page))
	}
	if diff := cmp.Diff([]string{"1", "2", "3", "o"}, walk(t, store, e)); diff != "" {
		t.Errorf("positions (-want +got):\n%s", diff)
	}
}

// contended is a store whose deliveries somebody else writes first.
type contended struct {
	*localstore.Store
	times int
}

func (c *contended) SaveDelivery(ctx context.Context, d webhook.Delivery, with webhook.Parts) error {
	if c.times > 0 {
		c.times--
		other := d
		other.Status, other.Reason, other.Step = webhook.Exhausted, "", d.Step+1
		other.Last = &webhook.Attempt{Number: 1, Response: &webhook.Response{Body: "late"}}
		if err := c.Store.SaveDelivery(ctx, other, webhook.Parts{}); err != nil {
			return err
		}
	}
	return c.Store.SaveDelivery(ctx, d, with)
}

func TestAnAttemptThatIsRecordedMeanwhileStays(t *testing.T) {
	store := open(t)
	e := publish(t, store, webhook.Plan{Entries: []webhook.PlanEntry{subscribe(t, store, "s", "")}, Total: 1})
	walk(t, &contended{store, 1}, e)
	d, err := store.Delivery(t.Context(), "acme", owed(e, "s", "").ID)
	if err != nil || d.Status != webhook.Exhausted || d.Step != 1 || d.Last.Response != nil {
		t.Errorf("delivery = %+v, %v, want the outcome that was recorded, without its answer", d, err)
	}
}

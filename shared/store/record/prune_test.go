package record

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/webhook"
)

// open returns an empty store.
func open(testing.TB) *Store { return In(&table.Memory{}) }

var epoch = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

const day = 24 * time.Hour

var keep = webhook.Retention{All: 30 * day, Payload: 7 * day, Once: 400 * day}

// pruneAll makes a whole pass, and returns in how many steps.
func pruneAll(t *testing.T, store *Store, now time.Time) (steps int) {
	t.Helper()
	for more := true; more; steps++ {
		var err error
		if more, err = store.Prune(t.Context(), now, keep); err != nil {
			t.Fatal(err)
		}
	}
	return steps
}

// kept is an event with one delivery, answered and with a body.
type kept struct {
	event    webhook.StoredEvent
	delivery webhook.Delivery
}

func store1(t *testing.T, store *Store, tenant string, n int, accepted time.Time, change func(*webhook.Delivery)) kept {
	t.Helper()
	e := webhook.StoredEvent{Event: webhook.Event{
		Tenant: tenant, ID: fmt.Sprint("e", n), Source: "/s", Type: "a", Subject: "u", Time: accepted, AcceptedAt: accepted,
		Nonce: "n", Data: json.RawMessage(`{"a":1}`), Extensions: json.RawMessage(`{"x":1}`),
	}}
	e.Plan = webhook.Plan{Entries: []webhook.PlanEntry{{Subscription: "s", Version: 1}}, Total: 1}
	_, _, err := store.CreateEvent(t.Context(), e)
	must(t, err)
	d := webhook.Delivery{
		Tenant: tenant, ID: webhook.DeliveryID(tenant, e.Key(), accepted, "s", ""), EventID: e.ID, EventSource: "/s", Subscription: "s", Version: 1,
		Status: webhook.Exhausted, EndedAt: accepted, CreatedAt: accepted, Attempts: 1,
		Last: &webhook.Attempt{Number: 1, StatusCode: 500, Response: &webhook.Response{Body: "no"}},
	}
	if change != nil {
		change(&d)
	}
	must(t, store.SaveDelivery(t.Context(), d, webhook.Parts{Attempt: d.Last, Content: &webhook.Content{Body: webhook.Text{Plain: "{}"}}}))
	return kept{e, d}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// state says what is left: "whole", "bare" without payload, or "gone".
func (k kept) state(t *testing.T, store *Store) string {
	t.Helper()
	e, err1 := store.Event(t.Context(), k.event.Tenant, "/s", k.event.ID)
	d, err2 := store.Delivery(t.Context(), k.event.Tenant, k.delivery.ID)
	_, err3 := store.Content(t.Context(), k.event.Tenant, k.delivery.ID)
	attempts, err4 := store.Attempts(t.Context(), k.event.Tenant, k.delivery.ID)
	must(t, err4)
	names := map[bool]string{true: "whole", false: "bare"}
	event, delivery := "gone", "gone"
	if err1 == nil {
		event = names[e.Data != nil && e.Extensions != nil]
	}
	if err2 == nil {
		delivery = names[err3 == nil && d.Last.Response != nil && attempts[0].Response != nil]
	} else if !errors.Is(err2, webhook.ErrNotFound) || err3 == nil || len(attempts) > 0 {
		t.Errorf("of a delivery that is gone: %v, %v, %d attempts", err2, err3, len(attempts))
	}
	return event + " " + delivery
}

func TestRetentionTakesPayloadsFirstAndThenAll(t *testing.T) {
	store := open(t)
	waiting := func(d *webhook.Delivery) {
		d.Status, d.Waiting, d.EndedAt = webhook.Pending, webhook.WaitPaused, time.Time{}
	}
	late := func(d *webhook.Delivery) { d.EndedAt = epoch.Add(20 * day) }
	plain, pending := store1(t, store, "acme", 1, epoch, nil), store1(t, store, "acme", 2, epoch.Add(time.Millisecond), waiting)
	ended := store1(t, store, "acme", 3, epoch.Add(2*time.Millisecond), late)
	needed := store1(t, store, "acme", 4, epoch.Add(3*time.Millisecond), nil)
	must(t, store.KeepEvent(t.Context(), "acme", needed.event.Key(), epoch.Add(40*day)))
	must(t, store.KeepEvent(t.Context(), "acme", needed.event.Key(), epoch.Add(10*day))) // never back
	replayed := func(at time.Time, ended func(*webhook.Delivery)) func(*webhook.Delivery) {
		return func(d *webhook.Delivery) {
			ended(d)
			d.Occasion, d.CreatedAt = "rpl_1", at
			d.ID = webhook.DeliveryID(d.Tenant, d.EventKey(), at, d.Subscription, d.Occasion)
		}
	}
	again := store1(t, store, "acme", 5, epoch.Add(4*time.Millisecond), replayed(epoch.Add(5*day), waiting))
	againEnded := store1(t, store, "acme", 6, epoch.Add(5*time.Millisecond), replayed(epoch.Add(5*day), late))
	other := store1(t, store, "beta", 1, epoch.Add(10*day), nil)
	for _, tt := range []struct {
		day                                   int
		plain, pending, ended, needed, others string
	}{
		{6, "whole whole", "whole whole", "whole whole", "whole whole", "whole whole"},
		{7, "bare bare", "whole whole", "bare whole", "whole bare", "whole whole"},
		{18, "bare bare", "whole whole", "bare whole", "whole bare", "bare bare"},
		{28, "bare bare", "whole whole", "bare bare", "whole bare", "bare bare"},
		{31, "gone gone", "whole whole", "bare bare", "whole gone", "bare bare"},
		{51, "gone gone", "whole whole", "gone gone", "gone gone", "gone gone"},
	} {
		now := epoch.Add(time.Duration(tt.day)*day + time.Second)
		pruneAll(t, store, now)
		for _, k := range []struct {
			what string
			kept
			want string
		}{
			{"plain", plain, tt.plain}, {"pending", pending, tt.pending}, {"ended late", ended, tt.ended},
			{"replay pending", again, tt.pending}, {"replay ended late", againEnded, tt.ended},
			{"needed", needed, tt.needed}, {"another tenant's", other, tt.others},
		} {
			if got := k.state(t, store); got != k.want {
				t.Errorf("day %d: event and delivery, %s: %s, want %s", tt.day, k.what, got, k.want)
			}
		}
	}
}

func TestAPassLooksAtBoundedRowsInEachStep(t *testing.T) {
	store := open(t)
	const n = prunedRows*2 + 7
	for i := range n {
		store1(t, store, "acme", i, epoch.Add(time.Duration(i)*time.Millisecond), nil)
	}
	if steps := pruneAll(t, store, epoch.Add(8*day)); steps < 6 {
		t.Errorf("%d rows were looked at in %d steps", 2*n, steps)
	}
	pruneAll(t, store, epoch.Add(31*day))
	events, next, err := store.PageEvents(t.Context(), "acme", webhook.EventFilter{}, webhook.Page{Limit: 250})
	if len(events) > 0 || next != "" || err != nil {
		t.Errorf("%d events are left, %v", len(events), err)
	}
	if steps := pruneAll(t, store, epoch.Add(31*day)); steps != len(prunedKinds) {
		t.Errorf("an empty store takes %d steps, want %d", steps, len(prunedKinds))
	}
}

func TestTheYoungAreNotLookedAt(t *testing.T) {
	store := open(t)
	for i := range prunedRows * 3 {
		store1(t, store, "acme", i, epoch.Add(time.Duration(i)*time.Millisecond), nil)
	}
	old := store1(t, store, "beta", 1, epoch.Add(-30*day), nil)
	if steps := pruneAll(t, store, epoch.Add(day)); steps > len(prunedKinds)+2 {
		t.Errorf("%d steps, want young rows passed over", steps)
	}
	if got := old.state(t, store); got != "gone gone" {
		t.Errorf("another tenant's old event: %s", got)
	}
}

func TestRetentionTakesLargePlansPageByPage(t *testing.T) {
	store := open(t)
	e := store1(t, store, "acme", 1, epoch, nil).event
	for page := range 45 {
		must(t, store.PutPlanPage(t.Context(), "acme", e.Key(), "k", page, []webhook.PlanEntry{{Subscription: "s"}}))
	}
	for range 3 {
		if _, err := store.Event(t.Context(), "acme", "/s", "e1"); err != nil {
			t.Fatalf("the event went before its plan: %v", err)
		}
		pruneAll(t, store, epoch.Add(31*day))
	}
	if _, err := store.PlanPage(t.Context(), "acme", e.Key(), "k", 44); !errors.Is(err, webhook.ErrNotFound) {
		t.Errorf("a page is left: %v", err)
	}
	if _, err := store.Event(t.Context(), "acme", "/s", "e1"); !errors.Is(err, webhook.ErrNotFound) {
		t.Errorf("the event is left: %v", err)
	}
}

// expiry returns when a version expires; zero for never.
func expiry(t *testing.T, store *Store, id string, version int64) time.Time {
	t.Helper()
	it, err := one(t.Context(), store.table, versionKey(webhook.VersionRef{Tenant: "acme", ID: id, Version: version}))
	must(t, err)
	return it.Expires
}

func TestOnlyVersionsThatNothingCanNameExpire(t *testing.T) {
	store := open(t)
	save := func(id string, at time.Time, expect int64) int64 {
		store.Now = func() time.Time { return at }
		s, err := store.SaveSubscription(t.Context(), webhook.Subscription{Tenant: "acme", ID: id, State: webhook.Active}, expect)
		must(t, err)
		return s.Version
	}
	first := save("s", epoch, 0)
	second := save("s", epoch.Add(100*day), first)
	gone := save("gone", epoch, 0)
	must(t, store.DeleteSubscription(t.Context(), webhook.SubscriptionRef{Tenant: "acme", ID: "gone"}, gone))
	horizon := store.Retention + versionGrace
	for _, tt := range []struct {
		what    string
		id      string
		version int64
		want    time.Time
	}{
		{"superseded after 100 days", "s", first, epoch.Add(100*day + horizon)},
		{"current", "s", second, time.Time{}},
		{"of a deleted subscription", "gone", gone, epoch.Add(horizon)},
	} {
		if got := expiry(t, store, tt.id, tt.version); !got.Equal(tt.want) {
			t.Errorf("the version that is %s expires at %v, want %v", tt.what, got, tt.want)
		}
	}
}

// TestNothingIsLeftOfWhatRetentionRemoved counts all items: what names a delivery,
// or hangs on an event, goes with it.
func TestNothingIsLeftOfWhatRetentionRemoved(t *testing.T) {
	items := &table.Memory{}
	store := In(items)
	for i, status := range []webhook.Status{webhook.Succeeded, webhook.Exhausted, webhook.Canceled} {
		store1(t, store, "acme", i, epoch, func(d *webhook.Delivery) { d.Status = status })
		k := store1(t, store, "acme", 10+i, epoch, func(d *webhook.Delivery) {
			d.Status, d.Occasion, d.CreatedAt = status, "rpl_1", epoch.Add(day)
			d.ID = webhook.DeliveryID(d.Tenant, d.EventKey(), d.CreatedAt, d.Subscription, d.Occasion)
		})
		for n := range 60 { // more attempts than one transaction removes
			d, err := store.Delivery(t.Context(), "acme", k.delivery.ID)
			must(t, err)
			must(t, store.SaveDelivery(t.Context(), d, webhook.Parts{Attempt: &webhook.Attempt{Number: n + 2, Response: &webhook.Response{Body: "no"}}}))
		}
		_, _, err := store.CreateReplay(t.Context(), webhook.Replay{Tenant: "acme", EventKey: k.event.Key(), ID: "rpl_1"})
		must(t, err)
		long := k.event
		long.ID, long.Data = fmt.Sprint("long", i), json.RawMessage(`"`+strings.Repeat("x", longData)+`"`)
		_, _, err = store.CreateEvent(t.Context(), long)
		must(t, err)
	}
	for _, at := range []time.Duration{8 * day, 40 * day} {
		pruneAll(t, store, epoch.Add(at))
		pruneAll(t, store, epoch.Add(at))
	}
	for _, partition := range items.Partitions("") {
		left, err := items.Page(t.Context(), table.Range{Partition: partition}, 100)
		must(t, err)
		for _, it := range left {
			t.Errorf("left is %v", it.Key)
		}
	}
}

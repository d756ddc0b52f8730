package localstore

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/postino/postino/shared/platform/local/localdb"
	"github.com/postino/postino/shared/webhook"
)

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
	if steps := pruneAll(t, store, epoch.Add(31*day)); steps != len(prunedTables) {
		t.Errorf("an empty store takes %d steps, want %d", steps, len(prunedTables))
	}
}

func TestTheYoungAreNotLookedAt(t *testing.T) {
	store := open(t)
	for i := range prunedRows * 3 {
		store1(t, store, "acme", i, epoch.Add(time.Duration(i)*time.Millisecond), nil)
	}
	old := store1(t, store, "beta", 1, epoch.Add(-30*day), nil)
	if steps := pruneAll(t, store, epoch.Add(day)); steps > len(prunedTables)+2 {
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

func TestRetentionTakesStateAndLeasesThatExpired(t *testing.T) {
	store := open(t)
	var refs []webhook.StateRef
	for part, expires := range map[string]time.Time{"old": epoch, "new": epoch.Add(2 * day), "ever": {}} {
		item := webhook.StateItem{StateRef: webhook.StateRef{Tenant: "acme", Subscription: "s", Epoch: 1, Key: "k", Part: part}, Data: []byte("{}"), Expires: expires}
		must(t, store.SaveTriggerState(t.Context(), []webhook.StateItem{item}))
		refs = append(refs, item.StateRef)
	}
	ref := webhook.SubscriptionRef{Tenant: "acme", ID: "s"}
	_, err := store.Lease(t.Context(), ref, "drain", "t", epoch, epoch.Add(time.Minute))
	must(t, err)
	pruneAll(t, store, epoch.Add(day+time.Hour))
	items, err := store.TriggerState(t.Context(), refs)
	must(t, err)
	for _, item := range items {
		if (item.Rev == 0) != (item.Part == "old") {
			t.Errorf("part %s has revision %d", item.Part, item.Rev)
		}
	}
	if n := count(t, store, "items WHERE partition LIKE 'l#%'"); n != 0 {
		t.Errorf("%d leases are left", n)
	}
}

func TestRetentionTakesJobsThatEndedAndOldConditions(t *testing.T) {
	store := open(t)
	ref := webhook.SubscriptionRef{Tenant: "acme", ID: "s"}
	must(t, store.SaveJob(t.Context(), webhook.Job{Tenant: "acme", ID: "job_1", EndedAt: epoch}))
	must(t, store.SaveJob(t.Context(), webhook.Job{Tenant: "acme", ID: "job_2"}))
	_, err := store.AddTally(t.Context(), ref, epoch, webhook.Tally{Attempts: 1})
	must(t, err)
	left := func() [2]int64 {
		return [2]int64{count(t, store, "items WHERE partition LIKE 'j#%'"), count(t, store, "items WHERE partition LIKE 'h#%'")}
	}
	for _, tt := range []struct {
		at   time.Time
		want [2]int64
	}{{epoch.Add(time.Hour), [2]int64{2, 1}}, {epoch.Add(25 * time.Hour), [2]int64{2, 0}}, {epoch.Add(31 * day), [2]int64{1, 0}}} {
		pruneAll(t, store, tt.at)
		if got := left(); got != tt.want {
			t.Errorf("at %v: %d jobs and tallies are left, want %d", tt.at, got, tt.want)
		}
	}
}

func count(t *testing.T, store *Store, table string) (n int64) {
	t.Helper()
	must(t, store.db.Read(t.Context(), func(tx *localdb.Tx) error {
		return tx.Query("SELECT count(*) FROM "+table, nil, func(row *localdb.Row) error { n = row.Int64(0); return nil })
	}))
	return n
}

func TestOnlyVersionsThatNothingCanNameGo(t *testing.T) {
	store := open(t)
	save := func(id string, at time.Time, expect int64) int64 {
		s, err := store.SaveSubscription(t.Context(), webhook.Subscription{Tenant: "acme", ID: id, UpdatedAt: at, State: webhook.Active}, expect)
		must(t, err)
		return s.Version
	}
	first := save("s", epoch, 0)
	second := save("s", epoch.Add(100*day), first)
	gone := save("gone", epoch, 0)
	must(t, store.DeleteSubscription(t.Context(), webhook.SubscriptionRef{Tenant: "acme", ID: "gone"}, gone))
	has := func(id string, version int64) bool {
		_, err := store.Versions(t.Context(), []webhook.VersionRef{{Tenant: "acme", ID: id, Version: version}})
		return err == nil
	}
	const horizon = 30*day + versionGrace
	pruneAll(t, store, epoch.Add(horizon-time.Hour))
	if !has("s", first) || !has("s", second) || !has("gone", gone) {
		t.Error("a version went too early")
	}
	pruneAll(t, store, epoch.Add(horizon+time.Hour))
	if !has("s", first) || !has("s", second) || has("gone", gone) {
		t.Error("want only the deleted subscription's to go: the other was superseded 100 days later")
	}
	pruneAll(t, store, epoch.Add(2000*day))
	if has("s", first) || !has("s", second) {
		t.Error("want the superseded version to go, and the current one to stay for ever")
	}
}

func TestPruningReadsRangesOfKeys(t *testing.T) {
	store := open(t)
	for _, tt := range []struct {
		sql  string
		args []any
	}{
		{deliveriesToPrune, []any{"", "", 1}}, {eventsToPrune, []any{"", 0, "", 1}},
		{triggerStates.listing(), append(triggerStates.begin(), 1)}, {expiredItems.listing(), append(expiredItems.begin(), 1)},
		{versionsToPrune, []any{"", "", 0, 1}}, {waitingOf, []any{"", "a", "b", 1}}, {deliveriesOf, []any{"", "a", "b", 1}},
	} {
		plan := ""
		must(t, store.db.Read(t.Context(), func(tx *localdb.Tx) error {
			return tx.Query("EXPLAIN QUERY PLAN "+tt.sql, tt.args, func(row *localdb.Row) error { plan += row.Text(3) + "; "; return nil })
		}))
		if strings.Contains(plan, "SCAN") || strings.Contains(plan, "TEMP B-TREE") {
			t.Errorf("SQLite's plan of %s is %q, want ranges", tt.sql, plan)
		}
	}
}

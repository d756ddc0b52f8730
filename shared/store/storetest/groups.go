package storetest

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/postino/postino/shared/webhook"
)

// groupCases save deliveries of one group, some of them together.
var groupCases = map[string]func(*testing.T, Store){
	"ComeBackOneByOne":                groupFields,
	"KeepWhoWasFirst":                 groupRepeats,
	"ChangeOneByOne":                  groupChanges,
	"RacingFirstWritersHaveOneWinner": racingGroups,
	"AreWhole":                        wholeGroups,
	"StandInEveryListOnce":            groupLists,
	"GoWithTheirTenant":               groupsPurged,
	"LoseAnswersThatAreExpunged":      groupsExpunged,
}

// inGroup plans n events for the subscriptions, all in one group, and returns what
// they owe to each. Every fourth has failed.
func inGroup(t *testing.T, store Store, group webhook.Group, n int, subscriptions ...string) (saves []webhook.Save) {
	t.Helper()
	for i := range n {
		e := planned(event("acme", fmt.Sprint("group ", group, " event ", i), start.Add(time.Duration(i)*time.Millisecond)), subscriptions...)
		for k := range e.Plan.Entries {
			e.Plan.Entries[k].Group = group
		}
		create(t, store, e)
		for k, entry := range e.Plan.Entries {
			saves = append(saves, outcome(e, entry, (i+k)%4 > 0))
		}
	}
	return saves
}

// outcome is the first thing that is stored of a delivery.
func outcome(e webhook.StoredEvent, entry webhook.PlanEntry, well bool) webhook.Save {
	d := owed(e, entry.Subscription, webhook.Succeeded)
	d.ID, d.Version, d.Digest = e.DeliveryID(entry), entry.Version, "00ff112233445566778899aabbccddee"
	d.Last = &webhook.Attempt{
		Number: 1, StartedAt: e.AcceptedAt.Add(20 * time.Millisecond), DurationMS: 7, StatusCode: 202,
		Response: &webhook.Response{Headers: map[string]string{"x-ü": "a\tb"}, Body: "ok: " + e.ID},
	}
	if well {
		return webhook.Save{Delivery: d}
	}
	d.Status, d.Waiting, d.NextAt, d.EndedAt, d.Step = webhook.Pending, webhook.WaitRetry, e.AcceptedAt.Add(time.Minute), time.Time{}, 1
	whole := *d.Last
	d.Last.Response = nil
	return webhook.Save{Delivery: d, With: webhook.Parts{Attempt: &whole, Content: &webhook.Content{Method: "POST", Body: webhook.Text{Plain: e.ID}}}}
}

// saveAll saves, and wants that all are.
func saveAll(t *testing.T, store Store, saves []webhook.Save) (stored []webhook.Delivery) {
	t.Helper()
	checkAll(t, store.SaveDeliveries(t.Context(), saves))
	for _, save := range saves {
		save.Delivery.Rev++
		stored = append(stored, save.Delivery)
	}
	return stored
}

func wantStored(t *testing.T, store Store, what string, want []webhook.Delivery) {
	t.Helper()
	var ids []string
	byID := map[string]webhook.Delivery{}
	for _, d := range want {
		ids, byID[d.ID] = append(ids, d.ID), d
		same(t, what, saved(t, store, d), d)
	}
	same(t, what+", by id", must[map[string]webhook.Delivery](t)(store.DeliveriesByID(t.Context(), "acme", ids)), byID)
}

func groupFields(t *testing.T, store Store) {
	saves := inGroup(t, store, 7, 10, "s")
	first := saveAll(t, store, saves[:6])
	wantStored(t, store, "of six", first)
	wantStored(t, store, "of ten", append(first, saveAll(t, store, saves[6:])...))
	for _, save := range saves {
		attempts, err := store.Attempts(t.Context(), "acme", save.Delivery.ID)
		check(t, err)
		if failed := save.With.Attempt != nil; failed != (len(attempts) == 1) {
			t.Errorf("%d attempts beside %s, which has failed: %v", len(attempts), save.Delivery.ID, failed)
		}
	}
	alone := inGroup(t, store, 8, 2, "s")
	for _, save := range alone { // as one that came too late for the others
		d := put(t, store, save.Delivery, save.With)
		wantStored(t, store, "alone", []webhook.Delivery{d})
	}
}

func groupRepeats(t *testing.T, store Store) {
	saves := inGroup(t, store, 7, 8, "s")
	stored := saveAll(t, store, saves[2:6])
	later := slices.Clone(saves)
	for i := range later {
		later[i].Delivery.Count = 5
	}
	errs := store.SaveDeliveries(t.Context(), later)
	for i := range later {
		want := error(nil)
		if i >= 2 && i < 6 {
			want = webhook.ErrConflict
		} else {
			d := later[i].Delivery
			d.Rev++
			stored = append(stored, d)
		}
		wantError(t, fmt.Sprintf("the repeat of %d", i), errs[i], want)
		wantError(t, fmt.Sprintf("one more of %d", i), store.SaveDelivery(t.Context(), saves[i].Delivery, saves[i].With), webhook.ErrConflict)
	}
	wantStored(t, store, "after the repeat", stored)
}

func groupChanges(t *testing.T, store Store) {
	stored := saveAll(t, store, inGroup(t, store, 7, 8, "s"))
	for i, d := range stored {
		ahead := d
		ahead.Rev = 2
		wantError(t, "a change of what is not there yet", store.SaveDelivery(t.Context(), ahead, webhook.Parts{}), webhook.ErrConflict)
		d.Status, d.Round, d.Waiting, d.NextAt = webhook.Pending, 1, webhook.WaitRetry, nano
		stored[i] = put(t, store, d, webhook.Parts{Attempt: attempt(1)})
		wantError(t, "the same change again", store.SaveDelivery(t.Context(), d, webhook.Parts{}), webhook.ErrConflict)
		wantStored(t, store, "changed", stored)
	}
	for i, d := range stored {
		d.Status, d.EndedAt, d.Last = webhook.Succeeded, nano, nil
		stored[i] = put(t, store, d, webhook.Parts{})
	}
	wantStored(t, store, "changed twice", stored)
}

func racingGroups(t *testing.T, store Store) {
	for round := range 5 {
		saves := inGroup(t, store, webhook.Group(round+1), 9, "s")
		won := make([][]bool, 8)
		checkAll(t, race(len(won), func(i int) error {
			mine := slices.Clone(saves[i%3 : 9-i%2])
			for k := range mine {
				mine[k].Delivery.Count = i + 1
			}
			errs := []error{}
			if i%4 == 3 { // one by one
				for _, save := range mine {
					errs = append(errs, store.SaveDelivery(t.Context(), save.Delivery, save.With))
				}
			} else if errs = store.SaveDeliveries(t.Context(), mine); errs == nil {
				errs = make([]error, len(mine))
			}
			won[i] = make([]bool, len(saves))
			for k, err := range errs {
				if won[i][i%3+k] = err == nil; err != nil && !errors.Is(err, webhook.ErrConflict) {
					return err
				}
			}
			return nil
		}))
		for k, save := range saves {
			winners := []int{}
			for i := range won {
				if won[i][k] {
					winners = append(winners, i+1)
				}
			}
			if got := saved(t, store, save.Delivery); len(winners) != 1 || got.Count != winners[0] || got.Rev != 1 {
				t.Errorf("delivery %d: %v won, that of %d is stored with rev %d", k, winners, got.Count, got.Rev)
			}
		}
	}
}

// wholeGroups saves what no item of the usual size holds.
func wholeGroups(t *testing.T, store Store) {
	saves := inGroup(t, store, 7, 40, "s")
	for i := range saves {
		saves[i].Delivery.EventID = string(text(200 + i))
		saves[i].Delivery.Last.Response = &webhook.Response{Body: string(text(256 + i))}
	}
	wantStored(t, store, "large ones", saveAll(t, store, saves))
}

func groupLists(t *testing.T, store Store) {
	ds := owe(t, store, 6, "a", "b")
	for i := range 4 {
		ds = append(ds, saveAll(t, store, inGroup(t, store, webhook.Group(100+i), 9, "a", "b"))...)
	}
	for i, d := range ds { // some have come to stand alone
		if i%5 == 4 && d.Status == webhook.Succeeded {
			ds[i] = put(t, store, d, webhook.Parts{})
		}
	}
	for _, f := range filters("a", "b") {
		for _, desc := range []bool{false, true} {
			for _, limit := range []int{3, 17, 250} {
				what := fmt.Sprintf("deliveries of %+v by %d", f, limit)
				got := lists(t, what, deliveries(store, t, f), webhook.Page{Limit: limit, Desc: desc}, deliveryID, matching(ds, f))
				ordered(t, what, got, desc, deliveryCreated)
			}
		}
	}
	page := webhook.Page{Limit: 4, After: start.Add(2 * time.Millisecond), Before: start.Add(7 * time.Millisecond)}
	bounded := slices.DeleteFunc(slices.Clone(ds), func(d webhook.Delivery) bool {
		return !d.CreatedAt.After(page.After) || !d.CreatedAt.Before(page.Before)
	})
	for _, f := range filters("a") {
		lists(t, fmt.Sprintf("bounded deliveries of %+v", f), deliveries(store, t, f), page, deliveryID, matching(bounded, f))
	}
}

func groupsPurged(t *testing.T, store Store) {
	sub := subscription("acme", "s")
	sub.Tenant = "acme"
	check(t, func() error { _, err := store.EnsureTenant(t.Context(), "acme"); return err }())
	must[webhook.Subscription](t)(store.SaveSubscription(t.Context(), sub, 0))
	stored := saveAll(t, store, inGroup(t, store, 7, 8, "s"))
	check(t, store.BeginDeletion(t.Context(), "acme", time.Now()))
	for {
		if n := must[int](t)(store.PurgeTenant(t.Context(), "acme", 3)); n == 0 {
			break
		}
	}
	for _, d := range stored {
		_, err := store.Delivery(t.Context(), "acme", d.ID)
		wantError(t, "a delivery of a tenant that is gone", err, webhook.ErrNotFound)
	}
}

func groupsExpunged(t *testing.T, store Store) {
	stored := saveAll(t, store, inGroup(t, store, 7, 4, "s"))
	for i, d := range stored {
		last := *d.Last
		last.Response, d.Last = nil, &last
		stored[i] = put(t, store, d, webhook.Parts{})
	}
	wantStored(t, store, "without answers", stored)
}

package storetest

import (
	"fmt"
	"testing"

	"github.com/postino/postino/shared/webhook"
)

var replayCases = map[string]func(*testing.T, Store){
	"TheFirstDecisionStands":      firstReplayStands,
	"RacingReplaysHaveOneWinner":  racingReplays,
	"AreKeyedByTenantEventAndID":  keyedReplays,
	"KeepAnyPlan":                 plansOfReplays,
	"StandBesideEventAndItsPages": replaysBesideEvents,
}

func replay(id string, plan ...webhook.PlanEntry) webhook.Replay {
	return webhook.Replay{Tenant: "acme", EventKey: webhook.EventKey("s", "e"), ID: id, At: afterStart(len(plan)), Plan: webhook.Plan{Entries: plan, Total: len(plan)}}
}

// decide stores a replay and returns what stands.
func decide(t *testing.T, store Store, r webhook.Replay, wantCreated bool) webhook.Replay {
	t.Helper()
	stored, created, err := store.CreateReplay(t.Context(), r)
	check(t, err)
	if created != wantCreated {
		t.Errorf("CreateReplay %s: created = %v, want %v", r.ID, created, wantCreated)
	}
	return stored
}

func firstReplayStands(t *testing.T, store Store) {
	first := replay("rpl_1", webhook.PlanEntry{Subscription: "a", Version: 1}, webhook.PlanEntry{Subscription: "b", Version: 2})
	same(t, "first", decide(t, store, first, true), first)
	same(t, "repeat", decide(t, store, first, false), first)
	same(t, "other decision", decide(t, store, replay("rpl_1", webhook.PlanEntry{Subscription: "c", Version: 3}), false), first)
	same(t, "no entries", decide(t, store, replay("rpl_1"), false), first)
}

func racingReplays(t *testing.T, store Store) {
	const racers = 10
	stored, created := make([]webhook.Replay, racers), make([]bool, racers)
	checkAll(t, race(racers, func(i int) (err error) {
		stored[i], created[i], err = store.CreateReplay(t.Context(), replay("rpl_1", webhook.PlanEntry{Subscription: "s", Version: int64(i + 1)}))
		return err
	}))
	winners := 0
	for i := range racers {
		if created[i] {
			winners++
			same(t, "the winner's", stored[i].Plan.Entries[0].Version, int64(i+1))
		}
		same(t, fmt.Sprint("racer ", i), stored[i], stored[0])
	}
	if winners != 1 {
		t.Errorf("%d racers created, want 1", winners)
	}
}

func keyedReplays(t *testing.T, store Store) {
	var all []webhook.Replay
	for i, id := range []string{"rpl_1", "rpl_2", "RPL_1", "rpl#1", ""} {
		all = append(all, replay(id, webhook.PlanEntry{Subscription: "s", Version: int64(i + 1)}))
	}
	other := replay("rpl_1", webhook.PlanEntry{Subscription: "s", Version: 11})
	other.Tenant = "other"
	another := replay("rpl_1", webhook.PlanEntry{Subscription: "s", Version: 12})
	another.EventKey = webhook.EventKey("s", "f")
	all = append(all, other, another)
	for _, r := range all {
		decide(t, store, r, true)
	}
	for _, r := range all {
		same(t, r.Tenant+" "+r.ID, decide(t, store, webhook.Replay{Tenant: r.Tenant, EventKey: r.EventKey, ID: r.ID, At: afterStart(99)}, false), r)
	}
}

func plansOfReplays(t *testing.T, store Store) {
	var full []webhook.PlanEntry
	for i, id := range numbered("subscription-", webhook.PlanInline) {
		full = append(full, webhook.PlanEntry{Subscription: id, Version: 1<<60 + int64(i)})
	}
	paged := replay("paged")
	paged.Plan = webhook.Plan{Pages: 7, Key: "pages", Total: 6500}
	for _, r := range []webhook.Replay{replay("nobody"), replay("full", full...), paged} {
		decide(t, store, r, true)
		same(t, r.ID, decide(t, store, r, false), r)
	}
}

// replaysBesideEvents sees that neither an event nor its pages take notice.
func replaysBesideEvents(t *testing.T, store Store) {
	e := planned(event("acme", "e", start), "s")
	create(t, store, e)
	page := []webhook.PlanEntry{{Subscription: "p", Version: 1}}
	check(t, store.PutPlanPage(t.Context(), "acme", e.Key(), "n", 0, page))
	r := webhook.Replay{Tenant: "acme", EventKey: e.Key(), ID: "n", Plan: webhook.Plan{Entries: page, Total: 1}}
	decide(t, store, r, true)
	same(t, "Event", stored(t, store, e), e)
	same(t, "page", must[[]webhook.PlanEntry](t)(store.PlanPage(t.Context(), "acme", e.Key(), "n", 0)), page)
}

package storetest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/postino/postino/shared/webhook"
)

var triggerStateCases = map[string]func(*testing.T, Store){
	"ComesBackInTheOrderAskedFor":          stateOrder,
	"IsToldApartByEveryField":              stateIdentity,
	"IsSavedOnlyAsItWasRead":               stateConditions,
	"IsSavedWholeOrNotAtAll":               stateTransactions,
	"HasOneWinnerAmongRacers":              stateRaces,
	"HasOneWinnerAmongRacingTransactions":  stateTransactionRaces,
	"IsCountedExactlyByManyAtOnce":         stateCounting,
	"StaysWhenItHasExpired":                stateExpired,
	"ListsTheNextPartsByName":              stateLists,
	"IsDeletedWithoutItsSiblings":          stateDeletes,
	"HoldsTheLargestParts":                 stateSizes,
	"OfEventsThatAreKeptLongerIsUnchanged": keptEvents,
}

// RunTriggerState tries only the cases of the state of triggers, on whatever
// keeps that and events.
func RunTriggerState(t *testing.T, open func(t *testing.T) Store) {
	for name, try := range triggerStateCases {
		t.Run(name, func(t *testing.T) { try(t, open(t)) })
	}
}

func stateRef(part string) webhook.StateRef {
	return webhook.StateRef{Tenant: "acme", Subscription: "s", Epoch: 7, Key: webhook.Hash(20, "key", "u1"), Part: part}
}

func stateItem(part, data string, rev int64) webhook.StateItem {
	return webhook.StateItem{StateRef: stateRef(part), Rev: rev, Data: []byte(data), Expires: start.Add(time.Hour)}
}

func readState(t *testing.T, store Store, refs ...webhook.StateRef) []webhook.StateItem {
	t.Helper()
	return must[[]webhook.StateItem](t)(store.TriggerState(t.Context(), refs))
}

func saveState(t *testing.T, store Store, items ...webhook.StateItem) {
	t.Helper()
	check(t, insist(func() error { return store.SaveTriggerState(t.Context(), items) }))
}

func stateOrder(t *testing.T, store Store) {
	a, b := stateItem("C", `{"n":1,"ü":"<&>\u2028"}`, 0), stateItem("M#1", `{}`, 0)
	saveState(t, store, a, b)
	a.Rev, b.Rev = 1, 1
	absent := webhook.StateItem{StateRef: stateRef("ONCE")}
	same(t, "state", readState(t, store, b.StateRef, absent.StateRef, a.StateRef, b.StateRef), []webhook.StateItem{b, absent, a, b})
	same(t, "no state", readState(t, store), []webhook.StateItem{})
	check(t, store.SaveTriggerState(t.Context(), nil))
}

func stateIdentity(t *testing.T, store Store) {
	refs := make([]webhook.StateRef, 7)
	for i := range refs {
		refs[i] = stateRef("C")
	}
	refs[1].Tenant = "other"
	refs[2].Subscription = "t"
	refs[3].Epoch++
	refs[4].Key = webhook.Hash(20, "key", "u2")
	refs[5].Part = "CAP"
	refs[6].Key = "C#" + refs[0].Key
	for i, ref := range refs {
		saveState(t, store, webhook.StateItem{StateRef: ref, Data: []byte(fmt.Sprint(i))})
	}
	for i, item := range readState(t, store, refs...) {
		same(t, fmt.Sprintf("%+v", refs[i]), item, webhook.StateItem{StateRef: refs[i], Rev: 1, Data: []byte(fmt.Sprint(i))})
	}
}

func stateConditions(t *testing.T, store Store) {
	for rev := range int64(3) {
		for _, wrong := range []int64{rev + 1, rev + 2, max(rev-1, 0)} {
			if wrong != rev {
				err := store.SaveTriggerState(t.Context(), []webhook.StateItem{stateItem("C", "wrong", wrong)})
				wantError(t, fmt.Sprintf("save as read at %d what is at %d", wrong, rev), err, webhook.ErrConflict)
			}
		}
		saveState(t, store, stateItem("C", fmt.Sprint(rev), rev))
		same(t, "state", readState(t, store, stateRef("C"))[0], stateItem("C", fmt.Sprint(rev), rev+1))
	}
}

func stateTransactions(t *testing.T, store Store) {
	elsewhere := stateItem("CAP", "old", 0)
	elsewhere.Key = webhook.Hash(20, "key", "org")
	saveState(t, store, stateItem("C", "old", 0))
	saveState(t, store, elsewhere)
	elsewhere.Data, elsewhere.Rev = []byte("new"), 1
	for _, items := range [][]webhook.StateItem{
		{stateItem("C", "new", 1), stateItem("M#1", "new", 1), elsewhere},
		{stateItem("M#1", "new", 0), elsewhere, stateItem("C", "new", 0)},
		{stateItem("C", "new", 2), elsewhere},
	} {
		wantError(t, "save with one condition unmet", store.SaveTriggerState(t.Context(), items), webhook.ErrConflict)
	}
	got := readState(t, store, stateRef("C"), stateRef("M#1"), elsewhere.StateRef)
	elsewhere.Data = []byte("old")
	same(t, "state", got, []webhook.StateItem{stateItem("C", "old", 1), {StateRef: stateRef("M#1")}, elsewhere})
	elsewhere.Data = []byte("new")
	saveState(t, store, stateItem("C", "new", 1), stateItem("M#1", "new", 0), elsewhere)
	elsewhere.Rev = 2
	got = readState(t, store, stateRef("C"), stateRef("M#1"), elsewhere.StateRef)
	same(t, "state", got, []webhook.StateItem{stateItem("C", "new", 2), stateItem("M#1", "new", 1), elsewhere})
}

func stateRaces(t *testing.T, store Store) {
	for rev := range int64(3) {
		winner := oneWinner(t, race(12, func(i int) error {
			return store.SaveTriggerState(t.Context(), []webhook.StateItem{stateItem("ONCE", fmt.Sprint(i), rev)})
		}), webhook.ErrConflict)
		same(t, "state", readState(t, store, stateRef("ONCE"))[0], stateItem("ONCE", fmt.Sprint(winner), rev+1))
	}
}

// stateTransactionRaces has every racer write a part of its own and one that
// all want; nothing of the losers may be left.
func stateTransactionRaces(t *testing.T, store Store) {
	errs := race(12, func(i int) error {
		own := stateItem(fmt.Sprintf("M#%02d", i), "own", 0)
		for { // two transactions may both be refused, for each other's sake
			err := store.SaveTriggerState(t.Context(), []webhook.StateItem{own, stateItem("ONCE", own.Part, 0)})
			if err == nil || readState(t, store, stateRef("ONCE"))[0].Rev > 0 {
				return err
			}
		}
	})
	winner := oneWinner(t, errs, webhook.ErrConflict)
	same(t, "claim", readState(t, store, stateRef("ONCE"))[0], stateItem("ONCE", fmt.Sprintf("M#%02d", winner), 1))
	parts := must[[]webhook.StateItem](t)(store.ListTriggerState(t.Context(), stateRef("M#"), 1))
	same(t, "marks", parts, []webhook.StateItem{stateItem(fmt.Sprintf("M#%02d", winner), "own", 1)})
}

func stateCounting(t *testing.T, store Store) {
	const racers, each = 8, 5
	checkAll(t, race(racers, func(i int) error {
		for n := 0; n < each; {
			read, err := store.TriggerState(t.Context(), []webhook.StateRef{stateRef("C")})
			if err != nil {
				return err
			}
			mark := stateItem(fmt.Sprintf("M#%d-%d", i, n), "1", 0)
			err = store.SaveTriggerState(t.Context(), []webhook.StateItem{stateItem("C", "count", read[0].Rev), mark})
			switch {
			case err == nil:
				n++
			case err != webhook.ErrConflict:
				return err
			}
		}
		return nil
	}))
	if got := readState(t, store, stateRef("C"))[0].Rev; got != racers*each {
		t.Errorf("counted to %d, want %d", got, racers*each)
	}
}

// stateExpired expects a store to tell what it has, until it forgets it of
// itself: what has expired is for the reader to judge.
func stateExpired(t *testing.T, store Store) {
	old := stateItem("ONCE", "old", 0)
	old.Expires = start.Add(-time.Hour)
	saveState(t, store, old)
	if got := readState(t, store, old.StateRef)[0]; got.Rev == 1 {
		old.Rev = 1
		same(t, "expired state", got, old)
	}
}

func stateLists(t *testing.T, store Store) {
	var want []webhook.StateItem
	for _, part := range []string{"C", "CAP", "M#0", "M#00", "M#1", "M#a", "ONCE", "TIMER"} {
		saveState(t, store, stateItem(part, part, 0))
		want = append(want, stateItem(part, part, 1))
	}
	other := stateItem("M#0", "other", 0)
	other.Epoch++
	saveState(t, store, other)
	for from := range want {
		got := must[[]webhook.StateItem](t)(store.ListTriggerState(t.Context(), want[from].StateRef, 3))
		same(t, "parts behind "+want[from].Part, got, want[from+1:min(from+4, len(want))])
	}
	same(t, "all parts", must[[]webhook.StateItem](t)(store.ListTriggerState(t.Context(), stateRef(""), 100)), want)
	marks := must[[]webhook.StateItem](t)(store.ListTriggerState(t.Context(), stateRef("M#"), 2))
	same(t, "marks", marks, want[2:4])
}

func stateDeletes(t *testing.T, store Store) {
	saveState(t, store, stateItem("C", "1", 0), stateItem("M#1", "1", 0), stateItem("ONCE", "1", 0))
	for range 2 {
		check(t, store.DeleteTriggerState(t.Context(), []webhook.StateRef{stateRef("C"), stateRef("ONCE"), stateRef("TIMER")}))
		got := must[[]webhook.StateItem](t)(store.ListTriggerState(t.Context(), stateRef(""), 10))
		same(t, "what is left", got, []webhook.StateItem{stateItem("M#1", "1", 1)})
	}
	check(t, store.DeleteTriggerState(t.Context(), nil))
	saveState(t, store, stateItem("C", "again", 0))
}

func stateSizes(t *testing.T, store Store) {
	saveState(t, store, stateItem("C", string(text(128<<10)), 0), stateItem("TIMER", strings.Repeat("ü", 64<<10), 0))
	got := readState(t, store, stateRef("C"), stateRef("TIMER"))
	same(t, "large parts", got, []webhook.StateItem{
		stateItem("C", string(text(128<<10)), 1), stateItem("TIMER", strings.Repeat("ü", 64<<10), 1),
	})
}

func keptEvents(t *testing.T, store Store) {
	e := event("acme", "e", start)
	create(t, store, e)
	for _, until := range []time.Time{start.AddDate(1, 0, 0), start} {
		check(t, store.KeepEvent(t.Context(), "acme", e.Key(), until))
		same(t, "Event", stored(t, store, e), e)
	}
	check(t, store.KeepEvent(t.Context(), "acme", webhook.EventKey("s", "absent"), start))
	_, err := store.Event(t.Context(), "acme", "s", "absent")
	wantError(t, "event that was never stored", err, webhook.ErrNotFound)
}

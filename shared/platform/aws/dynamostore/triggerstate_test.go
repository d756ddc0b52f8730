package dynamostore_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postino/postino/shared/platform/aws/dynamostore"
	"github.com/postino/postino/shared/webhook"
)

// part is one part of a trigger's state, of the size that they have.
func part(name string, rev int64) webhook.StateItem {
	return webhook.StateItem{
		StateRef: webhook.StateRef{Tenant: "acme-airlines", Subscription: "loyalty-points", Epoch: 7, Key: webhook.Hash(20, "key", "u1"), Part: name},
		Rev:      rev, Expires: accepted.AddDate(1, 0, 0),
		Data: []byte(`{"e":"0123456789abcdefghijklmnopqrstuv","s":"/tenants/acme-airlines","i":"evt_01jd8rzq5k3v9m2x7c4b6n","v":7,"n":5,"o":"sent","at":"2026-03-01T12:00:00Z"}`),
	}
}

// pair are two parts that are saved together.
func pair(rev int64) []webhook.StateItem {
	return []webhook.StateItem{part("M#1", rev), part("C", rev)}
}

func TestWhatTriggersCost(t *testing.T) {
	store, m := metered(t)
	ctx := t.Context()
	one := func(rev int64) error {
		return store.SaveTriggerState(ctx, []webhook.StateItem{part("ONCE", rev)})
	}
	refs := []webhook.StateRef{part("M#1", 0).StateRef, part("C", 0).StateRef}
	m.take()
	for _, step := range []struct {
		what string
		call func() error
		want units
	}{
		{"SaveTriggerState, a claim alone", func() error { return one(0) }, units{"write table": 1}},
		{"SaveTriggerState, a mark and a counter", func() error { return store.SaveTriggerState(ctx, pair(0)) }, units{"write table": 4}},
		{"SaveTriggerState, once more", func() error { return store.SaveTriggerState(ctx, pair(1)) }, units{"write table": 4}},
		{"TriggerState, 2", func() error { _, err := store.TriggerState(ctx, refs); return err }, units{"read table": 2}},
		{"ListTriggerState, 3", func() error {
			ref := part("", 0).StateRef
			_, err := store.ListTriggerState(ctx, ref, 50)
			return err
		}, units{"read table": 1}},
	} {
		do(t, step.call())
		spent, _ := m.take()
		if diff := cmp.Diff(step.want, spent); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step.what, diff)
		}
	}
}

func TestStateWhoseAnswerGotLostIsSavedOnce(t *testing.T) {
	store, net := behind(t)
	for rev := range int64(3) {
		net.harm("PutItem", 2, unanswered)
		do(t, store.SaveTriggerState(t.Context(), []webhook.StateItem{part("ONCE", rev)}))
		net.harm("TransactWriteItems", 2, unanswered)
		do(t, store.SaveTriggerState(t.Context(), pair(rev)))
	}
	net.harm("PutItem", -1, unanswered)
	wantUnknown(t, "SaveTriggerState", store.SaveTriggerState(t.Context(), []webhook.StateItem{part("ONCE", 3)}))
	net.harm("TransactWriteItems", -1, unanswered)
	wantUnknown(t, "SaveTriggerState of two", store.SaveTriggerState(t.Context(), pair(3)))
	net.heal()
	wantRevs(t, store, 4)
	wantError(t, "save again", store.SaveTriggerState(t.Context(), []webhook.StateItem{part("ONCE", 3)}), webhook.ErrConflict)
	wantError(t, "save two again", store.SaveTriggerState(t.Context(), pair(3)), webhook.ErrConflict)
}

func wantRevs(t *testing.T, store *dynamostore.Store, want int64) {
	t.Helper()
	for _, name := range []string{"ONCE", "M#1", "C"} {
		items, err := store.TriggerState(t.Context(), []webhook.StateRef{part(name, 0).StateRef})
		do(t, err)
		if items[0].Rev != want {
			t.Errorf("%s was saved %d times, want %d", name, items[0].Rev, want)
		}
	}
}

func TestStateThatIsThrottledIsBusyAndThatMeetsAnotherIsAConflict(t *testing.T) {
	store, net := behind(t)
	canceled := func(reason string) func() error {
		more := `,"CancellationReasons":[{"Code":"None"},{"Code":"` + reason + `","Message":"hush"}]`
		return func() error {
			net.harm("TransactWriteItems", -1, refused("TransactionCanceledException", more))
			return store.SaveTriggerState(t.Context(), pair(0))
		}
	}
	for what, tt := range map[string]struct {
		call func() error
		want error
	}{
		"two, throttled":           {canceled("ThrottlingError"), webhook.ErrBusy},
		"two, met another":         {canceled("TransactionConflict"), webhook.ErrConflict},
		"two, one condition unmet": {canceled("ConditionalCheckFailed"), webhook.ErrConflict},
		"one, throttled": {func() error {
			net.harm("PutItem", -1, throttled)
			return store.SaveTriggerState(t.Context(), pair(0)[:1])
		}, webhook.ErrBusy},
		"one, met a transaction": {func() error {
			net.harm("PutItem", -1, refused("TransactionConflictException", ""))
			return store.SaveTriggerState(t.Context(), pair(0)[:1])
		}, webhook.ErrConflict},
	} {
		wantError(t, what, tt.call(), tt.want)
	}
}

func TestEventsOfTimersFarAheadOutliveThem(t *testing.T) {
	store, _ := aged(t)
	e := booking("e", 100)
	_, _, err := store.CreateEvent(t.Context(), e)
	do(t, err)
	for _, days := range []int{400, 10} {
		do(t, store.KeepEvent(t.Context(), e.Tenant, e.Key(), accepted.Truncate(time.Second).Add(time.Duration(days)*day)))
		wantExpiry(t, "event of a timer", store.Expiry(t.Context()), dynamostore.EventKey(e), 400)
	}
}

// Until a throttled save is let through, others have changed what it is about.
// So whoever saves reads again first.
func TestAThrottledSaveOfTriggerStateIsNotRepeated(t *testing.T) {
	store, net := behind(t)
	net.harm("TransactWriteItems", 1, throttled)
	wantError(t, "SaveTriggerState", store.SaveTriggerState(t.Context(), pair(0)), webhook.ErrBusy)
	net.harm("TransactWriteItems", 1, unsent)
	if err := store.SaveTriggerState(t.Context(), pair(0)); err != nil {
		t.Errorf("a save that did not arrive was not repeated: %v", err)
	}
}

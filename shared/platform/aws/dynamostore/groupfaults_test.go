package dynamostore_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/postino/postino/shared/platform/aws/dynamostore"
	"github.com/postino/postino/shared/webhook"
)

// TestWhoeverStopsWhileSavingAGroupIsMadeUpFor ends the saving of a group at each
// of its calls, before the call or before its answer. Then the message comes
// again, and what is not stored is saved anew.
func TestWhoeverStopsWhileSavingAGroupIsMadeUpFor(t *testing.T) {
	store, net := behind(t)
	for how, harm := range map[string]func(*network, *http.Request) (*http.Response, error){"unsent": unsent, "unanswered": unanswered} {
		stopped := 0
		for calls := 0; ; calls++ {
			saves, ids := inGroup(fmt.Sprint(how, calls), 6, 2)
			left := calls
			net.harm("every", -1, func(n *network, call *http.Request) (*http.Response, error) {
				n.mu.Lock()
				left--
				passes := left >= 0
				n.mu.Unlock()
				if passes {
					return n.HTTPClient.Do(call)
				}
				return harm(n, call)
			})
			errs := store.SaveDeliveries(t.Context(), saves)
			net.heal()
			if errs == nil {
				break
			}
			stopped++
			saveMissing(t, store, saves, ids)
			wantGroup(t, store, fmt.Sprintf("stopped at call %d, %s", calls, how), saves, ids)
		}
		if stopped < 3 {
			t.Errorf("%s: stopped %d times, want at the group, the parts and the items", how, stopped)
		}
	}
}

func saveMissing(t *testing.T, store *dynamostore.Store, saves []webhook.Save, ids []string) {
	t.Helper()
	stored, err := store.DeliveriesByID(t.Context(), saves[0].Delivery.Tenant, ids)
	do(t, err)
	var missing []webhook.Save
	for _, save := range saves {
		if _, ok := stored[save.Delivery.ID]; !ok {
			missing = append(missing, save)
		}
	}
	for _, err := range store.SaveDeliveries(t.Context(), missing) {
		do(t, err)
	}
}

func wantGroup(t *testing.T, store *dynamostore.Store, what string, saves []webhook.Save, ids []string) {
	t.Helper()
	stored, err := store.DeliveriesByID(t.Context(), saves[0].Delivery.Tenant, ids)
	do(t, err)
	for _, save := range saves {
		want := save.Delivery
		want.Rev = 1
		one, err := store.Delivery(t.Context(), want.Tenant, want.ID)
		do(t, err)
		for how, got := range map[string]webhook.Delivery{"by id": stored[want.ID], "alone": one} {
			if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("%s: read %s (-want +got):\n%s", what, how, diff)
			}
		}
		attempts, err := store.Attempts(t.Context(), want.Tenant, want.ID)
		do(t, err)
		if failed := save.With.Attempt != nil; failed != (len(attempts) == 1) {
			t.Errorf("%s: %d attempts beside a delivery that has failed: %v", what, len(attempts), failed)
		}
	}
}

// A delivery of a group may wait for longer than the group is kept.
func TestADeliveryOutlivesItsGroup(t *testing.T) {
	store, pass := aged(t)
	saves, ids := inGroup("old", 4, 4)
	for i := range saves {
		d := &saves[i].Delivery
		d.CreatedAt = accepted
	}
	for i, save := range saves {
		e := booking(save.Delivery.EventID, 100)
		e.Plan.Entries[0].Group = 5
		saves[i].Delivery.ID = e.DeliveryID(e.Plan.Entries[0])
		ids[i] = saves[i].Delivery.ID
	}
	for _, err := range store.SaveDeliveries(t.Context(), saves) {
		do(t, err)
	}
	for _, days := range []int{0, 28, 1, 1, 30} {
		pass(time.Duration(days) * day)
		wantGroup(t, store, fmt.Sprintf("%d days later", days), saves, ids)
	}
}

package record

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/webhook"
)

// TestNoTwoRecordsShareAKey stores one of everything for tenants whose names
// differ as little as names can, with all that separates the parts of a key, and
// counts the items.
func TestNoTwoRecordsShareAKey(t *testing.T) {
	items, together := &table.Memory{}, 5
	noneShares(t, items, In(items), together)
	items, spread := &table.Memory{}, 4 // indexes name it
	noneShares(t, items, Spread(items), spread)
}

// noneShares counts the items; that many are of a delivery.
func noneShares(t *testing.T, items *table.Memory, store *Store, ofDelivery int) {
	t.Helper()
	stored := func() (n int) {
		for _, partition := range items.Partitions("") {
			count, err := items.Count(t.Context(), table.Range{Partition: partition}, 1e6)
			must(t, err)
			n += count
		}
		return n
	}
	for _, tenant := range []string{"a", "b", "a#b", "a#b#0", "V", "", "a-b"} {
		_, err := store.EnsureTenant(t.Context(), tenant)
		must(t, err)
		for _, id := range []string{"a", "b", "b#0", "a#a", "0", "-b"} {
			for what, n := range map[string]struct {
				items int // that it makes, once the tenant has its counter
				save  func(ctx context.Context) error
			}{
				"event":     {1, func(ctx context.Context) error { return saveEvent(ctx, store, tenant, id) }},
				"plan page": {1, func(ctx context.Context) error { return store.PutPlanPage(ctx, tenant, id, id, 1, nil) }},
				"replay":    {1, func(ctx context.Context) error { return saveReplay(ctx, store, tenant, id) }},
				"delivery":  {ofDelivery, func(ctx context.Context) error { return saveDelivery(ctx, store, tenant, id) }},
				"line": {1, func(ctx context.Context) error {
					return store.EnterLine(ctx, webhook.SubscriptionRef{Tenant: tenant, ID: id}, "dlv_"+id)
				}},
				"state":        {1, func(ctx context.Context) error { return saveState(ctx, store, tenant, id, "") }},
				"state of one": {1, func(ctx context.Context) error { return saveState(ctx, store, tenant, "", id) }},
				"subscription": {3, func(ctx context.Context) error {
					_, err := store.SaveSubscription(ctx, webhook.Subscription{Tenant: tenant, ID: id, UpdatedAt: epoch}, 0)
					return err
				}},
			} {
				had := stored()
				must(t, n.save(t.Context()))
				made := stored() - had
				if counted := what == "subscription" && id == "a"; counted {
					made-- // the tenant's counter
				}
				if made != n.items {
					t.Errorf("%s %q of %q made %d items, want %d", what, id, tenant, made, n.items)
				}
			}
		}
	}
}

var errThere = errors.New("it is there already")

func created(created bool, err error) error {
	if err == nil && !created {
		return errThere
	}
	return err
}

func saveEvent(ctx context.Context, store *Store, tenant, id string) error {
	_, is, err := store.CreateEvent(ctx, webhook.StoredEvent{Event: webhook.Event{Tenant: tenant, ID: id, Source: "/s", Subject: id, AcceptedAt: epoch}})
	return created(is, err)
}

func saveReplay(ctx context.Context, store *Store, tenant, id string) error {
	_, is, err := store.CreateReplay(ctx, webhook.Replay{Tenant: tenant, EventKey: id, ID: id})
	return created(is, err)
}

// saveDelivery stores one that failed, of an occasion, with its body and an
// attempt.
func saveDelivery(ctx context.Context, store *Store, tenant, id string) error {
	return store.SaveDelivery(ctx, webhook.Delivery{
		Tenant: tenant, ID: webhook.DeliveryID(tenant, id, epoch, id, "o"), EventID: id, Subscription: id, Occasion: "o", Status: webhook.Exhausted, CreatedAt: epoch,
	}, webhook.Parts{Attempt: &webhook.Attempt{Number: 1}, Content: &webhook.Content{}})
}

func saveState(ctx context.Context, store *Store, tenant, subscription, part string) error {
	ref := webhook.StateRef{Tenant: tenant, Subscription: subscription, Epoch: 1, Key: "k", Part: "p" + part}
	return store.SaveTriggerState(ctx, []webhook.StateItem{{StateRef: ref, Expires: epoch.Add(time.Hour)}})
}

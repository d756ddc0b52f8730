package record

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/webhook"
)

// TestNoStoredDeliveryIsCalledAbsent: not those that an earlier process wrote,
// not new ones, not ones whose names were forgotten.
func TestNoStoredDeliveryIsCalledAbsent(t *testing.T) {
	ctx, items := t.Context(), &counted{}
	delivery := func(tenant string, n int) webhook.Delivery {
		id := webhook.DeliveryID(tenant, fmt.Sprint(n), epoch.Add(time.Duration(n)*time.Millisecond), "s", "")
		return webhook.Delivery{Tenant: tenant, ID: id, Subscription: "s", Status: webhook.Succeeded, CreatedAt: epoch}
	}
	for _, tenant := range []string{"a", "b"} {
		must(t, In(items).SaveDelivery(ctx, delivery(tenant, 1), webhook.Parts{}))
	}
	store := In(items).Alone()
	must(t, store.SaveDelivery(ctx, delivery("a", 2), webhook.Parts{}))
	stored := []webhook.Delivery{delivery("a", 1), delivery("b", 1), delivery("a", 2)}
	check := func() {
		t.Helper()
		for _, d := range stored {
			if _, err := store.Delivery(ctx, d.Tenant, d.ID); err != nil {
				t.Errorf("delivery %s of %s: %v", d.ID, d.Tenant, err)
			}
			if found, err := store.DeliveriesByID(ctx, d.Tenant, []string{d.ID}); len(found) != 1 || err != nil {
				t.Errorf("delivery %s of %s by id: %v, %v", d.ID, d.Tenant, found, err)
			}
		}
	}
	check()
	for n := range 3 * maxWritten { // as if so many had been written since
		d := delivery("a", 10+n)
		store.written.add(d.Tenant, d.ID)
	}
	check()
	if _, err := store.Delivery(ctx, "a", delivery("a", 10*maxWritten).ID); !errors.Is(err, webhook.ErrNotFound) {
		t.Errorf("a delivery that nobody wrote: %v", err)
	}
	items.read = 0
	if found, err := store.DeliveriesByID(ctx, "b", []string{delivery("b", 5*maxWritten).ID}); len(found) > 0 || err != nil || items.read > 0 {
		t.Errorf("a new delivery: %v, %v, %d items read, want it known to be absent", found, err, items.read)
	}
}

// TestWhoCannotReadCallsNothingAbsent has the first read of a new process fail.
func TestWhoCannotReadCallsNothingAbsent(t *testing.T) {
	items := &table.Memory{}
	d := webhook.Delivery{Tenant: "a", ID: webhook.DeliveryID("a", "e", epoch, "s", ""), Subscription: "s", Status: webhook.Succeeded, CreatedAt: epoch}
	must(t, In(items).SaveDelivery(t.Context(), d, webhook.Parts{}))
	w := newWritten()
	for range 2 {
		if w.absent(t.Context(), unreadable{}, "a", d.ID) {
			t.Error("a stored delivery is absent, says who could not read")
		}
	}
	if w.absent(t.Context(), items, "a", d.ID) {
		t.Error("a stored delivery is absent, says who could read at last")
	}
}

// unreadable is a table that cannot be read.
type unreadable struct{ table.Table }

func (unreadable) Page(context.Context, table.Range, int) ([]table.Item, error) {
	return nil, webhook.ErrBusy
}

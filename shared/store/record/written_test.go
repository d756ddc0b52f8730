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
		store.written.add(d.Tenant, d.ID, d.ID)
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
	w := newWritten(allDeliveries)
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

// asked is a table that keeps what it is told of what is new.
type asked struct {
	table.Memory
	isNew func() bool
}

func (a *asked) Put(ctx context.Context, it table.Item, how table.How) (table.Item, bool, error) {
	a.isNew = how.New
	return a.Memory.Put(ctx, it, how)
}

// TestADeliveryIsNewForTheFirstWriterAlone: whoever writes it beside the first has
// the table look, and so has the first, if another was about to write before it.
func TestADeliveryIsNewForTheFirstWriterAlone(t *testing.T) {
	items := &asked{}
	store := In(items).Alone()
	d := webhook.Delivery{Tenant: "a", ID: webhook.DeliveryID("a", "e", epoch, "s", ""), Subscription: "s", Status: webhook.Succeeded, CreatedAt: epoch}
	if _, err := store.Delivery(t.Context(), "a", d.ID); !errors.Is(err, webhook.ErrNotFound) {
		t.Fatal(err)
	}
	must(t, store.SaveDelivery(t.Context(), d, webhook.Parts{}))
	first := items.isNew
	if first == nil || !first() {
		t.Error("a new delivery was not known to be new")
	}
	if err := store.SaveDelivery(t.Context(), d, webhook.Parts{}); !errors.Is(err, webhook.ErrConflict) {
		t.Errorf("the same again: %v, want a conflict", err)
	}
	if items.isNew != nil && items.isNew() {
		t.Error("a delivery is new for its second writer")
	}
	if first() {
		t.Error("a delivery is new although another was about to write it")
	}
}

// TestADeliveryOfAnEarlierProcessIsNotNew has the second process not read it before.
func TestADeliveryOfAnEarlierProcessIsNotNew(t *testing.T) {
	items := &asked{}
	d := webhook.Delivery{Tenant: "a", ID: webhook.DeliveryID("a", "e", epoch, "s", ""), Subscription: "s", Status: webhook.Succeeded, CreatedAt: epoch}
	must(t, In(items).SaveDelivery(t.Context(), d, webhook.Parts{}))
	for _, reads := range []bool{false, true} {
		store := In(items).Alone()
		if reads {
			_, _ = store.DeliveriesByID(t.Context(), "a", []string{d.ID})
		}
		if err := store.SaveDelivery(t.Context(), d, webhook.Parts{}); !errors.Is(err, webhook.ErrConflict) || items.isNew != nil && items.isNew() {
			t.Errorf("a stored delivery is written by another process, which read it: %v: %v, want a conflict", reads, err)
		}
	}
}

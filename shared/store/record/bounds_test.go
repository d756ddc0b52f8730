package record

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/webhook"
)

// counted is a table that counts the items that are read.
type counted struct {
	table.Memory
	read int
}

func (c *counted) Get(ctx context.Context, keys ...table.Key) (map[table.Key]table.Item, error) {
	c.read += len(keys)
	return c.Memory.Get(ctx, keys...)
}

func (c *counted) Page(ctx context.Context, r table.Range, limit int) ([]table.Item, error) {
	items, err := c.Memory.Page(ctx, r, limit)
	c.read += len(items)
	return items, err
}

// crowd stores n events of one subject, each with a delivery, of which few are
// exhausted.
func crowd(t *testing.T, store *Store, n int) {
	t.Helper()
	for i := range n {
		e := webhook.StoredEvent{Event: webhook.Event{
			Tenant: "acme", ID: fmt.Sprint("e", i), Source: "/s", Type: "common", Subject: "ada", AcceptedAt: epoch.Add(time.Duration(i) * time.Millisecond),
		}}
		status := webhook.Succeeded
		if i < 3 {
			e.Type, status = "rare", webhook.Exhausted
		}
		_, _, err := store.CreateEvent(t.Context(), e)
		must(t, err)
		must(t, store.SaveDelivery(t.Context(), webhook.Delivery{
			Tenant: "acme", ID: webhook.DeliveryID("acme", e.Key(), e.AcceptedAt, "s", ""), EventID: e.ID, EventSource: "/s", Subscription: "s",
			Status: status, CreatedAt: e.AcceptedAt,
		}, webhook.Parts{}))
	}
}

// TestAPageReadsABoundedNumberOfItems pages through every list, and wants that no
// page reads many more items than it shows, or than a filter may look at.
func TestAPageReadsABoundedNumberOfItems(t *testing.T) {
	items := &counted{}
	store := In(items)
	const n = 3*maxRows + 100
	crowd(t, store, n)
	events := func(f webhook.EventFilter) func(webhook.Page) (int, string, error) {
		return func(p webhook.Page) (int, string, error) {
			found, next, err := store.PageEvents(t.Context(), "acme", f, p)
			return len(found), next, err
		}
	}
	deliveries := func(f webhook.DeliveryFilter) func(webhook.Page) (int, string, error) {
		return func(p webhook.Page) (int, string, error) {
			found, next, err := store.PageDeliveries(t.Context(), "acme", f, p)
			return len(found), next, err
		}
	}
	const shown, looked = 40, 2*(maxRows+mostAtOnce) + 10 // of a page of 10; an index names what is then read
	for _, tt := range []struct {
		what string
		page func(webhook.Page) (int, string, error)
		want int
		most int
	}{
		{"events", events(webhook.EventFilter{}), n, shown},
		{"events of a common type", events(webhook.EventFilter{Type: "common"}), n - 3, looked},
		{"events of a rare type", events(webhook.EventFilter{Type: "ra*"}), 3, looked},
		{"events of a subject", events(webhook.EventFilter{Subject: "ada"}), n, shown},
		{"deliveries", deliveries(webhook.DeliveryFilter{}), n, shown},
		{"deliveries of a subscription", deliveries(webhook.DeliveryFilter{Subscription: "s"}), n, shown},
		{"exhausted deliveries", deliveries(webhook.DeliveryFilter{Status: webhook.Exhausted}), 3, shown},
		{"exhausted deliveries of a subscription", deliveries(webhook.DeliveryFilter{Subscription: "s", Status: webhook.Exhausted}), 3, shown},
		{"canceled deliveries", deliveries(webhook.DeliveryFilter{Status: webhook.Canceled}), 0, shown},
		{"succeeded deliveries", deliveries(webhook.DeliveryFilter{Status: webhook.Succeeded}), n - 3, looked},
		{"deliveries of a subject", deliveries(webhook.DeliveryFilter{Subject: "ada"}), n, 10 * shown},
		{"exhausted deliveries of a subject", deliveries(webhook.DeliveryFilter{Subject: "ada", Status: webhook.Exhausted}), 3, 4 * looked},
	} {
		for _, desc := range []bool{false, true} {
			total, most := 0, 0
			for page := (webhook.Page{Limit: 10, Desc: desc}); ; {
				items.read = 0
				got, next, err := tt.page(page)
				must(t, err)
				total, most = total+got, max(most, items.read)
				if page.Position = next; next == "" {
					break
				}
			}
			if total != tt.want || most > tt.most {
				t.Errorf("%s, descending %v: %d entries, %d items read for a page; want %d and at most %d", tt.what, desc, total, most, tt.want, tt.most)
			}
		}
	}
}

func TestAFilterWithoutIndexEndsItsPagesEarly(t *testing.T) {
	store := open(t)
	crowd(t, store, 2*maxRows+maxRows/2)
	pages, page := 0, webhook.Page{Limit: 10}
	for {
		got, next, err := store.PageEvents(t.Context(), "acme", webhook.EventFilter{Type: "none"}, page)
		if err != nil || len(got) > 0 {
			t.Fatalf("events of no type = %d, %v", len(got), err)
		}
		pages++
		if page.Position = next; next == "" {
			break
		}
	}
	if pages != 3 {
		t.Errorf("looking through %d events took %d pages, want 3 of %d", 2*maxRows+maxRows/2, pages, maxRows)
	}
}

func TestTheChangeLogForgetsTheOldest(t *testing.T) {
	store := open(t)
	const n = maxChanges + 3
	for version := range int64(n) {
		must(t, store.table.Transact(t.Context(), store.logged("acme", "s", version+1), table.ForCommit))
	}
	if got, err := store.Changes(t.Context(), "acme", 3, n); len(got) != maxChanges || err != nil {
		t.Errorf("Changes(3, %d) = %d changes, %v, want %d", n, len(got), err, maxChanges)
	}
	for _, through := range []int64{3, 5, n} {
		if _, err := store.Changes(t.Context(), "acme", 2, through); !errors.Is(err, webhook.ErrGap) {
			t.Errorf("Changes(2, %d): error = %v, want %v", through, err, webhook.ErrGap)
		}
	}
}

func TestALosersPartsAreNotStored(t *testing.T) {
	store := open(t)
	d := webhook.Delivery{Tenant: "acme", ID: webhook.DeliveryID("acme", "e", epoch, "s", ""), Subscription: "s", Status: webhook.Pending, CreatedAt: epoch}
	must(t, store.SaveDelivery(t.Context(), d, webhook.Parts{Attempt: &webhook.Attempt{Number: 1, StatusCode: 200}}))
	err := store.SaveDelivery(t.Context(), d, webhook.Parts{Attempt: &webhook.Attempt{Number: 1, StatusCode: 500}, Content: &webhook.Content{}})
	if !errors.Is(err, webhook.ErrConflict) {
		t.Errorf("second writer: error = %v, want %v", err, webhook.ErrConflict)
	}
	attempts, err := store.Attempts(t.Context(), "acme", d.ID)
	if len(attempts) != 1 || attempts[0].StatusCode != 200 || err != nil {
		t.Errorf("attempts = %+v, %v, want the first writer's", attempts, err)
	}
	if _, err := store.Content(t.Context(), "acme", d.ID); !errors.Is(err, webhook.ErrNotFound) {
		t.Errorf("content: error = %v, want %v", err, webhook.ErrNotFound)
	}
}

// TestACallbackThatSucceedsWritesTwoItems counts the writes of an event and of a delivery that
// succeeds at once: one item each, without a transaction.
func TestACallbackThatSucceedsWritesTwoItems(t *testing.T) {
	items := &verbs{}
	store := In(items)
	e := webhook.StoredEvent{Event: webhook.Event{Tenant: "acme", ID: "e", Source: "/s", AcceptedAt: epoch, Data: json.RawMessage("{}")}}
	_, _, err := store.CreateEvent(t.Context(), e)
	must(t, err)
	must(t, store.SaveDelivery(t.Context(), webhook.Delivery{
		Tenant: "acme", ID: webhook.DeliveryID("acme", e.Key(), epoch, "s", ""), Subscription: "s", Status: webhook.Succeeded, CreatedAt: epoch,
	}, webhook.Parts{}))
	if items.puts != 2 || items.others != 0 {
		t.Errorf("%d puts and %d other calls, want 2 puts alone", items.puts, items.others)
	}
}

// verbs counts the calls of a table.
type verbs struct {
	table.Memory
	puts, others int
}

func (v *verbs) Put(ctx context.Context, it table.Item, how table.How) (table.Item, bool, error) {
	v.puts++
	return v.Memory.Put(ctx, it, how)
}

func (v *verbs) Get(ctx context.Context, keys ...table.Key) (map[table.Key]table.Item, error) {
	v.others++
	return v.Memory.Get(ctx, keys...)
}

func (v *verbs) Transact(ctx context.Context, writes []table.Write, wait table.Wait) error {
	v.others++
	return v.Memory.Transact(ctx, writes, wait)
}

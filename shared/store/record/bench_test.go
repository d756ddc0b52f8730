package record

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/webhook"
)

// nowhere is a table that forgets what it is given: what remains is the time that
// records take.
type nowhere struct {
	table.Memory
	last table.Item
}

func (n *nowhere) Put(_ context.Context, it table.Item, _ table.How) (table.Item, bool, error) {
	n.last = it
	return table.Item{}, false, nil
}

func (n *nowhere) Get(_ context.Context, keys ...table.Key) (map[table.Key]table.Item, error) {
	return map[table.Key]table.Item{keys[0]: n.last}, nil
}

func benchEvent(n int) webhook.StoredEvent {
	return webhook.StoredEvent{
		Event: webhook.Event{
			Tenant: "acme", ID: fmt.Sprintf("evt_%026d", n), Source: "/tenants/acme", Type: "flight.booked", Subject: "user-1",
			Time: epoch, AcceptedAt: epoch, Nonce: "0123456789abcdef0123456789abcdef", Data: json.RawMessage(`{"booking":"` + strings.Repeat("x", 300) + `"}`),
		},
		Plan: webhook.Plan{Entries: []webhook.PlanEntry{{Subscription: "sub_0123456789abcdefghijklmnop", Version: 1}}, Total: 1},
	}
}

func benchDelivery(e webhook.StoredEvent) webhook.Delivery {
	return webhook.Delivery{
		Tenant: "acme", ID: webhook.DeliveryID("acme", e.Key(), e.AcceptedAt, "sub", ""), EventID: e.ID, EventSource: e.Source,
		Subscription: "sub", Version: 1, Status: webhook.Succeeded, Attempts: 1, CreatedAt: e.AcceptedAt, EndedAt: e.AcceptedAt,
		Last: &webhook.Attempt{Number: 1, StartedAt: e.AcceptedAt, DurationMS: 3, StatusCode: 200,
			Response: &webhook.Response{Headers: map[string]string{"content-type": "text/plain", "date": "Mon, 23 Nov 2026 15:00:00 GMT"}, Body: "ok"}},
	}
}

func BenchmarkCreateEvent(b *testing.B) {
	store, e := In(&nowhere{}), benchEvent(1)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := store.CreateEvent(b.Context(), e); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSaveDelivery(b *testing.B) {
	store, d := In(&nowhere{}), benchDelivery(benchEvent(1))
	b.ReportAllocs()
	for b.Loop() {
		if err := store.SaveDelivery(b.Context(), d, webhook.Parts{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReadEvent(b *testing.B) {
	store, e := In(&nowhere{}), benchEvent(1)
	if _, _, err := store.CreateEvent(b.Context(), e); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := store.Event(b.Context(), "acme", e.Source, e.ID); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReadDelivery(b *testing.B) {
	store, d := In(&nowhere{}), benchDelivery(benchEvent(1))
	if err := store.SaveDelivery(b.Context(), d, webhook.Parts{}); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := store.Delivery(b.Context(), "acme", d.ID); err != nil {
			b.Fatal(err)
		}
	}
}

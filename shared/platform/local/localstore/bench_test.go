package localstore

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/postino/postino/shared/webhook"
)

// callers is how many call at a time: as many as publish in the load test.
const callers = 64

// together runs b.N calls by concurrent callers.
func together(b *testing.B, call func(ctx context.Context, n int64) error) {
	b.Helper()
	b.ReportAllocs()
	var next atomic.Int64
	var done sync.WaitGroup
	b.ResetTimer()
	for range callers {
		done.Go(func() {
			for n := next.Add(1); n <= int64(b.N); n = next.Add(1) {
				if err := call(b.Context(), n); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	done.Wait()
}

var accepted = time.Now().UTC().Truncate(time.Millisecond)

func benchEvent(n int64) webhook.StoredEvent {
	return webhook.StoredEvent{
		Event: webhook.Event{
			Tenant: "acme", ID: fmt.Sprintf("evt_%026d", n), Source: "/tenants/acme", Type: "flight.booked", Subject: "user-1",
			Time: accepted, AcceptedAt: accepted.Add(time.Duration(n/3) * time.Millisecond), Nonce: "0123456789abcdef0123456789abcdef",
			Data: json.RawMessage(`{"booking":"` + strings.Repeat("x", 300) + `"}`),
		},
		Plan: webhook.Plan{Entries: []webhook.PlanEntry{{Subscription: "sub_0123456789abcdefghijklmnop", Version: 1}}, Total: 1},
	}
}

func benchDelivery(n int64) webhook.Delivery {
	e := benchEvent(n)
	sub := fmt.Sprintf("sub_%026d", n%20)
	return webhook.Delivery{
		Tenant: "acme", ID: webhook.DeliveryID("acme", e.Key(), e.AcceptedAt, sub, ""), EventID: e.ID, EventSource: e.Source,
		Subscription: sub, Version: 1, Status: webhook.Succeeded, Attempts: 1, CreatedAt: e.AcceptedAt, EndedAt: e.AcceptedAt,
		Last: &webhook.Attempt{Number: 1, StartedAt: e.AcceptedAt, DurationMS: 3, StatusCode: 200,
			Response: &webhook.Response{Headers: map[string]string{"content-type": "text/plain", "date": "Mon, 23 Nov 2026 15:00:00 GMT"}, Body: "ok"}},
	}
}

func BenchmarkCreateEvent(b *testing.B) {
	store := open(b)
	together(b, func(ctx context.Context, n int64) error {
		_, _, err := store.CreateEvent(ctx, benchEvent(n))
		return err
	})
}

func BenchmarkSaveDeliveryFirst(b *testing.B) {
	store := open(b)
	together(b, func(ctx context.Context, n int64) error {
		return store.SaveDelivery(ctx, benchDelivery(n), webhook.Parts{})
	})
}

func BenchmarkSaveDeliveryAgain(b *testing.B) {
	store := open(b)
	for n := range int64(1000) {
		d := benchDelivery(n)
		d.Status = webhook.Pending
		if err := store.SaveDelivery(b.Context(), d, webhook.Parts{}); err != nil {
			b.Fatal(err)
		}
	}
	together(b, func(ctx context.Context, n int64) error {
		d := benchDelivery(n % 1000)
		d.Status, d.Rev = webhook.Pending, (n-1)/1000+1
		err := store.SaveDelivery(ctx, d, webhook.Parts{})
		if err == webhook.ErrConflict { // another caller is a round ahead or behind
			return nil
		}
		return err
	})
}

// stored returns a store with events, deliveries and subscriptions in it.
func stored(b *testing.B, n int64) *Store {
	b.Helper()
	store := open(b)
	var done sync.WaitGroup
	for i := range int64(callers) {
		done.Go(func() {
			for k := i; k < n; k += callers {
				if _, _, err := store.CreateEvent(b.Context(), benchEvent(k)); err != nil {
					b.Error(err)
				}
				if err := store.SaveDelivery(b.Context(), benchDelivery(k), webhook.Parts{}); err != nil {
					b.Error(err)
				}
			}
		})
	}
	for i := range 20 {
		sub := webhook.Subscription{Tenant: "acme", ID: fmt.Sprintf("sub_%026d", i), State: webhook.Active, Types: []string{"flight.booked"}}
		if _, err := store.SaveSubscription(b.Context(), sub, 0); err != nil {
			b.Fatal(err)
		}
	}
	done.Wait()
	return store
}

func BenchmarkRead(b *testing.B) {
	store := stored(b, 20_000)
	sub := func(n int64) webhook.SubscriptionRef {
		return webhook.SubscriptionRef{Tenant: "acme", ID: fmt.Sprintf("sub_%026d", n%20)}
	}
	for name, read := range map[string]func(ctx context.Context, n int64) error{
		"TenantVersion": func(ctx context.Context, n int64) error { _, err := store.TenantVersion(ctx, "acme"); return err },
		"Head": func(ctx context.Context, n int64) error {
			_, err := store.Heads(ctx, []webhook.SubscriptionRef{sub(n)})
			return err
		},
		"Heads10": func(ctx context.Context, n int64) error {
			var refs []webhook.SubscriptionRef
			for i := range int64(10) {
				refs = append(refs, sub(n+i))
			}
			_, err := store.Heads(ctx, refs)
			return err
		},
		"Delivery": func(ctx context.Context, n int64) error {
			_, err := store.Delivery(ctx, "acme", benchDelivery(n%20_000).ID)
			return err
		},
		"DeliveryAbsent": func(ctx context.Context, n int64) error {
			if _, err := store.Delivery(ctx, "acme", benchDelivery(n%20_000+20_000).ID); err != webhook.ErrNotFound {
				return err
			}
			return nil
		},
		"Event": func(ctx context.Context, n int64) error {
			e := benchEvent(n % 20_000)
			_, err := store.Event(ctx, "acme", e.Source, e.ID)
			return err
		},
	} {
		b.Run(name, func(b *testing.B) { together(b, read) })
	}
}

func BenchmarkList(b *testing.B) {
	store := stored(b, 20_000)
	page := webhook.Page{Limit: 50, Desc: true}
	for name, list := range map[string]func(ctx context.Context) error{
		"Events": func(ctx context.Context) error {
			_, _, err := store.PageEvents(ctx, "acme", webhook.EventFilter{}, page)
			return err
		},
		"EventsOfNone": func(ctx context.Context) error {
			_, _, err := store.PageEvents(ctx, "acme", webhook.EventFilter{Type: "none"}, page)
			return err
		},
		"Deliveries": func(ctx context.Context) error {
			_, _, err := store.PageDeliveries(ctx, "acme", webhook.DeliveryFilter{}, page)
			return err
		},
		"DeliveriesOfOne": func(ctx context.Context) error {
			_, _, err := store.PageDeliveries(ctx, "acme", webhook.DeliveryFilter{Subscription: "sub_00000000000000000000000007"}, page)
			return err
		},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if err := list(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

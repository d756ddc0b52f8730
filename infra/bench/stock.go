package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/postino/postino/shared/callback/secret"
	"github.com/postino/postino/shared/platform/local/engine"
	"github.com/postino/postino/shared/platform/local/localstore"
	"github.com/postino/postino/shared/webhook"
)

// Of a stock of deliveries.
const (
	stockSubscriptions = 100
	deliveriesOfEach   = 10  // event
	fillers            = 512 // goroutines that write
)

// stock is what was stored, computed from its size: a second between events,
// the newest a minute ago.
type stock struct {
	events int
	oldest time.Time
}

func newStock(deliveries int) *stock {
	events := deliveries / deliveriesOfEach
	oldest := time.Now().UTC().Truncate(time.Second).Add(-time.Minute - time.Duration(events)*time.Second)
	return &stock{events, oldest}
}

func eventID(n int) string { return fmt.Sprintf("evt_%09d", n) }

func (s *stock) event(random *rand.Rand) string { return eventID(random.IntN(s.events)) }

func (s *stock) moment(random *rand.Rand) time.Time {
	return s.oldest.Add(time.Duration(random.IntN(s.events)) * time.Second)
}

func (s *stock) delivery(random *rand.Rand) string {
	e := s.at(random.IntN(s.events))
	return owed(e, e.Plan.Entries[random.IntN(deliveriesOfEach)]).ID
}

// at is the n-th event, to ten subscriptions that follow each other.
func (s *stock) at(n int) webhook.StoredEvent {
	accepted := s.oldest.Add(time.Duration(n) * time.Second)
	e := webhook.StoredEvent{Event: webhook.Event{
		Tenant: tenant, ID: eventID(n), Source: webhook.DefaultSource(tenant), Type: "order.paid", Subject: "user-1", Time: accepted,
		AcceptedAt: accepted, Nonce: "n", Data: []byte(`{"amount":42.5,"currency":"EUR","items":[{"sku":"a","n":1},{"sku":"b","n":2}]}`),
	}}
	if n%100 == 0 {
		e.Type = "order.rare"
	}
	for i := range deliveriesOfEach {
		sub := (n + i) % stockSubscriptions
		e.Plan.Entries = append(e.Plan.Entries, webhook.PlanEntry{Subscription: fmt.Sprint("s", sub), Version: int64(sub + 1)})
	}
	e.Plan.Total = deliveriesOfEach
	return e
}

func owed(e webhook.StoredEvent, entry webhook.PlanEntry) webhook.Delivery {
	return webhook.Delivery{
		Tenant: tenant, ID: webhook.DeliveryID(tenant, e.Key(), e.AcceptedAt, entry.Subscription, ""), EventID: e.ID, EventSource: e.Source, EventType: e.Type,
		Subscription: entry.Subscription, Version: entry.Version, Status: webhook.Succeeded, CreatedAt: e.AcceptedAt,
		EndedAt: e.AcceptedAt, Attempts: 1, Digest: "0123456789abcdef0123456789abcdef",
		Last: &webhook.Attempt{Number: 1, StartedAt: e.AcceptedAt, DurationMS: 12, StatusCode: 200, Response: &webhook.Response{Body: "ok"}},
	}
}

// fill stores events and deliveries as the stages would have: of a hundred
// deliveries, four are exhausted and two wait.
func fill(ctx context.Context, data string, deliveries int) (s *stock, err error) {
	if err := os.MkdirAll(data, 0o700); err != nil {
		return nil, err
	}
	if _, err := secret.FromFile(filepath.Join(data, "sealing.key")); err != nil {
		return nil, err
	}
	db, err := engine.Open(data)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	store := localstore.In(db)
	for i := range stockSubscriptions {
		_, err := store.SaveSubscription(ctx, webhook.Subscription{
			Tenant: tenant, ID: fmt.Sprint("s", i), URL: "http://127.0.0.1:1", Signing: "v1", State: webhook.Active,
			Retry: webhook.RetrySpec{Schedule: []string{"1h"}, Timeout: "15s", Success: []string{"2xx"}},
		}, 0)
		if err != nil {
			return nil, err
		}
	}
	if _, err := store.EnsureTenant(ctx, tenant); err != nil {
		return nil, err
	}
	s = newStock(deliveries)
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(fillers)
	for n := range s.events {
		g.Go(func() error { return s.put(gctx, store, n) })
	}
	return s, g.Wait()
}

func (s *stock) put(ctx context.Context, store *localstore.Store, n int) error {
	e := s.at(n)
	if _, _, err := store.CreateEvent(ctx, e); err != nil {
		return err
	}
	for i, entry := range e.Plan.Entries {
		d := owed(e, entry)
		var with webhook.Parts
		switch k := (n*deliveriesOfEach + i*7) % 100; {
		case k < 4:
			d.Status, d.Last.StatusCode, d.Last.Error = webhook.Exhausted, 500, webhook.ErrorStatus
		case k < 6:
			d.Status, d.Waiting, d.EndedAt, d.WaitingSince = webhook.Pending, webhook.WaitPaused, time.Time{}, e.AcceptedAt
		}
		if d.Status != webhook.Succeeded {
			with.Attempt, with.Content = d.Last, &webhook.Content{Method: "POST", ContentType: "application/json", Body: webhook.Text{Plain: string(e.Data)}}
		}
		if err := store.SaveDelivery(ctx, d, with); err != nil {
			return err
		}
	}
	return nil
}

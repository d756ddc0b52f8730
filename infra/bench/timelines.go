package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/postino/postino/shared/callback/secret"
	"github.com/postino/postino/shared/platform/local/engine"
	"github.com/postino/postino/shared/platform/local/localstore"
	"github.com/postino/postino/shared/webhook"
)

// Of the events whose timelines are read: how many subjects there are, and of how many
// the deliveries are stored, which alone are read.
const (
	subjects = 1000
	told     = 20
	previews = 10
)

// reading measures timelines and previews with many events stored.
func (c crowd) reading(ctx context.Context, b *bench, r *result) (err error) {
	data, err := os.MkdirTemp(b.dir, "time-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(data)
	fmt.Fprintf(b.progress, "  storing %d events …\n", c.events)
	if err := c.remember(ctx, data); err != nil {
		return err
	}
	t, err := b.startOn(ctx, data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.stop()) }()
	if err := c.timelines(ctx, t, r); err != nil {
		return err
	}
	return c.preview(ctx, t, r)
}

// timelines reads pages of timelines, each of another subject than the one before.
func (c crowd) timelines(ctx context.Context, t target, r *result) error {
	random := rand.New(rand.NewPCG(1, 2))
	var times, bare []time.Duration
	before := usageOf(t.pid).cpu
	for n := range c.each + readsWarm {
		begun := time.Now()
		if _, err := t.call(ctx, http.MethodGet, route("/subscriptions/crm"), ""); err != nil {
			return err
		}
		bare = append(bare, time.Since(begun))
		begun = time.Now()
		answer, err := t.call(ctx, http.MethodGet, route("/profiles/"+person(random.IntN(told))+"/timeline"), "")
		if err != nil {
			return err
		}
		if n >= readsWarm {
			times = append(times, time.Since(begun))
		}
		var page struct {
			Data []struct{ Subscriptions []json.RawMessage }
		}
		if err := json.Unmarshal(answer, &page); err != nil || len(page.Data) == 0 {
			return fmt.Errorf("a timeline of %d events: %w", len(page.Data), err)
		}
	}
	times = sorted(times)
	r.add(fmt.Sprintf("a page of a timeline, with %d events stored, p50", c.events), milliseconds(percentile(times, 0.5)), "ms")
	r.atMost("… p99", milliseconds(percentile(times, 0.99)), "ms", 20)
	r.add("… processor time of the server, both", milliseconds(usageOf(t.pid).cpu-before)/float64(c.each+readsWarm), "ms")
	r.add("… p90", milliseconds(percentile(times, 0.9)), "ms")
	r.add("… p50 of a bare GET", milliseconds(percentile(sorted(bare), 0.5)), "ms")
	r.add("… p99 of a bare GET in turns with it", milliseconds(percentile(sorted(bare), 0.99)), "ms")
	return nil
}

// preview asks what a subscription would have made of the newest thousand events.
func (c crowd) preview(ctx context.Context, t target, r *result) error {
	var times []time.Duration
	for range previews {
		begun := time.Now()
		answer, err := t.call(ctx, http.MethodPost, route("/preview/batch"),
			`{"subscription":{"url":"https://a.example","types":["study.finished"],"filter":{"profile":{"plan":[{"exists":false}]}},"trigger":{"cap":{"max":1,"per":"1d"}},"request":{"body":{"to":"{{ subject }}"}}}}`)
		if err != nil {
			return err
		}
		times = append(times, time.Since(begun))
		var got struct{ Events, Matched int }
		if err := json.Unmarshal(answer, &got); err != nil || got.Matched == 0 {
			return fmt.Errorf("a preview matched %d of %d events: %w", got.Matched, got.Events, err)
		}
	}
	times = sorted(times)
	r.atMost("a preview over 1,000 events, the slowest of ten", times[len(times)-1].Seconds(), "s", 2)
	return nil
}

// remember stores the events as the stages would have, a second between them.
func (c crowd) remember(ctx context.Context, data string) (err error) {
	if _, err := secret.FromFile(filepath.Join(data, "sealing.key")); err != nil {
		return err
	}
	db, err := engine.Open(data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	store := localstore.In(db)
	if _, err := store.EnsureTenant(ctx, tenant); err != nil {
		return err
	}
	sub, err := store.SaveSubscription(ctx, webhook.Subscription{
		Tenant: tenant, ID: "crm", URL: "http://127.0.0.1:1", Signing: "v1", State: webhook.Active,
		Retry: webhook.RetrySpec{Schedule: []string{"1h"}, Timeout: "15s", Success: []string{"2xx"}},
	}, 0)
	if err != nil {
		return err
	}
	oldest := time.Now().UTC().Truncate(time.Second).Add(-time.Minute - time.Duration(c.events)*time.Second)
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(fillers)
	for n := range c.events {
		g.Go(func() error { return c.studied(gctx, store, sub, n, oldest.Add(time.Duration(n)*time.Second)) })
	}
	return g.Wait()
}

func (c crowd) studied(ctx context.Context, store *localstore.Store, sub webhook.Subscription, n int, at time.Time) error {
	e := webhook.StoredEvent{Event: webhook.Event{
		Tenant: tenant, ID: eventID(n), Source: webhook.DefaultSource(tenant), Type: "study.finished", Subject: person(n % subjects), Time: at,
		AcceptedAt: at, Nonce: "n", Data: []byte(`{"mode":"flashcards","minutes":12}`),
	}}
	entry := webhook.PlanEntry{Subscription: sub.ID, Version: sub.Version}
	e.Plan = webhook.Plan{Entries: []webhook.PlanEntry{entry}, Total: 1}
	if _, _, err := store.CreateEvent(ctx, e); err != nil || n%subjects >= told {
		return err
	}
	return store.SaveDelivery(ctx, owed(e, entry), webhook.Parts{})
}

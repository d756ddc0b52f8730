package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/platform/local/engine"
	"github.com/postino/postino/shared/platform/local/localstore"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/stage/fanout"
	"github.com/postino/postino/shared/webhook"
)

// matching measures what an event costs whose subscriptions ask for the profile of its
// subject, beside one whose subscriptions ask for its own data, and what it costs a
// tenant that has no profiles that others have them. It works in this process.
func (c crowd) matching(ctx context.Context, b *bench, r *result) (err error) {
	data, err := os.MkdirTemp(b.dir, "match-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(data)
	db, err := engine.Open(data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	store := localstore.In(db)
	fmt.Fprintf(b.progress, "  storing %d profiles and %d subscriptions …\n", c.people, 2*c.conditions)
	if err := c.know(ctx, store); err != nil {
		return err
	}
	for _, root := range []string{"data", "profile"} {
		for i := range c.conditions {
			filter := fmt.Sprintf(`{%q:{"plan":["p%d"],"consent":[true]}}`, root, i)
			if err := condition(ctx, store, "by-"+root, fmt.Sprint("s", i), filter); err != nil {
				return err
			}
		}
		if err := store.PeopleChanged(ctx, "by-"+root); err != nil {
			return err
		}
	}
	times, err := c.takeTurns(ctx, store)
	if err != nil {
		return err
	}
	byData, byProfile := percentile(times[0], 0.5), percentile(times[1], 0.5)
	r.add(fmt.Sprintf("an event and %d conditions on its data, p50", c.conditions), microseconds(byData), "µs")
	r.add("… on the profile of its subject, p50", microseconds(byProfile), "µs")
	r.atMost("… ÷ on its data", float64(byProfile)/float64(byData), "", 2)
	r.add("… p99 ÷ p99", float64(percentile(times[1], 0.99))/float64(percentile(times[0], 0.99)), "")
	return nil
}

// know stores everybody's profile.
func (c crowd) know(ctx context.Context, store *localstore.Store) error {
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(fillers)
	for n := range c.people {
		g.Go(func() error {
			return store.SaveProfile(gctx, webhook.Profile{
				Tenant: "by-profile", Subject: person(n), Revision: 1,
				Attributes: json.RawMessage(fmt.Sprintf(`{"consent":true,"name":"Ada","plan":"p%d"}`, n%c.conditions)),
			})
		})
	}
	return g.Wait()
}

func condition(ctx context.Context, store *localstore.Store, tenant, id, filter string) error {
	_, err := store.SaveSubscription(ctx, webhook.Subscription{
		Tenant: tenant, ID: id, URL: "http://127.0.0.1:1", Types: []string{"a"}, State: webhook.Active, Filter: json.RawMessage(filter),
	}, 0)
	return err
}

// nowhere takes what is sent.
type nowhere struct{ n int }

func (s *nowhere) Send(_ context.Context, messages []queue.Message) error {
	s.n += len(messages)
	return nil
}

// takeTurns has both tenants get an event in turn, and returns how long each took,
// sorted. Each leads to one delivery.
func (c crowd) takeTurns(ctx context.Context, store *localstore.Store) (times [2][]time.Duration, err error) {
	out := &nowhere{}
	stage := &fanout.Fanout{Store: store, Events: out, Deliveries: out, Log: slog.New(slog.DiscardHandler)}
	random := rand.New(rand.NewPCG(1, 2))
	for n := range c.each + readsWarm {
		who := random.IntN(c.people)
		for i, tenant := range []string{"by-data", "by-profile"} {
			e := webhook.Event{
				Tenant: tenant, ID: fmt.Sprint("e", n), Source: "/s", Type: "a", Subject: person(who), Time: time.Now(), AcceptedAt: time.Now(), Nonce: "n",
				Data: json.RawMessage(fmt.Sprintf(`{"consent":true,"plan":"p%d"}`, who%c.conditions)),
			}
			body := message.Pack{Events: []webhook.Event{e}}.Encode()
			begun := time.Now()
			if failed := stage.Handle(ctx, []queue.Message{{ID: "m", Group: tenant, Body: body, Received: 1}}); len(failed) > 0 {
				return times, errors.New("an event was not handled")
			}
			if n >= readsWarm {
				times[i] = append(times[i], time.Since(begun))
			}
		}
	}
	if want := 2 * (c.each + readsWarm); out.n != want {
		return times, fmt.Errorf("%d deliveries, want %d", out.n, want)
	}
	slices.Sort(times[0])
	slices.Sort(times[1])
	return times, nil
}

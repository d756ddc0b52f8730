package fanout

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/webhook"
)

// pages stores plans that are too large for their events, and carries them out.
type pages struct{ *Fanout }

// pageWriters bounds the plan pages of one event that are written at once.
const pageWriters = 8

// store writes a plan too large to stand in its event, before the event
// that names it: pages without an event are garbage, an event without its
// pages would be a loss. Their key is new each time, so that of two handlings
// of one message neither overwrites the pages that the other's event names.
func (f *pages) store(ctx context.Context, e webhook.Event, entries []webhook.PlanEntry) (webhook.Plan, error) {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(pageWriters)
	key, pages := rand.Text(), 0
	for page := range slices.Chunk(entries, webhook.PlanPage) {
		n := pages
		g.Go(func() error {
			return again(ctx, func() error { return f.Store.PutPlanPage(ctx, e.Tenant, e.Key(), key, n, page) })
		})
		pages++
	}
	return webhook.Plan{Pages: pages, Key: key, Total: len(entries)}, g.Wait()
}

// send sends one message for each page of the plan: the work is split,
// not chained, so that a million subscribers take no longer than a thousand.
func (f *pages) send(ctx context.Context, e webhook.StoredEvent, plan webhook.Plan, why occasion, noTriggers bool, out *outgoing) error {
	for page := range plan.Pages {
		p := message.PlanPage{Tenant: e.Tenant, Source: e.Source, Event: e.ID, Key: plan.Key, Page: page, Order: e.Order, NoTriggers: noTriggers, Fresh: why.fresh}
		if p.Replay = why.replay; why.replay != "" {
			p.At = why.at
		}
		if err := out.events.Add(ctx, queue.Message{Group: e.Tenant, Body: p.Encode()}); err != nil {
			return err
		}
	}
	return nil
}

// page carries out one page of a plan.
func (f *pages) page(ctx context.Context, p message.PlanPage, received int, out *outgoing) error {
	e, err := f.Store.Event(ctx, p.Tenant, p.Source, p.Event)
	if errors.Is(err, webhook.ErrNotFound) {
		return nil // it was stored before it was asked for: it went with its tenant
	}
	if err != nil {
		return fmt.Errorf("event %s of %s: %w", p.Event, p.Tenant, err)
	}
	e.Order = p.Order
	entries, err := f.Store.PlanPage(ctx, p.Tenant, e.Key(), p.Key, p.Page)
	if errors.Is(err, webhook.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("page %d of event %s of %s: %w", p.Page, p.Event, p.Tenant, err)
	}
	why := published(e.Event)
	why.fresh = received == 1 && p.Fresh
	if p.Replay != "" {
		why = occasion{replay: p.Replay, at: p.At}
	}
	a, err := f.carryOut(ctx, e, why, entries, out)
	if err != nil || p.NoTriggers {
		return err
	}
	return f.askAll(ctx, a, out)
}

// asking returns what is to be asked of triggers of a large plan.
func (f *pages) asking(ctx context.Context, e webhook.StoredEvent, why occasion, out *outgoing) (*asking, error) {
	a := &asking{rendering: newRendering(e.Event, why)}
	for page := range e.Plan.Pages {
		entries, err := f.Store.PlanPage(ctx, e.Tenant, e.Key(), e.Plan.Key, page)
		if errors.Is(err, webhook.ErrNotFound) {
			return nil, nil // it went with its tenant
		}
		if err != nil {
			return nil, fmt.Errorf("page %d: %w", page, err)
		}
		err = f.versions.each(ctx, e.Tenant, entries, func(p planned) error {
			p, err := f.campaigns.joined(ctx, e.Tenant, p, out)
			if err == nil && p.asks() && !e.Expunged {
				a.entries = append(a.entries, p.light())
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return a, nil
}

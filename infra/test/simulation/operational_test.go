package simulation_test

import (
	"context"
	"slices"
	"strings"

	"github.com/postino/postino/shared/api/operational"
	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/webhook"
)

// checkOperational sees that what went wrong was told, in the tenant and in
// Postino's own.
func (w *world) checkOperational() {
	for _, e := range w.store.Events(tenant) {
		switch {
		case e.Source != operational.Source && e.Tenant != tenant:
			w.wrong("event %s of %s", e.ID, e.Tenant)
		case e.Source != operational.Source:
			for _, entry := range w.entries(e) {
				w.checkTold(e, entry)
			}
		case e.Plan.Total != 0:
			w.wrong("%s %s was sent to %v", e.Type, e.ID, e.Plan.Entries)
		}
	}
	for i := range w.subs {
		w.checkDisabled(subID(i))
	}
}

// checkTold sees that the failing and the end of a delivery was told.
func (w *world) checkTold(e webhook.StoredEvent, entry webhook.PlanEntry) {
	d, err := w.store.Delivery(context.Background(), tenant, e.DeliveryID(entry))
	if err != nil {
		return // another check tells
	}
	told := func(typ string, round int) {
		of := d
		of.Round = round
		w.checkPublished(operational.Delivery(typ, of, webhook.Subscription{}, "", d.CreatedAt))
	}
	for round := range d.Round {
		if !w.recovered[d.Subscription] { // which begins a round after a cancel too, and may come before the end was told
			told(operational.DeliveryExhausted, round)
		}
	}
	if d.Status != webhook.Exhausted {
		return
	}
	told(operational.DeliveryExhausted, d.Round)
	attempts, _ := w.store.Attempts(context.Background(), tenant, d.ID)
	gone := slices.ContainsFunc(attempts, func(a webhook.Attempt) bool { return a.StatusCode == 410 })
	if d.Reason == "" && !gone { // a 410 that disables is told as that
		told(operational.DeliveryFailing, d.Round)
	}
}

// checkDisabled sees that each time a subscription was disabled was told, and
// that it came back.
func (w *world) checkDisabled(id string) {
	ctx := context.Background()
	versions, _ := w.store.TenantVersion(ctx, tenant)
	var history []webhook.Subscription
	for v := range versions {
		if found, err := w.store.Versions(ctx, []webhook.VersionRef{{Tenant: tenant, ID: id, Version: v + 1}}); err == nil {
			history = append(history, found...)
		}
	}
	if w.deleted[id] > 0 {
		return // whoever deletes it need not be told
	}
	for i, s := range history {
		switch last := i == len(history)-1; {
		case s.State == webhook.Disabled && (last || i+2 == len(history) && !history[i+1].DisabledAt.IsZero()):
			w.checkPublished(operational.Subscription(operational.SubscriptionDisabled, s, s.UpdatedAt))
		case s.State == webhook.Active && !s.DisabledAt.IsZero() && last:
			w.checkPublished(operational.Subscription(operational.SubscriptionRecovered, s, s.UpdatedAt))
		}
	}
}

// checkPublished sees that the events that these messages publish are stored.
func (w *world) checkPublished(messages []queue.Message) {
	for _, m := range messages {
		p, err := message.DecodeAs[message.Pack](m.Body)
		if err != nil {
			w.wrong("operational event: %v", err)
			continue
		}
		for _, e := range p.Events {
			if _, err := w.store.Event(context.Background(), e.Tenant, e.Source, e.ID); err != nil {
				w.wrong("%s of %s was not told in %s: %s", strings.TrimPrefix(e.Type, "postino."), e.Subject, e.Tenant, e.Data)
			}
		}
	}
}

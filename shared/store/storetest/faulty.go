package storetest

import (
	"context"
	"slices"

	"github.com/postino/postino/shared/store/noun"
	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/store/table/tabletest"
	"github.com/postino/postino/shared/webhook"
)

// Faulty returns a store whose calls fail as its hooks say, each given the
// method's name: an error of before is returned instead of the call; an error
// of after is returned although the call was carried out, as when an answer is
// lost. A hook that panics, or ends the goroutine, is a crash at that point.
// Nil hooks let everything pass; hooks may be called concurrently.
//
// The nouns that the store keeps in a table fail by what they ask of that table:
// their hooks are given the names of its methods. See [tabletest.Faulty].
func Faulty(store Store, before, after func(method string) error) Store {
	pass := func(string) error { return nil }
	if before == nil {
		before = pass
	}
	if after == nil {
		after = pass
	}
	f := &faulty{store: store, before: before, after: after}
	if above, is := store.(interface {
		Over(func(table.Table) table.Table) *noun.Nouns
	}); is {
		f.Nouns = above.Over(func(t table.Table) table.Table { return tabletest.Faulty(t, before, after) })
	}
	return f
}

type faulty struct {
	*noun.Nouns   // nil if the store has none
	store         Store
	before, after func(method string) error
}

// do makes a call between its hooks.
func (f *faulty) do(method string, call func() error) error {
	if err := f.before(method); err != nil {
		return err
	}
	if err := call(); err != nil {
		return err
	}
	return f.after(method)
}

func (f *faulty) TenantVersion(ctx context.Context, tenant string) (v int64, err error) {
	err = f.do("TenantVersion", func() (err error) { v, err = f.store.TenantVersion(ctx, tenant); return err })
	return v, err
}

func (f *faulty) Changes(ctx context.Context, tenant string, after, through int64) (changes []webhook.Change, err error) {
	err = f.do("Changes", func() (err error) { changes, err = f.store.Changes(ctx, tenant, after, through); return err })
	return changes, err
}

func (f *faulty) Heads(ctx context.Context, refs []webhook.SubscriptionRef) (heads []webhook.Head, err error) {
	err = f.do("Heads", func() (err error) { heads, err = f.store.Heads(ctx, refs); return err })
	return heads, err
}

func (f *faulty) ListHeads(ctx context.Context, tenant, after string, limit int) (heads []webhook.Head, err error) {
	err = f.do("ListHeads", func() (err error) { heads, err = f.store.ListHeads(ctx, tenant, after, limit); return err })
	return heads, err
}

func (f *faulty) PageHeads(ctx context.Context, tenant string, page webhook.Page) (heads []webhook.Head, next string, err error) {
	err = f.do("PageHeads", func() (err error) { heads, next, err = f.store.PageHeads(ctx, tenant, page); return err })
	return heads, next, err
}

func (f *faulty) Versions(ctx context.Context, refs []webhook.VersionRef) (subs []webhook.Subscription, err error) {
	err = f.do("Versions", func() (err error) { subs, err = f.store.Versions(ctx, refs); return err })
	return subs, err
}

func (f *faulty) SaveSubscription(ctx context.Context, s webhook.Subscription, expect int64) (saved webhook.Subscription, err error) {
	err = f.do("SaveSubscription", func() (err error) { saved, err = f.store.SaveSubscription(ctx, s, expect); return err })
	return saved, err
}

func (f *faulty) DeleteSubscription(ctx context.Context, ref webhook.SubscriptionRef, expect int64) error {
	return f.do("DeleteSubscription", func() error { return f.store.DeleteSubscription(ctx, ref, expect) })
}

func (f *faulty) CreateEvent(ctx context.Context, e webhook.StoredEvent, profiles ...webhook.Profile) (stored webhook.StoredEvent, created bool, err error) {
	err = f.do("CreateEvent", func() (err error) { stored, created, err = f.store.CreateEvent(ctx, e, profiles...); return err })
	return stored, created, err
}

func (f *faulty) Event(ctx context.Context, tenant, source, id string) (e webhook.StoredEvent, err error) {
	err = f.do("Event", func() (err error) { e, err = f.store.Event(ctx, tenant, source, id); return err })
	return e, err
}

func (f *faulty) PageEvents(ctx context.Context, tenant string, filter webhook.EventFilter, page webhook.Page) (events []webhook.StoredEvent, next string, err error) {
	err = f.do("PageEvents", func() (err error) { events, next, err = f.store.PageEvents(ctx, tenant, filter, page); return err })
	return events, next, err
}

func (f *faulty) CreateReplay(ctx context.Context, r webhook.Replay) (stored webhook.Replay, created bool, err error) {
	err = f.do("CreateReplay", func() (err error) { stored, created, err = f.store.CreateReplay(ctx, r); return err })
	return stored, created, err
}

func (f *faulty) PutPlanPage(ctx context.Context, tenant, eventKey, nonce string, page int, entries []webhook.PlanEntry) error {
	return f.do("PutPlanPage", func() error { return f.store.PutPlanPage(ctx, tenant, eventKey, nonce, page, entries) })
}

func (f *faulty) PlanPage(ctx context.Context, tenant, eventKey, nonce string, page int) (entries []webhook.PlanEntry, err error) {
	err = f.do("PlanPage", func() (err error) { entries, err = f.store.PlanPage(ctx, tenant, eventKey, nonce, page); return err })
	return entries, err
}

func (f *faulty) Delivery(ctx context.Context, tenant, id string) (d webhook.Delivery, err error) {
	err = f.do("Delivery", func() (err error) { d, err = f.store.Delivery(ctx, tenant, id); return err })
	return d, err
}

func (f *faulty) DeliveriesByID(ctx context.Context, tenant string, ids []string) (found map[string]webhook.Delivery, err error) {
	err = f.do("DeliveriesByID", func() (err error) { found, err = f.store.DeliveriesByID(ctx, tenant, ids); return err })
	return found, err
}

func (f *faulty) PageDeliveries(ctx context.Context, tenant string, filter webhook.DeliveryFilter, page webhook.Page) (ds []webhook.Delivery, next string, err error) {
	err = f.do("PageDeliveries", func() (err error) { ds, next, err = f.store.PageDeliveries(ctx, tenant, filter, page); return err })
	return ds, next, err
}

func (f *faulty) SaveDelivery(ctx context.Context, d webhook.Delivery, with webhook.Parts) error {
	return f.do("SaveDelivery", func() error { return f.store.SaveDelivery(ctx, d, with) })
}

func (f *faulty) SaveDeliveries(ctx context.Context, saves []webhook.Save) (errs []error) {
	if err := f.do("SaveDeliveries", func() error { errs = f.store.SaveDeliveries(ctx, saves); return nil }); err != nil {
		errs = slices.Repeat([]error{err}, len(saves))
	}
	return errs
}

func (f *faulty) Attempts(ctx context.Context, tenant, id string) (attempts []webhook.Attempt, err error) {
	err = f.do("Attempts", func() (err error) { attempts, err = f.store.Attempts(ctx, tenant, id); return err })
	return attempts, err
}

func (f *faulty) Content(ctx context.Context, tenant, id string) (c webhook.Content, err error) {
	err = f.do("Content", func() (err error) { c, err = f.store.Content(ctx, tenant, id); return err })
	return c, err
}

func (f *faulty) EnterLine(ctx context.Context, sub webhook.SubscriptionRef, delivery string) error {
	return f.do("EnterLine", func() error { return f.store.EnterLine(ctx, sub, delivery) })
}

func (f *faulty) LeaveLine(ctx context.Context, sub webhook.SubscriptionRef, deliveries []string) error {
	return f.do("LeaveLine", func() error { return f.store.LeaveLine(ctx, sub, deliveries) })
}

func (f *faulty) Line(ctx context.Context, sub webhook.SubscriptionRef, after string, limit int) (ids []string, err error) {
	err = f.do("Line", func() (err error) { ids, err = f.store.Line(ctx, sub, after, limit); return err })
	return ids, err
}

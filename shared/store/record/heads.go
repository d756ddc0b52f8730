package record

import (
	"context"

	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/webhook"
)

func headKey(sub webhook.SubscriptionRef) table.Key { return ofSubscription(headKind, sub) }

// The fields of a head beside its bulk: version, weight of its filter, its health,
// and how often that was written.
const (
	headVersion, headHeavy     = "ve", "hw"
	headHealth, healthRevision = "he", "hr"
)

func headItem(sub webhook.Subscription) table.Item {
	h := sub.Head()
	return table.Item{Key: headKey(webhook.SubscriptionRef{Tenant: h.Tenant, ID: h.ID}), Fields: table.Fields{
		whole: table.Text(headBulk(h)), headVersion: h.Version, headHeavy: int64(h.Heavy),
	}}
}

func headBulk(h webhook.Head) []byte {
	b := bulk(nil).number(h.Born).text(string(h.State)).number(h.Epoch).texts(h.Types).text(string(h.Filter)).number(int64(len(h.Cancels)))
	for _, c := range h.Cancels {
		b = b.texts(c.Types).text(string(c.Filter))
	}
	return b.text(h.Campaign)
}

func readHead(tenant, id string, it table.Item) (webhook.Head, error) {
	h := webhook.Head{Tenant: tenant, ID: id, Version: it.Fields.Int(headVersion), Heavy: int(it.Fields.Int(headHeavy))}
	f := &fields{rest: string(it.Fields.Text(whole))}
	h.Born, h.State, h.Epoch, h.Types, h.Filter = f.number(), webhook.State(f.text()), f.number(), f.texts(), f.json()
	for range f.length() {
		h.Cancels = append(h.Cancels, webhook.Cancel{Types: f.texts(), Filter: f.json()})
	}
	h.Campaign, h.Health = f.text(), readHealth(it)
	return h, f.err()
}

func healthBulk(h webhook.Health) []byte {
	b := bulk(nil).time(h.FailingSince).time(h.FailedAt).time(h.Breaker.Since).number(int64(h.Breaker.Probes))
	return b.number(int64(h.Breaker.Passed)).time(h.Breaker.ProbeAt)
}

func readHealth(it table.Item) webhook.Health {
	f := &fields{rest: string(it.Fields.Bytes(headHealth))}
	return webhook.Health{
		FailingSince: f.time(), FailedAt: f.time(), Rev: it.Fields.Int(healthRevision),
		Breaker: webhook.Breaker{Since: f.time(), Probes: int(f.number()), Passed: int(f.number()), ProbeAt: f.time()},
	}
}

// Heads returns the current heads in the order asked for. Those that do not
// exist have Version 0.
func (s *Store) Heads(ctx context.Context, refs []webhook.SubscriptionRef) ([]webhook.Head, error) {
	heads, generation := s.recent.find(refs)
	if heads != nil {
		return heads, nil
	}
	keys := make([]table.Key, len(refs))
	for i, ref := range refs {
		keys[i] = headKey(ref)
	}
	found, err := s.table.Get(ctx, keys...)
	if err != nil {
		return nil, err
	}
	heads = make([]webhook.Head, len(refs))
	kept := make(map[webhook.SubscriptionRef]webhook.Head, len(refs))
	for i, ref := range refs {
		if it, there := found[keys[i]]; there {
			if heads[i], err = readHead(ref.Tenant, ref.ID, it); err != nil {
				return nil, err
			}
		}
		kept[ref] = heads[i]
	}
	s.recent.put(generation, kept, nil)
	return heads, nil
}

// ListHeads returns up to limit heads with an id greater than after, by id.
// Only an empty list means the end.
func (s *Store) ListHeads(ctx context.Context, tenant, after string, limit int) (heads []webhook.Head, err error) {
	of := headsOf(tenant)
	if after != "" {
		of.low = after + "\x00"
	}
	err = each(ctx, s.table, of, false, limit, func(id string, it table.Item) error {
		h, err := readHead(tenant, id, it)
		if heads = append(heads, h); err == nil && len(heads) == limit {
			err = errPageEnds
		}
		return err
	})
	return heads, unlessEnded(err)
}

// PageHeads returns one page of heads by id and the position of the next; ""
// means the end.
func (s *Store) PageHeads(ctx context.Context, tenant string, page webhook.Page) ([]webhook.Head, string, error) {
	l := newList[webhook.Head](page, isPart, "heads", tenant)
	return l.read(ctx, s.table, headsOf(tenant), func(id string, it table.Item) (webhook.Head, bool, error) {
		h, err := readHead(tenant, id, it)
		return h, true, err
	})
}

func headsOf(tenant string) span {
	return span{partition: headKind, prefix: table.Name(tenant) + separator, high: behindAll}
}

// SaveHealth stores h in the subscription's head if that is of the version and
// its health has h.Rev; otherwise [webhook.ErrConflict]. A new version replaces
// the head, so it has no health.
func (s *Store) SaveHealth(ctx context.Context, ref webhook.VersionRef, h webhook.Health) error {
	h.Rev++
	return s.recent.change(func() error {
		_, _, err := s.table.Update(ctx, headKey(webhook.SubscriptionRef{Tenant: ref.Tenant, ID: ref.ID}), table.Change{
			Set: table.Fields{headHealth: healthBulk(h), healthRevision: h.Rev},
		}, table.How{
			If:   table.Equal(headVersion, ref.Version).And(table.Revision(healthRevision, h.Rev)),
			Wait: table.ForOthers,
		})
		return conflict(err)
	})
}
